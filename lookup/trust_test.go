package lookup

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
	"axgate/store"
)

// TestASilentNodeDoesNotBelieve: others do not wait for a node that the ledger
// has not heard of for a while when they make the cache void, so it may not go
// by the cache then.
func TestASilentNodeDoesNotBelieve(t *testing.T) {
	ctx, at := t.Context(), time.Now()
	l, err := ledger.Open(ctx, ledgertest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	c, err := store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Node: "n1", Timeout: 5 * time.Second,
		Registry: NewRegistry(l, "n1")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, c.Ping(ctx))
	require.NoError(t, l.EnsureAccount(ctx, ledger.Account{SP: "demo", MaxApps: 1}, at))
	_, err = l.CreateApp(ctx, ledger.App{App: routing.App{Key: "app", SP: "demo", Mode: routing.AXB}, Signing: ledger.SignAKSK, Created: at})
	require.NoError(t, err)
	const x, anna, bert = "+8617010000001", "+8613800000001", "+8613800000002"
	_, err = l.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "app"}}, at)
	require.NoError(t, err)
	b, _, err := l.Bind(ctx, routing.Binding{App: "app", Mode: routing.AXB, X: x, A: anna, B: bert, CreatedAt: at})
	require.NoError(t, err)

	r, err := New(ctx, Config{Ledger: l, Cache: c, Plan: routing.ChinaPlan(), Node: "n1"})
	require.NoError(t, err)
	behind, err := l.Behind(ctx, math.MaxInt64, at.Add(-time.Second))
	require.NoError(t, err)
	require.Equal(t, []string{"n1"}, behind, "the ledger has heard of the node before its first call")
	ask := func() routing.Step {
		d, err := r.Peek(ctx, routing.Question{Session: "s", X: x, Caller: anna, At: time.Now()})
		require.NoError(t, err)
		return d.Step
	}
	require.Equal(t, routing.Dial, ask())
	_, err = l.Unbind(ctx, "app", b.ID, at)
	require.NoError(t, err)
	require.Equal(t, routing.Dial, ask(), "the cache was not told, and is believed")
	r.trusted.Store(time.Now().Add(-trust).UnixMicro())
	require.Equal(t, routing.Refuse, ask(), "the node is silent: the ledger alone is believed")
	require.NoError(t, r.follow(ctx))
	require.Equal(t, routing.Dial, ask())

	r.heard.Store(time.Now().Add(-trust).UnixMicro())
	require.NoError(t, r.follow(ctx))
	_, err = l.RaiseEpoch(ctx, "nobody waits for a silent node")
	require.NoError(t, err)
	require.NoError(t, r.beat(ctx))
	require.Equal(t, routing.Refuse, ask(), "the epoch was read before the ledger heard of the node again")
	require.NoError(t, r.follow(ctx))
	require.Equal(t, routing.Refuse, ask(), "the cache is void")
}
