package lookup_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"axgate/ledger/ledgertest"
	"axgate/store/redistest"
)

// TestUpkeep: every X comes to the cache without a call, again after Redis was emptied or
// restarted, and one that missed a change is read anew.
func TestUpkeep(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	w := &world{t: t, ctx: t.Context(), redis: s, address: s.Addr, path: ledgertest.SQLite(t).Path, upkeep: 50 * time.Millisecond}
	w.begin()
	w.pair(anna, bert)
	ax := w.ax(anna)
	w.loaded(xAX, xAXB, xAXE, xAXYB)
	redistest.Await(t, "a round came to all X", func() bool { return w.router.Upkeep().X == 4 })
	require.Equal(t, bert, dials(w.decide("s1", xAXB, anna)))

	do := func(work func(*redis.Client) error) { require.NoError(t, w.redis.do(work)) }
	do(func(c *redis.Client) error { return c.FlushAll(context.Background()).Err() })
	w.loaded(xAX, xAXB, xAXE, xAXYB)
	w.redis.Kill()
	w.redis.Run()
	w.loaded(xAX, xAXB, xAXE, xAXYB)
	require.Zero(t, w.router.Upkeep().Repaired)

	// The cache has the state from before a change that it was not told of.
	numberAX := "axgate:{" + string(xAX) + "}"
	var before map[string]string
	do(func(c *redis.Client) (err error) {
		before, err = c.HGetAll(context.Background(), numberAX).Result()
		return err
	})
	_, err := w.ledger.Unbind(w.ctx, "AX", ax.ID, time.Now())
	require.NoError(t, err)
	require.Equal(t, anna, dials(w.decide("s2", xAX, carl)), "it has missed the change")
	w.router.Release("s2")
	require.NotEmpty(t, before["version"])
	redistest.Await(t, "X is read anew", func() bool { return w.router.Upkeep().Repaired == 1 })
	redistest.Await(t, "and loaded", func() bool { return dials(w.decide("s3", xAX, carl)) == "no_binding_ax" })
	require.Equal(t, 1, w.log.count("the cache has missed a change"))
}
