package sip

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSplitText(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		room int
		want []string
	}{
		"nothing":              {"", 10, []string{""}},
		"exactly":              {"0123456789", 10, []string{"0123456789"}},
		"one more":             {"0123456789x", 10, []string{"0123456789", "x"}},
		"at a word":            {"012345 789 abc", 10, []string{"012345 789", " abc"}},
		"behind a space":       {"01234567 9abc", 10, []string{"01234567 ", "9abc"}},
		"no space near":        {"01 3456789abc", 10, []string{"01 3456789", "abc"}},
		"Chinese":              {"一二三四", 10, []string{"一二三", "四"}},
		"an accent of its own": {"012345678e\u0301", 10, []string{"012345678", "e\u0301"}},
		"a family":             {"ab👨‍👩‍👧", 18, []string{"ab", "👨‍👩‍👧"}},
		"too many accents":     {"e" + strings.Repeat("\u0301", 6), 10, []string{"e" + strings.Repeat("\u0301", 4), strings.Repeat("\u0301", 2)}},
	} {
		require.Equal(t, c.want, split(c.text, c.room), name)
	}
}

// TestSplitTextKeepsIt: whatever the text, the pieces are it, and each is a
// text of its own that fits.
func TestSplitTextKeepsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune("a \n中😀\u200d\u0301🇨🇳")), 0, 200, -1)).Draw(t, "text")
		room := rapid.IntRange(utf8.UTFMax, 60).Draw(t, "room")
		pieces := split(text, room)
		require.Equal(t, text, strings.Join(pieces, ""))
		for i, p := range pieces {
			require.LessOrEqual(t, len(p), room)
			require.True(t, utf8.ValidString(p))
			require.True(t, p != "" || len(pieces) == 1, "piece %d is empty", i)
		}
		if len(pieces) > 1 {
			first, _, _, _ := uniseg.FirstGraphemeClusterInString(text, -1)
			require.GreaterOrEqual(t, len(pieces[0]), min(len(first), room-utf8.UTFMax+1))
		}
	})
}
