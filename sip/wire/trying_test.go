package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTrying: 100 goes out at once, but never behind what says more, whose
// repetitions it must not take the place of.
func TestTrying(t *testing.T) {
	for name, said := range map[string]int{"at once": 0, "behind 180": 180, "behind 486": 486} {
		t.Run(name, func(t *testing.T) {
			h := newCollector()
			s := open(t, h)
			r := newRaw(t)
			r.send(s.UDPAddr(), r.request("INVITE", "i", 1, ""))
			tx := <-h.txs
			want := "100 Trying"
			if said != 0 {
				res := Reply(tx.Request, said, "Said")
				require.NoError(t, tx.Respond(res))
				want = status(res.String())
				require.Equal(t, want, status(r.read(5*time.Second)))
			}
			require.NoError(t, tx.Trying())
			if said == 0 {
				require.Equal(t, want, status(r.read(5*time.Second)))
			}
			r.send(s.UDPAddr(), r.request("INVITE", "i", 1, ""))
			require.Equal(t, want, status(r.read(5*time.Second)))
		})
	}
}
