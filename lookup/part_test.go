package lookup

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/roster"
	"axgate/routing"
	"axgate/store"
	"axgate/store/redistest"
)

// TestParts: every X is in the part of one node, parts are much alike, and a node that is not
// known to be alive leaves nothing to others.
func TestParts(t *testing.T) {
	alive := []string{"n1", "n2", "n3"}
	held := map[string]int{}
	for i := range 3000 {
		x := routing.X(fmt.Sprintf("+8617010%06d", i))
		owners := 0
		for _, node := range alive {
			if partOf(alive, node).has(x) {
				held[node]++
				owners++
			}
		}
		require.Equal(t, 1, owners, x)
		require.True(t, partOf(alive, "n4").has(x))
		require.True(t, partOf(nil, "n1").has(x))
	}
	for _, node := range alive {
		require.InDelta(t, 1000, held[node], 100, node)
	}
}

// TestUpkeepLoadsItsPartFirst: what another node is to load comes after what is this one's, and
// comes, though the other one does nothing.
func TestUpkeepLoadsItsPartFirst(t *testing.T) {
	ctx, at := t.Context(), time.Now()
	l, err := ledger.Open(ctx, ledgertest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	c, err := store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Node: "n1", Timeout: 5 * time.Second, Registry: NewRegistry(l, "n1", nil)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, c.Ping(ctx))
	require.NoError(t, l.EnsureAccount(ctx, ledger.Account{SP: "demo", MaxApps: 1}, at))
	_, err = l.CreateApp(ctx, ledger.App{App: routing.App{Key: "app", SP: "demo", Mode: routing.AXB}, Signing: ledger.SignAKSK, Created: at})
	require.NoError(t, err)
	var own, others []routing.X
	for i := range 60 {
		x := routing.X(fmt.Sprintf("+8617010%06d", i))
		_, err = l.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "app"}}, at)
		require.NoError(t, err)
		if partOf([]string{"n1", "n2"}, "n1").has(x) {
			own = append(own, x)
		} else {
			others = append(others, x)
		}
	}
	var done sync.WaitGroup
	running, stop := context.WithCancel(context.Background())
	t.Cleanup(func() { stop(); done.Wait() })
	join := func(node string) *roster.Roster {
		r, err := roster.Join(ctx, roster.Config{Ledger: l, Node: node, Home: node, Log: zerolog.Nop()})
		require.NoError(t, err)
		done.Go(func() { r.Run(running) })
		return r
	}
	join("n2")
	r, err := New(ctx, Config{Ledger: l, Cache: c, Plan: routing.ChinaPlan(), Node: "n1", Roster: join("n1"), Log: zerolog.Nop(), Upkeep: time.Hour})
	require.NoError(t, err)
	done.Go(func() { r.Run(running) })

	loaded := func(xs []routing.X) (n int) {
		held, err := c.Holdings(ctx, xs, time.Now())
		require.NoError(t, err)
		for _, h := range held {
			if h.Loaded {
				n++
			}
		}
		return n
	}
	redistest.Await(t, "all are loaded", func() bool {
		of := loaded(others) // before its own: what is there stays there
		if of > 0 {
			require.Equal(t, len(own), loaded(own), "%d of the others' are there", of)
		}
		return of == len(others)
	})
	require.EqualValues(t, 60, r.Upkeep().Loaded)
}
