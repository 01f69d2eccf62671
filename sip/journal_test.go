package sip

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/routing"
)

// TestJournalFails: what is not on the disk is neither promised nor billed,
// and what is owed is written in the end.
func TestJournalFails(t *testing.T) {
	t.Parallel()
	t.Run("from the start", func(t *testing.T) {
		w := open(t)
		w.journal.fails(func(events.Event) error { return errDisk })
		got := w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		require.NotEmpty(t, got.get("Retry-After"))
		eventually(t, "no call", func() bool { return w.open() == 0 })
		require.Empty(t, w.b.everything())
		require.Empty(t, w.journal.evs)
	})
	t.Run("at the answer", func(t *testing.T) {
		w := open(t)
		var down atomic.Bool
		w.journal.fails(func(e events.Event) error {
			if e.Kind == events.Answer {
				down.Store(true)
			}
			if down.Load() {
				return errDisk
			}
			return nil
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		b.hungUp()
		require.Equal(t, "Q.850;cause=41", a.fails(500).get("Reason"))
		require.Equal(t, 1, w.open(), "it waits for its record")
		w.journal.fails(nil)
		rec := w.ends(8020, 8020)
		require.Equal(t, []events.Kind{events.CallIn, events.CallOut, events.Answer, events.Disconnect, events.Fee}, w.journal.kinds(rec.Session))
	})
	t.Run("too slow at the answer", func(t *testing.T) { // not broken: elsewhere or later the call may be put through
		w := open(t, func(s *settings) { s.cfg.patience = 300 * time.Millisecond })
		wait := make(chan struct{})
		var once atomic.Bool
		w.journal.delays(func(e events.Event) (<-chan struct{}, error) {
			if e.Kind == events.Answer && once.CompareAndSwap(false, true) {
				return wait, errDisk
			}
			return nil, nil
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		b.hungUp()
		got := a.fails(503)
		require.Equal(t, "Q.850;cause=41", got.get("Reason"))
		require.NotEmpty(t, got.get("Retry-After"))
		rec := w.ends(8020, 8020)
		require.Equal(t, []events.Kind{events.CallIn, events.CallOut, events.Answer, events.Disconnect, events.Fee}, w.journal.kinds(rec.Session))
		close(wait)
	})
	t.Run("slow at the answer", func(t *testing.T) { // but in time
		w := open(t)
		wait := make(chan struct{})
		w.journal.delays(func(e events.Event) (<-chan struct{}, error) {
			if e.Kind == events.Answer {
				time.AfterFunc(waitTime/2, func() { close(wait) })
				return wait, nil
			}
			return nil, nil
		})
		a, b := w.talk()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("for one event", func(t *testing.T) {
		w := open(t)
		var once atomic.Bool
		w.journal.fails(func(e events.Event) error {
			if e.Kind == events.Alerting && once.CompareAndSwap(false, true) {
				return errDisk
			}
			return nil
		})
		a, b := w.talk()
		a.bye()
		b.hungUp()
		rec := w.ends(0, 0)
		require.Len(t, w.journal.kinds(rec.Session), 6, "nothing is missing")
	})
	t.Run("late", func(t *testing.T) { // for one event that was under way when the call ended
		w := open(t)
		wait := make(chan struct{})
		var once atomic.Bool
		w.journal.delays(func(e events.Event) (<-chan struct{}, error) {
			if e.Kind == events.Alerting && once.CompareAndSwap(false, true) {
				return wait, errDisk
			}
			return nil, nil
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		a.response(180, "INVITE")
		b.says(486, "")
		a.fails(486)
		rec := w.ends(8102, 8102)
		require.Len(t, w.journal.kinds(rec.Session), 5)
		close(wait)
	})
	t.Run("at the end", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		w.journal.fails(func(events.Event) error { return errDisk })
		a.bye()
		b.hungUp()
		time.Sleep(50 * time.Millisecond)
		require.Equal(t, 1, w.open(), "it waits for its record")
		require.Equal(t, w.ports, w.engine.PortsFree(), "but holds no ports")
		w.journal.fails(nil)
		w.ends(0, 0)
	})
}

// TestRouterSlow: a look-up that is not done in time is no fault of what is
// stored.
func TestRouterSlow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
	}{"too late": {fmt.Errorf("ask: %w", context.DeadlineExceeded), 503}, "broken": {errDisk, 500}} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			w.router.decides(func(routing.Question) (routing.Decision, error) { return routing.Decision{}, c.err })
			got := w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(c.status)
			require.Equal(t, "Q.850;cause=41", got.get("Reason"))
			require.Equal(t, c.status == 503, got.get("Retry-After") != "")
			eventually(t, "no call", func() bool { return w.open() == 0 })
			require.Empty(t, w.b.everything())
		})
	}
}
