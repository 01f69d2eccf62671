package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/store/redistest"
)

// openOn opens a cache on any kind of Redis.
func openOn(t *testing.T, change func(*Config)) *Cache {
	t.Helper()
	cfg := Config{Node: "n1", Timeout: 2 * time.Second, Log: zerolog.Nop()}
	change(&cfg)
	c, err := Open(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func onSet(set *redistest.Set, r Registry) func(*Config) {
	return func(cfg *Config) {
		cfg.Sentinel, cfg.Registry = Sentinel{Addresses: set.Sentinels, Master: set.Name}, r
	}
}

func bring(t *testing.T, c *Cache, d routing.Dossier) {
	t.Helper()
	_, ticket, err := c.Peek(ctx, asks("load", d.Number.X, ""))
	require.NoError(t, err)
	require.True(t, ticket.Miss())
	require.NoError(t, c.Fill(ctx, ticket, d))
	_, ticket, err = c.Peek(ctx, asks("load", d.Number.X, ""))
	require.NoError(t, err)
	require.False(t, ticket.Miss())
}

// TestAReplicaThatLags: what was acknowledged and did not reach the replica that took
// over does not come back with it.
func TestAReplicaThatLags(t *testing.T) {
	t.Parallel()
	set := redistest.StartSet(t, 1)
	c := openOn(t, onSet(set, newAlone()))
	require.NoError(t, c.Ping(ctx))
	p := pair("p1", anna, bert, 1)
	bring(t, c, routing.Dossier{Number: number(x1, routing.AXB, 1, 1), Bindings: []routing.Binding{p}})
	master, replica := set.Servers[0], set.Servers[1]
	redistest.Await(t, "the replica has the pair", func() bool { return replica.Ask("exists", ofNumberKey(x1, anna)) == int64(1) })

	replica.Stop()
	master.Ask("client", "kill", "type", "replica")
	require.NoError(t, c.DropBinding(ctx, number(x1, routing.AXB, 2, 0), p, 2))
	master.Kill()
	replica.Continue()
	redistest.Await(t, "the replica has taken over", func() bool { return set.Master() == replica })
	require.Equal(t, int64(1), replica.Ask("exists", ofNumberKey(x1, anna)), "it lacks the unbind")
	require.Equal(t, "p1", replica.Ask("hget", ofNumberKey(x1, anna), "id"))
	answered := false
	redistest.Await(t, "it is used", func() bool {
		f, ticket, err := c.Peek(ctx, asks("s", x1, anna))
		require.True(t, err != nil || ticket.Miss(), "%+v", f)
		answered = answered || err == nil
		return err == nil
	})
	require.True(t, answered)
	bring(t, c, routing.Dossier{Number: number(x1, routing.AXB, 2, 0)})
	require.Nil(t, (&world{tester: t, Cache: c}).must(asks("s", x1, anna)).ByCaller)
}

// TestTheMasterOfYesterday: a master that stood still while another took its place
// answers as before for a moment when it goes on. Nobody who still asks it goes by that,
// nor is a change acknowledged that it alone was told of.
func TestTheMasterOfYesterday(t *testing.T) {
	t.Parallel()
	set := redistest.StartSet(t, 1)
	r := newAlone()
	c := openOn(t, onSet(set, r))
	master := set.Servers[0]
	late := openOn(t, func(cfg *Config) { cfg.Address, cfg.Registry = master.Addr, r })
	require.NoError(t, c.Ping(ctx))
	require.NoError(t, late.Ping(ctx))
	p := pair("p1", anna, bert, 1)
	bring(t, c, routing.Dossier{Number: number(x1, routing.AXB, 1, 1), Bindings: []routing.Binding{p}})
	require.NotNil(t, (&world{tester: t, Cache: late}).must(asks("s", x1, anna)).ByCaller)

	before, err := r.View(ctx)
	require.NoError(t, err)
	master.Stop()
	redistest.Await(t, "another one has taken over and is used", func() bool {
		_, _, err := c.Peek(ctx, asks("s", x1, anna))
		return err == nil
	})
	require.NoError(t, c.DropBinding(ctx, number(x1, routing.AXB, 2, 0), p, 2))
	v, err := r.View(ctx)
	require.NoError(t, err)
	// The Sentinels would make it a replica soon: a server beside it stays what it was.
	for _, s := range set.Watchers() {
		s.Ask("sentinel", "remove", set.Name)
	}
	master.Continue()
	redistest.Await(t, "it answers", func() bool { return master.IsMaster() })
	require.Equal(t, "p1", master.Ask("hget", ofNumberKey(x1, anna), "id"), "the old state is there")
	late.SetView(v)
	_, _, err = late.Peek(ctx, asks("s", x1, anna))
	require.ErrorIs(t, err, ErrNotBelieved)

	// Who has not heard yet tells it of a change, and the ledger knows better.
	deaf := openOn(t, func(cfg *Config) { cfg.Address, cfg.Registry = master.Addr, r })
	deaf.SetView(before)
	require.NotNil(t, (&world{tester: t, Cache: deaf}).must(asks("s", x1, anna)).ByCaller)
	require.ErrorIs(t, deaf.DropBinding(ctx, number(x1, routing.AXB, 3, 0), p, 3), ErrNotBelieved)
}

// TestCluster: a cache that is spread over three servers.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 0)
	h := &trips{}
	c := openOn(t, func(cfg *Config) { cfg.Cluster, cfg.Hooks = cluster.Addresses()[:1], append(cfg.Hooks, h) })
	require.NoError(t, c.Ping(ctx))
	require.Len(t, c.view.Load().Servers, 3)
	var xs []routing.X
	for i := range 60 {
		xs = append(xs, routing.X(fmt.Sprintf("+8617010%06d", i)))
	}
	load := func(x routing.X) {
		p := pair("p"+string(x), anna, bert, 1)
		p.X = x
		bring(t, c, routing.Dossier{Number: number(x, routing.AXB, 1, 1), Bindings: []routing.Binding{p}})
	}
	t.Run("decisions", func(t *testing.T) {
		for _, x := range xs {
			load(x)
			before := h.n.Load()
			require.Equal(t, "p"+string(x), (&world{tester: t, Cache: c}).must(asks("s", x, anna)).ByCaller.ID)
			require.EqualValues(t, 1, h.n.Load()-before, "round trips")
		}
		for _, s := range cluster.Masters {
			require.Greater(t, s.Ask("dbsize").(int64), int64(10), "each has a share")
		}
	})
	t.Run("all masters are gone through", func(t *testing.T) {
		seen := map[routing.X]int{}
		require.NoError(t, c.Scan(ctx, func(k Key) error { seen[k.X]++; return nil }))
		require.Len(t, seen, len(xs))
		for x, n := range seen {
			require.Equal(t, 3, n, "%s and both of its numbers", x)
		}
	})
	t.Run("marks on many servers", func(t *testing.T) {
		for i, x := range xs {
			held, err := c.Reserve(ctx, fmt.Sprint("s", i), x, "")
			require.NoError(t, err)
			require.True(t, held)
		}
		for _, s := range cluster.Masters {
			s.Ask("script", "flush")
		}
		for i := range xs {
			c.Release(fmt.Sprint("s", i))
		}
		redistest.Await(t, "no mark is left", func() bool {
			for _, x := range xs {
				if c.rdb.HLen(ctx, busyKey(x)).Val() != 0 {
					return false
				}
			}
			return true
		})
	})
	t.Run("many are forgotten at once", func(t *testing.T) {
		require.NoError(t, c.ForgetAll(ctx, xs))
		for _, x := range xs {
			_, ticket, err := c.Peek(ctx, asks("s", x, anna))
			require.NoError(t, err)
			require.True(t, ticket.Miss())
			load2 := ticket
			require.ErrorIs(t, c.Fill(ctx, Ticket{"another", load2.epoch}, routing.Dossier{Number: number(x, routing.AXB, 1, 0)}), ErrStale)
		}
	})
	t.Run("a slot moves", func(t *testing.T) { moves(t, cluster, c) })
	t.Run("all is flushed", func(t *testing.T) {
		load(xs[1])
		for _, s := range cluster.Masters {
			s.Ask("flushall")
		}
		_, ticket, err := c.Peek(ctx, asks("s", xs[1], anna))
		require.NoError(t, err)
		require.True(t, ticket.Miss())
	})
}

// moves has the slot of an X moved, key by key: at each step a call finds the truth, or
// is told to ask the ledger, and X can be forgotten.
func moves(t *testing.T, cluster *redistest.Cluster, c *Cache) {
	const x = routing.X("+8617099999999")
	p := pair("p1", anna, bert, 1)
	p.X = x
	d := routing.Dossier{Number: number(x, routing.AXB, 1, 1), Bindings: []routing.Binding{p}}
	bring(t, c, d)
	at := cluster.Slot(numberKey(x))
	from := cluster.Holder(at)
	to := cluster.Masters[0]
	if to == from {
		to = cluster.Masters[1]
	}
	steps, hits, waits := 0, 0, 0
	cluster.Move(at, from, to, func() {
		steps++
		f, ticket, err := c.Peek(ctx, asks("s", x, anna))
		switch {
		case errors.Is(err, ErrMoving):
			waits++
		case err == nil && !ticket.Miss():
			hits++
			require.Equal(t, "p1", f.ByCaller.ID)
		default:
			require.NoError(t, err)
		}
		if steps == 2 {
			require.NoError(t, c.Forget(ctx, x))
		}
	})
	require.Equal(t, 4, steps, "one before, and one for each key")
	require.Positive(t, waits)
	redistest.Await(t, "it has moved", func() bool { return cluster.Holder(at) == to })
	_, ticket, err := c.Peek(ctx, asks("s", x, anna))
	require.NoError(t, err)
	require.True(t, ticket.Miss(), "on another server X is loaded anew")
	require.NoError(t, c.Fill(ctx, ticket, d))
	require.NotNil(t, (&world{tester: t, Cache: c}).must(asks("s", x, anna)).ByCaller)
}

// TestALoadThatWasBegunElsewhere: of a load that a replica took over in the middle, or a
// slot in the middle of which moved, something may be missing.
func TestALoadThatWasBegunElsewhere(t *testing.T) {
	w := real(t)
	ticket := w.misses(asks("s", x1, anna))
	require.NoError(t, w.client().HSet(ctx, numberKey(x1), "ticket_term", "another").Err())
	d := routing.Dossier{Number: number(x1, routing.AXB, 1, 1), Bindings: []routing.Binding{pair("p1", anna, bert, 1)}}
	require.ErrorIs(t, w.Fill(ctx, ticket, d), ErrStale)
	again := w.misses(asks("s", x1, anna))
	require.NotEqual(t, ticket, again)
	require.NoError(t, w.Fill(ctx, again, d))
	require.NotNil(t, w.must(asks("s", x1, anna)).ByCaller)
	require.NoError(t, w.client().HSet(ctx, numberKey(x1), "term", "another").Err())
	w.misses(asks("s", x1, anna))
}
