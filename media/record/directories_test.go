package record

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDirectoriesShareASync: what comes after a silence is synced at once; a crowd shares a sync that
// began after each of it came; each directory has its own, and a failure is told to all.
func TestDirectoriesShareASync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var syncs, begun atomic.Int64
		broken := errors.New("broken")
		d := newDirectories()
		d.sync = func(dir string) error {
			begun.Add(1)
			time.Sleep(time.Millisecond)
			syncs.Add(1)
			if dir == "bad" {
				return broken
			}
			return nil
		}
		time.Sleep(time.Second)
		at := time.Now()
		require.NoError(t, d.keep("a"))
		require.Equal(t, time.Millisecond, time.Since(at), "alone")

		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				before := begun.Load()
				at := time.Now()
				assert.NoError(t, d.keep("a"))
				assert.Greater(t, syncs.Load(), before, "one that began later has ended")
				assert.LessOrEqual(t, time.Since(at), company+2*time.Millisecond)
			})
		}
		all.Wait()
		require.InDelta(t, 20, syncs.Load(), 2)

		for range 10 {
			all.Go(func() { assert.ErrorIs(t, d.keep("bad"), broken) })
			all.Go(func() { assert.NoError(t, d.keep("good")) })
		}
		all.Wait()
		require.InDelta(t, 22, syncs.Load(), 2)
		require.Empty(t, d.next)
	})
}
