package wire

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ringer notes when it was due.
type ringer struct {
	wheel *wheel
	alarm alarm
	again time.Duration // set anew with this, once

	mu   sync.Mutex
	rang []time.Time
}

func (r *ringer) due() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rang = append(r.rang, time.Now())
	if r.again > 0 {
		r.wheel.set(&r.alarm, r.again)
		r.again = 0
	}
}

func (r *ringer) times() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rang
}

// TestWheel: an alarm goes off once, never too early, and not when it was
// stopped; one that was set anew counts from then; after the last the wheel is
// still, and turns again for the next.
func TestWheel(t *testing.T) {
	w := new(wheel)
	t.Cleanup(w.close)
	begin := func(again time.Duration) *ringer {
		r := &ringer{wheel: w, again: again}
		r.alarm.owner = r
		return r
	}
	for range 2 {
		began := time.Now()
		short, same, twice, moved, stopped := begin(0), begin(0), begin(120*time.Millisecond), begin(0), begin(0)
		for r, d := range map[*ringer]time.Duration{short: 10 * time.Millisecond, same: 10 * time.Millisecond, twice: 60 * time.Millisecond,
			moved: 20 * time.Millisecond, stopped: 20 * time.Millisecond} {
			w.set(&r.alarm, d)
		}
		w.set(&moved.alarm, 300*time.Millisecond)
		w.stop(&stopped.alarm)
		w.stop(&stopped.alarm)
		require.Eventually(t, func() bool { return len(moved.times()) == 1 && len(twice.times()) == 2 }, 15*time.Second, time.Millisecond)
		require.Len(t, short.times(), 1)
		require.Len(t, same.times(), 1)
		require.Empty(t, stopped.times())
		require.GreaterOrEqual(t, short.times()[0].Sub(began), 10*time.Millisecond)
		require.GreaterOrEqual(t, twice.times()[1].Sub(began), 180*time.Millisecond)
		require.GreaterOrEqual(t, moved.times()[0].Sub(began), 300*time.Millisecond)
		require.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.still && w.alarms == 0 }, 15*time.Second, time.Millisecond)
	}
}

// TestWheelIsRound: what is due after more than a turn waits for its turn, and
// one that fell behind loses nothing.
func TestWheelIsRound(t *testing.T) {
	w := new(wheel)
	t.Cleanup(w.close)
	late, far := &ringer{wheel: w}, &ringer{wheel: w}
	late.alarm.owner, far.alarm.owner = late, far
	w.set(&late.alarm, time.Duration(len(w.slots)-1)*step)
	w.set(&far.alarm, 2*time.Duration(len(w.slots))*step)
	w.mu.Lock()
	w.began = w.began.Add(-time.Duration(len(w.slots)+3) * step)
	w.mu.Unlock()
	require.Eventually(t, func() bool { return len(late.times()) == 1 }, 15*time.Second, time.Millisecond)
	require.Empty(t, far.times())
	w.mu.Lock()
	w.began = w.began.Add(-time.Duration(len(w.slots)) * step)
	w.mu.Unlock()
	require.Eventually(t, func() bool { return len(far.times()) == 1 }, 15*time.Second, time.Millisecond)
}
