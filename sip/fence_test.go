package sip

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFence: after it stood still a process does nothing until it knows whether it is
// dead, unless it cannot know.
func TestFence(t *testing.T) {
	t.Parallel()
	var sure atomic.Bool
	f := fence{holds: sure.Load}
	now := time.Now()
	at := func(d time.Duration) bool { return f.passes(instant{now.Add(d), time.Hour + d}) }
	sure.Store(true)
	require.True(t, at(0))
	sure.Store(false)
	require.False(t, at(50*time.Millisecond), "it is not heard of")
	for d := 100 * time.Millisecond; d < fencePatience; d += 100 * time.Millisecond {
		require.False(t, at(d))
	}
	require.True(t, at(fencePatience+100*time.Millisecond), "the ledger is away: nobody can have declared it dead")
	require.False(t, at(time.Minute), "it stood still")
	sure.Store(true)
	require.True(t, at(time.Minute+time.Millisecond))

	f = fence{holds: sure.Load, stands: true}
	require.True(t, at(0))
	sure.Store(false)
	for d := 50 * time.Millisecond; d < 2*fencePatience; d += 100 * time.Millisecond {
		require.True(t, at(d), "the ledger is away: that holds up no call")
	}
	require.False(t, at(time.Minute), "it stood still")
	require.False(t, at(time.Minute+fenceGap/2))
	sure.Store(true)
	require.True(t, at(time.Minute+fenceGap))
	sure.Store(false)
	require.True(t, at(time.Minute+2*fenceGap))
}

// TestAnswerAfterStandingStill: what came while the process stood still connects nobody until
// it is known whether the call is over: others may have closed it as not answered.
func TestAnswerAfterStandingStill(t *testing.T) {
	var frozen atomic.Bool
	w := open(t, func(s *settings) { s.cfg.Holds = func() bool { return !frozen.Load() } })
	a, b := w.rings()
	b.says(180, "")
	a.response(180, "INVITE")
	frozen.Store(true)
	w.srv.fence.mu.Lock()
	w.srv.fence.looked.at = time.Now().Add(-time.Minute)
	w.srv.fence.mu.Unlock()
	b.says(200, w.mouthB.sdp(1))
	w.a.never(500*time.Millisecond, "an answer", func(m msg) bool { return m.status() == 200 })
	go w.srv.LetGo()
	a.fails(503)
	eventually(t, "it is over", func() bool { return w.open() == 0 })
	w.journal.forget()
}

// TestStale: what waits while the process stands still, or the machine sleeps, is stale for a
// moment; nothing is because a clock is set.
func TestStale(t *testing.T) {
	t.Parallel()
	f := fence{holds: func() bool { return true }}
	now := time.Now()
	at := func(clock, age time.Duration) bool { return f.stale(instant{now.Add(clock).Round(0), time.Hour + age}) }
	require.False(t, at(0, 0))
	require.False(t, at(staleGap, staleGap))
	require.False(t, at(time.Hour, staleGap+fenceStep), "the clock is set")
	require.True(t, at(time.Hour, 2*staleGap+2*fenceStep), "it stood still")
	require.True(t, at(time.Hour, 2*staleGap+2*fenceStep+staleTime/2))
	require.True(t, at(time.Hour, staleGap), "it was read before, and has waited since")
	require.False(t, at(time.Hour, 2*staleGap+2*fenceStep+staleTime))
}

// TestStaleCalls: a call that waited while the process stood still for long rings nobody if
// other nodes may have had it: it is refused, for its caller to go there, or passed over if
// they have the same address. It is in the figures either way.
func TestStaleCalls(t *testing.T) {
	stale := func(w *world, is bool) {
		f := &w.srv.fence
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.woke = 0; is { // until it is told otherwise
			f.woke = present().age + time.Hour
		}
	}
	for name, c := range map[string]struct {
		others Others
		tcp    bool
	}{"others apart": {OthersApart, false}, "others apart, over TCP": {OthersApart, true}, "others in its place, over TCP": {OthersInPlace, true}} {
		t.Run(name, func(t *testing.T) {
			var refused refusals
			w := open(t, refused.beside(c.others), func(s *settings) { s.tcpA = c.tcp })
			stale(w, true)
			w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
			require.Equal(t, []Refusal{RefusedStale}, refused.list())
		})
	}
	t.Run("others in its place", func(t *testing.T) {
		var refused refusals
		w := open(t, refused.beside(OthersInPlace))
		stale(w, true)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		again := a.text("INVITE", a.cseq, a.branch, w.mouthA.sdp(1))
		eventually(t, "it is passed over", func() bool { return slices.Equal(refused.list(), []Refusal{RefusedStale}) })
		w.a.never(300*time.Millisecond, "an answer", func(m msg) bool { return m.status() > 0 })
		stale(w, false)
		w.a.send(again)
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		b.says(180, "")
		a.response(180, "INVITE")
		w.answers(a, b)
		w.hangsUp(a, b)
	})
	t.Run("alone", func(t *testing.T) {
		var refused refusals
		w := open(t, refused.beside(NoOthers))
		stale(w, true)
		a, b := w.talk()
		w.hangsUp(a, b)
		require.Empty(t, refused.list())
	})
}

// refusals watches calls that were not taken.
type refusals struct {
	unwatched
	mu  sync.Mutex
	all []Refusal
}

// beside has a server have other nodes beside it, and its refusals watched.
func (r *refusals) beside(o Others) func(*settings) {
	return func(s *settings) {
		s.cfg.Holds, s.cfg.Others, s.cfg.Watch = func() bool { return true }, func() Others { return o }, r
	}
}

func (r *refusals) Refused(why Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, why)
}

func (r *refusals) list() []Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}
