package wire

import (
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// TestPace: T1 is that of the configuration, and so are the timers made of it;
// a stack that says nothing of it leaves it. Repetitions come by it.
func TestPace(t *testing.T) {
	before := sip.T1
	t.Cleanup(func() { pace(before) })
	h := newCollector()
	s, err := Open(Config{UDP: "127.0.0.1:0", T1: 100 * time.Millisecond}, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	s.Serve(h)
	open(t, newCollector())
	require.Equal(t, []time.Duration{100 * time.Millisecond, 6400 * time.Millisecond, 6400 * time.Millisecond, 4 * time.Second, 5 * time.Second, 6400 * time.Millisecond},
		[]time.Duration{sip.T1, sip.Timer_B, sip.Timer_H, sip.T2, sip.T4, sip.Timer_M})

	r := newRaw(t)
	r.send(s.UDPAddr(), r.request("INVITE", "i", 1, ""))
	tx := <-h.txs
	began := time.Now()
	require.NoError(t, tx.Respond(Reply(tx.Request, 486, "Busy Here")))
	for range 3 { // the third after 300 ms, which would be 1.5 s
		require.Equal(t, "486 Busy Here", status(r.read(10*time.Second)))
	}
	require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	r.send(s.UDPAddr(), r.request("ACK", "i", 1, ""))
	require.Eventually(t, func() bool { return s.Transactions() == 0 }, 10*time.Second, time.Millisecond)
}
