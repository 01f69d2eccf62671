package roster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
)

// TestSilence: only time in which this node was heard of itself makes others silent.
func TestSilence(t *testing.T) {
	t.Parallel()
	const limit, pace = 3 * time.Second, 500 * time.Millisecond
	type look struct {
		run, clock time.Duration // since the look before
		heard      int           // the beat of the other
	}
	regular := func(n int) (all []look) {
		for range n {
			all = append(all, look{pace, pace, 1})
		}
		return all
	}
	for name, c := range map[string]struct {
		looks []look
		dead  bool
	}{
		"silent":                      {regular(7), true},
		"not yet":                     {regular(6), false},
		"heard again":                 {append(regular(6), look{pace, pace, 2}), false},
		"the ledger was away":         {append(regular(6), look{time.Minute, time.Minute, 1}), false},
		"this node stood still":       {append(regular(3), look{2 * time.Second, 2 * time.Second, 1}), false},
		"the machine slept":           {append(regular(6), look{pace, time.Hour, 1}), false},
		"the clock was set":           {append(regular(5), look{pace, time.Hour, 1}), false},
		"the clock was set back":      {append(regular(6), look{pace, -time.Hour, 1}), true},
		"silent after it was away":    {append([]look{{time.Minute, time.Minute, 1}}, regular(7)...), true},
		"not long enough after that":  {append([]look{{time.Minute, time.Minute, 1}}, regular(5)...), false},
		"silent, heard, silent again": {append(append(regular(6), look{pace, pace, 2}), look{pace, pace, 2}), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w watch
			now := Now()
			dead := false
			for _, l := range c.looks {
				now.run, now.Clock = now.run+l.run, now.Clock.Add(l.clock)
				nodes := []ledger.Node{
					{Life: Life{Node: "me", Incarnation: 1}, State: ledger.NodeUp},
					{Life: Life{Node: "other", Incarnation: 1}, State: ledger.NodeDraining, HeardAt: time.Unix(int64(l.heard), 0)},
					{Life: Life{Node: "gone", Incarnation: 1}, State: ledger.NodeGone},
				}
				list := w.silent(nodes, "me", limit, now)
				dead = len(list) > 0
				for _, n := range list {
					require.Equal(t, "other", n.Node)
				}
			}
			require.Equal(t, c.dead, dead)
		})
	}
}

// TestMissedBeats: who missed two beats may be dead, long before it is declared so; who is
// heard of again is not.
func TestMissedBeats(t *testing.T) {
	t.Parallel()
	const limit, pace = 3 * time.Second, 500 * time.Millisecond
	var w watch
	now := Now()
	look := func(heard int) bool {
		now.run, now.Clock = now.run+pace, now.Clock.Add(pace)
		other := ledger.Node{Life: Life{Node: "other", Incarnation: 1}, State: ledger.NodeUp, HeardAt: time.Unix(int64(heard), 0)}
		require.Empty(t, w.silent([]ledger.Node{other}, "me", limit, now))
		return w.missed(2 * pace)
	}
	for i, c := range []struct {
		heard  int
		missed bool
	}{{1, false}, {1, false}, {2, false}, {2, false}, {2, true}, {2, true}, {3, false}, {4, false}} {
		require.Equal(t, c.missed, look(c.heard), i)
	}
}

// TestALeaseRunsOutByBothClocks: one that is set back does not prolong it, nor does a
// machine that slept.
func TestALeaseRunsOutByBothClocks(t *testing.T) {
	t.Parallel()
	r := &Roster{cfg: Config{Lease: 2 * time.Second}}
	require.False(t, r.Holds(), "nobody has heard of it")
	now := Now()
	for _, c := range []struct {
		clock, run time.Duration // how long ago
		holds      bool
	}{{0, 0, true}, {time.Second, time.Second, true}, {-time.Hour, 0, true}, {-time.Hour, 2 * time.Second, false}, {2 * time.Second, 0, false}} {
		r.heard.Store(&Instant{now.Clock.Add(-c.clock), now.run - c.run})
		require.Equal(t, c.holds, r.Holds(), "%+v", c)
	}
}
