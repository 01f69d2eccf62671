package lookup_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"axgate/ledger/ledgertest"
	"axgate/routing"
	"axgate/store"
	"axgate/store/redistest"
)

// TestAPausedRedis: calls that come while it stands still wait for one command at most,
// later ones for none, all are answered, and when it goes on it is used again.
func TestAPausedRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pair(anna, bert)
	require.Equal(t, bert, dials(w.decide("s", xAXB, anna)))
	w.loaded(xAXB)
	w.redis.Stop()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			d, err := w.router.Decide(w.ctx, asks(fmt.Sprint("p", i), xAXB, anna))
			if err != nil || dials(d) != bert {
				t.Errorf("%v %s", err, dials(d))
			}
		})
	}
	all.Wait()
	before := w.trips.n.Load()
	for range 200 {
		require.Equal(t, bert, dials(w.decide("q", xAXB, anna)))
	}
	require.Less(t, w.trips.n.Load()-before, int64(100), "probes ask it, and no call")
	require.Equal(t, 1, w.log.count(away))
	w.redis.Continue()
	w.answers()
	w.costsOne(func() { require.Equal(t, bert, dials(w.decide("r", xAXB, anna))) })
}

// costsOne waits until work is one trip: a probe from before may still be on its way.
func (w *world) costsOne(work func()) {
	w.t.Helper()
	redistest.Await(w.t, "one trip", func() bool { return w.cost(work) == 1 })
}

// TestASlowRedis: one that answers, later than the ledger would, is left alone until it
// is quicker.
func TestASlowRedis(t *testing.T) {
	t.Parallel()
	const late, takes = "the cache does not answer in time", 2200 * time.Millisecond
	s := startRedis(t)
	// More than half of the limit, and far from it: a command that a busy machine holds up does not fail.
	w := &world{t: t, ctx: t.Context(), redis: s, address: s.Addr, path: ledgertest.SQLite(t).Path, timeout: 4 * time.Second}
	w.begin()
	w.pair(anna, bert)
	require.Equal(t, bert, dials(w.decide("s", xAXB, anna)))
	w.loaded(xAXB)
	w.trips.slow.Store(int64(takes))
	for range 5 {
		require.Zero(t, w.log.count(late))
		require.Equal(t, bert, dials(w.decide("s", xAXB, anna)))
	}
	require.Equal(t, 1, w.log.count(late))
	begun := time.Now()
	for range 20 {
		require.Equal(t, bert, dials(w.decide("s", xAXB, anna)))
	}
	require.Less(t, time.Since(begun), 20*takes/2)
	require.Equal(t, 0, w.log.count(back))
	w.trips.slow.Store(0)
	w.answers()
	w.costsOne(func() { w.decide("r", xAXB, anna) })
}

// TestOneServerOfAClusterIsAway: the others are asked as before.
func TestOneServerOfAClusterIsAway(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 0)
	for _, s := range cluster.Masters {
		s.Ask("config", "set", "cluster-require-full-coverage", "no")
	}
	h := &trips{}
	f := fleetOn(t, func(c *store.Config) { c.Cluster, c.Hooks = cluster.Addresses(), append(c.Hooks, h) })
	router := f.peers[0].router
	at := func(x routing.X) *redistest.Server { return cluster.Holder(cluster.Slot("axgate:{" + string(x) + "}")) }
	there := map[bool]routing.X{}
	dead := cluster.Masters[0]
	for i := range 30 {
		x := routing.X(fmt.Sprintf("+8617010%06d", i+1))
		there[at(x) == dead] = x
	}
	for _, x := range there {
		f.number(x, routing.AXB)
		redistest.Await(t, "it is loaded", func() bool {
			_, err := router.Peek(f.ctx, asks("s", x, anna))
			return err == nil
		})
	}
	dead.Kill()
	ask := func(x routing.X) int64 {
		before := h.n.Load()
		d, err := router.Decide(f.ctx, asks("s", x, anna))
		require.NoError(t, err)
		require.Equal(t, "no_binding_axb", dials(d))
		return h.n.Load() - before
	}
	ask(there[true])
	begun := time.Now()
	for range 50 {
		ask(there[true])
	}
	require.Less(t, time.Since(begun), 50*100*time.Millisecond)
	redistest.Await(t, "the others are asked", func() bool { return ask(there[false]) >= 1 })
}

var _ redis.Hook = (*trips)(nil)
