package store

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDoubt: who stood still renews nothing before it knows whether it is dead, unless it
// cannot know.
func TestDoubt(t *testing.T) {
	t.Parallel()
	var sure atomic.Bool
	d := doubt{holds: sure.Load, patience: doubtPatience}
	now := time.Now()
	at := func(after time.Duration) bool { return d.passes(now.Add(after)) }
	waits := func(from time.Duration) {
		t.Helper()
		for after := from; after < from+doubtPatience; after += doubtStep {
			require.False(t, at(after))
			require.NotNil(t, d.next())
		}
		require.True(t, at(from+doubtPatience), "the ledger is away: nobody can have declared it dead")
	}
	sure.Store(true)
	require.True(t, at(0))
	require.Nil(t, d.next())
	sure.Store(false)
	waits(10 * time.Second)
	waits(time.Minute)
	sure.Store(true)
	require.True(t, at(2*time.Minute))
	sure.Store(false)
	require.False(t, at(2*time.Minute+doubtStep))
	d.holds = nil
	require.True(t, at(3*time.Minute))
}

// TestMarksAfterStandingStill: a node that stood still does not take the place of a call that
// another one went on with, and that has ended.
func TestMarksAfterStandingStill(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var sure atomic.Bool
		sure.Store(true)
		still := w.open(func(c *Config) { c.Holds = sure.Load })
		held, err := still.Reserve(ctx, "s", x1, "")
		require.NoError(t, err)
		require.True(t, held)
		sure.Store(false)
		w.Carry("s", x1, "")
		w.Release("s")
		free := func() bool { return w.rdb.Exists(ctx, busyKey(x1)).Val() == 0 }
		require.Eventually(t, free, 5*time.Second, 5*time.Millisecond)
		still.marks.renew() // as its tick does
		require.Never(t, func() bool { return !free() }, 500*time.Millisecond, 10*time.Millisecond)

		other, err := still.Reserve(ctx, "of the next life", x2, "")
		require.NoError(t, err)
		require.True(t, other)
		still.Yield("s")
		require.NoError(t, w.rdb.Del(ctx, busyKey(x2)).Err())
		sure.Store(true)
		require.Eventually(t, func() bool { return w.rdb.Exists(ctx, busyKey(x2)).Val() == 1 }, 5*time.Second, 5*time.Millisecond, "what is its own still, it renews once it knows")
		require.True(t, free())
	})
}

// TestMarksWithoutLedger: marks stay as long as it cannot be known whether others have them.
func TestMarksWithoutLedger(t *testing.T) {
	w := embedded(t)
	c := w.open(func(c *Config) { c.Holds, c.Lease = func() bool { return false }, time.Second })
	held, err := c.Reserve(ctx, "s", x1, "")
	require.NoError(t, err)
	require.True(t, held)
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		held, err := w.Reserve(ctx, "another", x1, "")
		require.NoError(t, err)
		require.False(t, held)
	}
}
