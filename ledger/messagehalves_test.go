package ledger_test

import (
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/sms"
	"axgate/sms/parts"
)

// TestHalvesAreJoined: a character that its sender cut between two parts is
// whole in the text, in whatever order they come.
func TestHalvesAreJoined(t *testing.T) {
	units := utf16.Encode([]rune("好😀!"))
	each(t, func(t *testing.T, l *ledger.Ledger) {
		m := text("halves")
		m.Key, m.Text, m.Open, m.Parts, m.Ahead = "", "", true, 2, false
		for i, p := range []sms.NewPart{
			{Part: sms.Part{Ref: 7, Seq: 2, Total: 2}, Key: "second", Text: parts.FromUTF16(units[2:]), At: t0},
			{Part: sms.Part{Ref: 7, Seq: 1, Total: 2}, Key: "first", Text: parts.FromUTF16(units[:2]), At: t0},
		} {
			r, err := l.AddPart(t.Context(), &m, p, roomy, t0.Add(time.Minute))
			require.NoError(t, err)
			require.Equal(t, i == 1, r.Whole)
			if r.Whole {
				require.Equal(t, "好😀!", r.Text.Text)
			}
		}
	})
}
