package lookup

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/roster"
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
	still := &stop{}
	c, err := store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Node: "n1", Timeout: 5 * time.Second,
		Registry: NewRegistry(l, "n1", nil), Hooks: []redis.Hook{still}})
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

	nodes, err := roster.Join(ctx, roster.Config{Ledger: l, Node: "n1"})
	require.NoError(t, err)
	beats := &heard{Roster: nodes}
	r, err := New(ctx, Config{Ledger: l, Cache: c, Plan: routing.ChinaPlan(), Node: "n1", Roster: beats})
	require.NoError(t, err)
	behind, err := l.Behind(ctx, math.MaxInt64, time.Minute)
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
	r.trusted.Store(ago(trust))
	require.Equal(t, routing.Refuse, ask(), "the node is silent: the ledger alone is believed")
	require.NoError(t, r.follow(ctx))
	require.Equal(t, routing.Dial, ask())
	still.after = func() { r.trusted.Store(ago(trust)) }
	require.Equal(t, routing.Refuse, ask(), "the node stood still before it had the answer")
	still.after = nil
	require.NoError(t, r.follow(ctx))
	require.Equal(t, routing.Dial, ask())

	beats.at = ago(trust)
	require.NoError(t, r.follow(ctx))
	beats.at = nil
	_, err = l.RaiseEpoch(ctx, "nobody waits for a silent node")
	require.NoError(t, err)
	require.NoError(t, nodes.Beat(ctx))
	require.Equal(t, routing.Refuse, ask(), "the epoch was read before the ledger heard of the node again")
	require.NoError(t, r.follow(ctx))
	require.Equal(t, routing.Refuse, ask(), "the cache is void")
}

// ago is an instant so long ago.
func ago(d time.Duration) *roster.Instant {
	i := roster.Ago(d)
	return &i
}

// heard is a roster of which the ledger may have heard a while ago.
type heard struct {
	Roster
	at *roster.Instant // nil: as it is
}

func (h *heard) Heard() *roster.Instant {
	if h.at != nil {
		return h.at
	}
	return h.Roster.Heard()
}

// stop stands still once, after Redis has answered.
type stop struct{ after func() }

func (s *stop) DialHook(next redis.DialHook) redis.DialHook { return next }
func (s *stop) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (s *stop) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if s.after != nil && cmd.Name() == "evalsha" {
			s.after()
		}
		return err
	}
}
