package lookup_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/lookup"
	"axgate/provision"
	"axgate/routing"
	"axgate/store"
	"axgate/store/redistest"
)

// fleetOn is a fleet on Redis servers that change.
func fleetOn(t *testing.T, change func(*store.Config)) *fleet {
	f := &fleet{t: t, ctx: t.Context(), began: time.Now()}
	var err error
	f.ledger, err = ledger.Open(f.ctx, ledgertest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.ledger.Close()) })
	ctx, stop := context.WithCancel(context.Background())
	for _, node := range []string{"n1", "n2"} {
		cfg := store.Config{Node: node, Timeout: 300 * time.Millisecond, Log: zerolog.Nop(), Registry: lookup.NewRegistry(f.ledger, node, nil)}
		change(&cfg)
		cache, err := store.Open(cfg)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, cache.Close()) })
		require.NoError(t, cache.Ping(f.ctx))
		office, err := provision.New(provision.Config{Ledger: f.ledger, Cache: cache, Plan: routing.ChinaPlan(), Node: node, Now: f.now, Log: zerolog.Nop()})
		require.NoError(t, err)
		router, err := lookup.New(f.ctx, lookup.Config{Ledger: f.ledger, Cache: cache, Plan: routing.ChinaPlan(), Node: node, Roster: inRoster(t, f.ledger, node), Log: zerolog.Nop()})
		require.NoError(t, err)
		f.running.Go(func() { router.Run(ctx) })
		f.peers = append(f.peers, peer{office, router})
		f.caches = append(f.caches, cache)
	}
	t.Cleanup(func() { stop(); f.running.Wait() })
	office := f.peers[0].office
	require.NoError(t, office.EnsureAccount(f.ctx, ledger.Account{SP: "demo"}))
	for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE} {
		_, err := office.CreateApp(f.ctx, ledger.App{App: routing.App{Key: string(mode), SP: "demo", Mode: mode, ExtDigits: 4}})
		require.NoError(t, err)
	}
	return f
}

// under has owners change their bindings, and calls come on both nodes, while something
// happens to Redis; then every call is judged.
func (f *fleet) under(happens func()) {
	t := f.t
	rng := seeded(t)
	var owners []*owner
	numbers := 0
	for mode, shape := range map[routing.Mode]struct{ numbers, owners int }{routing.AX: {8, 1}, routing.AXB: {4, 2}, routing.AXE: {4, 2}} {
		for range shape.numbers {
			numbers++
			x := routing.X(fmt.Sprintf("+8617010%06d", numbers))
			f.number(x, mode)
			for range shape.owners {
				owners = append(owners, newOwner(f, mode, x, len(owners), rng))
			}
		}
	}
	done := make(chan struct{})
	again := func(do func()) func() {
		return func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond): // half of the machine is Redis's
					do()
				}
			}
		}
	}
	var all sync.WaitGroup
	for _, o := range owners {
		all.Go(again(o.change))
	}
	calls := make([][]call, 4)
	for i := range calls {
		mine := rand.New(rand.NewPCG(rng.Uint64(), 0))
		all.Go(again(func() { calls[i] = append(calls[i], place(f, owners[mine.IntN(len(owners))], mine)) }))
	}
	happens()
	close(done)
	all.Wait()
	judge(t, slices.Concat(calls...), owners)
	for _, p := range f.peers {
		report, err := p.office.Verify(f.ctx, false)
		require.NoError(t, err)
		require.Zero(t, report.Differ, "%+v", report.Differences)
	}
}

// used waits until the caches of both nodes are used again.
func (f *fleet) used(xs ...routing.X) {
	f.t.Helper()
	for _, c := range f.caches {
		for _, x := range xs {
			redistest.Await(f.t, "the cache is used again", func() bool { return c.Probe(f.ctx, x) == nil })
		}
	}
}

// TestSentinelsFailOver: masters are killed, stand still and are changed by hand, one
// after the other, under calls and changes.
func TestSentinelsFailOver(t *testing.T) {
	t.Parallel()
	set := redistest.StartSet(t, 2)
	f := fleetOn(t, func(c *store.Config) {
		c.Sentinel = store.Sentinel{Addresses: set.Sentinels, Master: set.Name}
	})
	f.under(func() {
		time.Sleep(300 * time.Millisecond)
		var first, second *redistest.Server
		redistest.Await(t, "the Sentinels agree", func() bool { first = set.Master(); return first != nil })
		first.Kill()
		redistest.Await(t, "a replica has taken over", func() bool { second = set.Master(); return second != nil })
		f.used("+8617010000001")
		first.Run()
		set.Settle(2)
		second.Stop()
		redistest.Await(t, "another has taken over", func() bool { m := set.Master(); return m != nil && m != second })
		f.used("+8617010000001")
		second.Continue()
		time.Sleep(300 * time.Millisecond)
	})
}

// TestClusterFailsOver: slots move, a master is killed and its replica takes over, all is
// flushed, under calls and changes.
func TestClusterFailsOver(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 1)
	f := fleetOn(t, func(c *store.Config) { c.Cluster = cluster.Addresses() })
	f.under(func() {
		var slots []int
		for i := range 6 {
			slots = append(slots, cluster.Slot(fmt.Sprintf("axgate:{+8617010%06d}", i+1)))
		}
		for _, slot := range slots {
			from := cluster.Holder(slot)
			to := cluster.Masters[(slices.Index(cluster.Masters, from)+1)%3]
			cluster.Move(slot, from, to, func() { time.Sleep(5 * time.Millisecond) })
		}
		first := cluster.Masters[0]
		held := cluster.Slot("axgate:{a}")
		for i := 0; cluster.Holder(held) != first; i++ {
			held = cluster.Slot(fmt.Sprintf("axgate:{%d}", i))
		}
		first.Kill()
		redistest.Await(t, "the replica has taken over", func() bool { return cluster.Holder(held) == cluster.Replicas[0] })
		for i := range 16 {
			f.used(routing.X(fmt.Sprintf("+8617010%06d", i+1)))
		}
		for _, s := range append(cluster.Masters[1:], cluster.Replicas...) {
			s.Ask("flushall")
		}
		time.Sleep(300 * time.Millisecond)
	})
}
