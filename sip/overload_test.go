package sip

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
)

// TestTooManyCalls: calls above the rate get 503 and no record; what belongs to
// a call goes on.
func TestTooManyCalls(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*settings){
		"of all":     func(s *settings) { s.cfg.MaxCPS = 1 },
		"of a trunk": func(s *settings) { s.trunkA.Way.MaxCPS = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, change)
			a, b := w.talk()
			w.srv.overload.in(w.srv.cfg.Trunks.All()[0], w.srv.cfg.MaxCPS, time.Now().Add(time.Minute)) // no token comes for a minute
			m := w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
			require.Equal(t, "5", m.get("Retry-After"))
			require.Equal(t, "Q.850;cause=42", m.get("Reason"))
			require.Equal(t, uint64(1), w.srv.Shed())
			a.bye()
			b.hungUp()
			w.ends(0, 0)
			require.Contains(t, w.logged(), "more calls than are taken")
		})
	}
}

// TestTrunkHasItsRate: a call that is too fast for one trunk goes to the next.
func TestTrunkHasItsRate(t *testing.T) {
	var second *peer
	w := open(t, func(s *settings) {
		second = newPeer(t, "second", "127.0.0.4")
		s.trunkB.Way = trunk.Way{MaxCPS: 1, Priority: 1}
		s.more = append(s.more, trunk.Trunk{Name: "spare", Address: second.addr, Way: trunk.Way{Priority: 2}})
	})
	second.to = w.srv.UDPAddr()
	w.srv.overload.out(w.srv.cfg.Trunks.Out()[1], time.Now().Add(time.Minute)) // its token is taken, and none comes for a minute
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	second.ring().says(486, "")
	a.fails(486)
	w.ends(8102, 8102)
}

func TestBucket(t *testing.T) {
	var b bucket
	now := time.Now()
	take := func(n int) (got int) {
		for range n {
			if b.take(10, now) {
				got++
			}
		}
		return got
	}
	require.Equal(t, 10, take(100), "those of a second at once")
	now = now.Add(300 * time.Millisecond)
	require.Equal(t, 3, take(100))
	now = now.Add(time.Hour)
	require.Equal(t, 10, take(100))
	require.True(t, (&bucket{}).take(0, now), "no limit")
}
