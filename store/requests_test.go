package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCounts: all nodes count together; a count ends with its span, and one
// that reached its limit stands for a span from then on.
func TestCounts(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		nodes := []*Cache{w.Cache, w.open()}
		highest := new(atomic.Int64)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for range 5 {
					c, err := nodes[i%2].CountRequest(ctx, "app", time.Minute)
					require.NoError(t, err)
					for n := highest.Load(); int64(c.N) > n && !highest.CompareAndSwap(n, int64(c.N)); n = highest.Load() {
					}
				}
			})
		}
		all.Wait()
		require.Equal(t, int64(40), highest.Load())
		c, err := w.CountRequest(ctx, "other", time.Minute)
		require.NoError(t, err)
		require.Equal(t, 1, c.N, "each app has its own")
		require.WithinDuration(t, time.Now().Add(time.Minute), c.Until, 30*time.Second)

		const span, limit = 500 * time.Millisecond, 3
		began := Count{}
		for want := 1; want <= limit; want++ {
			time.Sleep(10 * time.Millisecond)
			if c, err = nodes[want%2].CountFailure(ctx, "192.0.2.7", time.Hour, limit); want == 1 {
				began = c
			}
			require.NoError(t, err)
			require.Equal(t, want, c.N)
		}
		require.Greater(t, c.Until, began.Until, "it stands from the last one on")
		seen, err := w.Failures(ctx, "192.0.2.7", time.Hour)
		require.NoError(t, err)
		require.Equal(t, c, seen)
		again, err := w.CountFailure(ctx, "192.0.2.7", time.Hour, limit)
		require.NoError(t, err)
		require.Equal(t, c, again, "further failures change nothing")

		_, err = w.CountFailure(ctx, "192.0.2.8", span, 1)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			c, err := w.Failures(ctx, "192.0.2.8", span)
			return err == nil && c.N == 0
		}, 15*time.Second, 20*time.Millisecond, "its span ends")
	})
}

// TestNonces: each counts once per app, on whatever node, until its end.
func TestNonces(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.open()
		use := func(c *Cache, app, nonce string, d time.Duration) bool {
			fresh, err := c.UseNonce(ctx, app, nonce, d)
			require.NoError(t, err)
			return fresh
		}
		require.True(t, use(w.Cache, "app", "n", time.Hour))
		require.False(t, use(other, "app", "n", time.Hour))
		require.True(t, use(other, "app2", "n", time.Hour))
		require.True(t, use(w.Cache, "app", "short", time.Millisecond))
		require.Eventually(t, func() bool { return use(other, "app", "short", time.Millisecond) }, 15*time.Second, 20*time.Millisecond)
		_, err := w.UseNonce(ctx, "app", "late", 0)
		require.Error(t, err)
	})
}
