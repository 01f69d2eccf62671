package events_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
)

// TestShutdown: what is under way is ended and noted, the rest given back, and
// the next pusher goes on where this one stopped.
func TestShutdown(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		began, free := make(chan struct{}, 10), make(chan struct{})
		to.answers(func(push) int {
			began <- struct{}{}
			<-free
			return 200
		})
		stop := w.run()
		w.call("app", "one", 1, events.CallIn)
		<-began
		w.call("app", "one", 2, events.CallOut, events.Alerting)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			stop()
		}()
		time.Sleep(20 * time.Millisecond)
		close(free)
		<-stopped
		require.Equal(t, []string{"callin"}, to.kinds("one"))
		w.settled("one", 1, "1 tries, done")
		w.run()
		w.settled("one", 3, "1 tries, done")
		require.Equal(t, []string{"callin", "callout", "alerting"}, to.kinds("one"))
	})
}

// TestKilled: what a killed pusher held is pushed by another one after the
// lease, and not before.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		w.call("app", "one", 1, all...)
		every := func(events.Lane) int { return 100 }
		now := w.clock.now()
		taken, more, err := w.Outbox().Claim(t.Context(), now, now.Add(time.Minute), every)
		require.NoError(t, err)
		require.False(t, more)
		require.Len(t, taken, 2, "callin and fee: the rest waits for the callin")
		w.run()
		time.Sleep(100 * time.Millisecond)
		require.Empty(t, to.pushes())
		w.clock.move(time.Minute + time.Second)
		for seq := range all {
			w.settled("one", seq+1, "1 tries, done")
		}
		kinds := slices.DeleteFunc(to.kinds("one"), func(k string) bool { return k == "fee" })
		require.Equal(t, told, kinds)

		// The dead one comes back: its word does not count any more.
		require.NoError(t, w.Outbox().Finish(t.Context(), []events.Outcome{{Claimed: taken[0], At: now, Due: now}}))
		w.settled("one", 1, "1 tries, done")
	})
}

// TestSeveralPushers: two processes on one outbox push each event once, in
// order.
func TestSeveralPushers(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		second, err := ledger.Open(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, second.Close()) })
		other := &world{TB: t, Ledger: second, clock: w.clock}
		w.app("app", to)
		w.run()
		other.run()
		const calls = 60
		for i := range calls {
			w.call("app", fmt.Sprint("call", i), 1, all[:3]...)
		}
		for i := range calls {
			other.call("app", fmt.Sprint("call", i), 4, all[3:]...)
		}
		for i := range calls {
			w.settled(fmt.Sprint("call", i), 5, "1 tries, done")
			w.settled(fmt.Sprint("call", i), 6, "1 tries, done")
			kinds := to.kinds(fmt.Sprint("call", i))
			require.Len(t, kinds, 6)
			require.Equal(t, told, slices.DeleteFunc(kinds, func(k string) bool { return k == "fee" }))
		}
	})
}

// TestAHeirPushesAtOnce: what a dead node was about to push, its heir does not wait for; the
// dead one's word does not count any more, should it come back, and nothing is pushed twice.
func TestAHeirPushesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		dead := ledger.Life{Node: "a", Incarnation: 3}
		const calls = 20
		for i := range calls {
			w.call("app", fmt.Sprint("call", i), 1, all...)
		}
		now := w.clock.now()
		held := w.Outbox().Held(func() ledger.Life { return dead })
		taken, _, err := held.Claim(t.Context(), now, now.Add(time.Minute), func(events.Lane) int { return 10 })
		require.NoError(t, err)
		require.NotEmpty(t, taken)
		done := taken[0]
		require.NoError(t, held.Finish(t.Context(), []events.Outcome{{Claimed: done, At: now, Done: now}}))
		w.run()
		for i := range calls {
			if session := fmt.Sprint("call", i); !slices.ContainsFunc(taken, func(c events.Claimed) bool { return c.Session == session }) {
				w.settled(session, 1, "1 tries, done")
			}
		}
		n, err := w.FreeClaims(t.Context(), ledger.Life{Node: "a", Incarnation: 2})
		require.NoError(t, err)
		require.Zero(t, n, "an earlier life held nothing")
		n, err = w.FreeClaims(t.Context(), dead)
		require.NoError(t, err)
		require.EqualValues(t, len(taken)-1, n)
		w.clock.move(time.Since(now)) // the rows are due by the real clock
		for i := range calls {
			for seq := range all {
				session := fmt.Sprint("call", i)
				if session == done.Session && seq+1 == done.Seq {
					continue
				}
				w.settled(session, seq+1, "1 tries, done")
			}
		}
		require.NoError(t, held.Finish(t.Context(), []events.Outcome{{Claimed: taken[1], At: now, Due: now}}))
		w.settled(taken[1].Session, taken[1].Seq, "1 tries, done")
		for i := range calls {
			kinds := to.kinds(fmt.Sprint("call", i))
			slices.Sort(kinds)
			require.Equal(t, len(slices.Compact(slices.Clone(kinds))), len(kinds), "each once")
		}
	})
}

// TestAPusherThatIsNotItself: one that may be dead takes nothing, and tells nothing of
// what it holds; one that rests neither takes anything.
func TestAPusherThatIsNotItself(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		var holds, rests atomic.Bool
		w.run(func(c *events.Config) { c.Holds, c.Rests = holds.Load, rests.Load })
		w.call("app", "one", 1, all...)
		time.Sleep(100 * time.Millisecond)
		require.Empty(t, to.pushes())
		rests.Store(true)
		holds.Store(true)
		time.Sleep(100 * time.Millisecond)
		require.Empty(t, to.pushes())
		rests.Store(false)
		w.settled("one", 6, "1 tries, done")
	})
}

// TestBlockedDoNotBlock: sessions that wait for a failed event, however many,
// do not hide those that can be pushed.
func TestBlockedDoNotBlock(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w := newWorld(t, cfg)
		out, now := w.Outbox(), w.clock.now()
		claim := func(room int) (list []string, more bool) {
			taken, more, err := out.Claim(t.Context(), now, now.Add(time.Minute), func(l events.Lane) int {
				if l.Target == events.ToStatus {
					return room
				}
				return 0
			})
			require.NoError(t, err)
			for _, c := range taken {
				list = append(list, fmt.Sprint(c.Session, c.Seq))
			}
			return list, more
		}
		for i := range 30 {
			w.call("app", fmt.Sprint("blocked", i, "-"), 1, events.CallOut, events.Alerting)
		}
		list, _ := claim(100)
		require.Len(t, list, 60)
		for i := range 30 {
			w.call("app", fmt.Sprint("blocked", i, "-"), 3, events.Answer, events.Disconnect)
		}
		w.call("app", "free", 1, events.CallOut, events.Alerting)
		var got []string
		for tries := 0; tries < 40 && len(got) == 0; tries++ {
			var more bool
			got, more = claim(4)
			require.True(t, more || len(got) > 0)
		}
		require.Equal(t, []string{"free1", "free2"}, got)
		list, more := claim(4)
		require.Empty(t, list)
		require.False(t, more, "they are parked")
	})
}

// TestFinishLetsGo: events that were parked behind one that is in hand are due
// as soon as it is done.
func TestFinishLetsGo(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w := newWorld(t, cfg)
		out, now := w.Outbox(), w.clock.now()
		claim := func() []events.Claimed {
			taken, _, err := out.Claim(t.Context(), now, now.Add(time.Minute), func(events.Lane) int { return 10 })
			require.NoError(t, err)
			return taken
		}
		w.call("app", "one", 1, events.CallOut, events.Alerting)
		taken := claim()
		require.Len(t, taken, 2)
		w.call("app", "one", 3, events.Answer)
		require.Empty(t, claim(), "parked")
		require.NoError(t, out.Finish(t.Context(), []events.Outcome{{Claimed: taken[0], At: now, Done: now}}))
		require.Empty(t, claim(), "the second is still in hand")
		require.NoError(t, out.Finish(t.Context(), []events.Outcome{{Claimed: taken[1], At: now, Done: now}}))
		require.Len(t, claim(), 1)

		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := out.Claim(cancelled, now, now, func(events.Lane) int { return 1 })
		require.ErrorIs(t, err, context.Canceled)
	})
}
