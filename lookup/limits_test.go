package lookup_test

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/lookup"
	"axgate/lookup/usage"
	"axgate/routing"
	"axgate/store"
)

// limited is a further node with limits; stop ends it as if it died after its
// last round.
func (w *world) limited(node string, l routing.Limits) (r *lookup.Router, cost *trips, stop func()) {
	w.t.Helper()
	cost = &trips{}
	cache, err := store.Open(store.Config{Address: w.address, Node: node, Timeout: time.Second, Hooks: []redis.Hook{cost}, Log: zerolog.Nop()})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, cache.Close()) })
	cache.SetEpoch(w.cache.Epoch())
	r, err = lookup.New(w.ctx, lookup.Config{Ledger: w.ledger, Cache: cache, Plan: routing.ChinaPlan(), Node: node, Roster: inRoster(w.t, w.ledger, node), Log: zerolog.New(&w.log), Use: usage.Config{Limits: l}})
	require.NoError(w.t, err)
	ctx, end := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) })
	stop = sync.OnceFunc(func() { end(); done.Wait() })
	w.t.Cleanup(stop)
	return r, cost, stop
}

// TestLimitsOverNodes: two nodes count together within moments, at no cost in
// the call itself, and a node without Redis counts alone.
func TestLimitsOverNodes(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	l := routing.Limits{Account: routing.Limit{Calls: 3}, X: routing.Limit{Calls: 2, Talk: time.Hour}}
	one, cost, _ := w.limited("n2", l)
	two, _, _ := w.limited("n3", l)
	decide := func(r *lookup.Router, session string, x routing.X, caller routing.Number) string {
		d, err := r.Decide(w.ctx, asks(session, x, caller))
		require.NoError(t, err)
		return dials(d)
	}
	require.Equal(t, "no_binding_axb", decide(one, "s0", xAXB, dora))
	w.loaded(xAXB)
	before := cost.n.Load()
	require.Equal(t, bert, decide(one, "s1", xAXB, anna))
	require.LessOrEqual(t, cost.n.Load()-before, int64(2), "the decision, and perhaps a round meanwhile")
	require.Equal(t, bert, decide(two, "s2", xAXB, anna))
	for _, r := range []*lookup.Router{one, two} {
		require.Eventually(t, func() bool {
			defer r.Release("s3")
			return decide(r, "s3", xAXB, anna) == "x_calls"
		}, 15*time.Second, 50*time.Millisecond)
	}
	require.Positive(t, one.Used().Refused)
	w.ax(carl)
	require.Equal(t, carl, decide(one, "s4", xAX, dora))
	require.Equal(t, "account_calls", decide(one, "s5", xAXB, anna), "X's of other apps are the account's too")
	one.Release("s4")
	one.Release("s1")
	two.Release("s2")
	require.Eventually(t, func() bool { // both see that all is free again
		a, b := decide(one, "s6", xAXB, anna), decide(two, "s7", xAXB, anna)
		one.Release("s6")
		two.Release("s7")
		return a == bert && b == bert
	}, 15*time.Second, 50*time.Millisecond)

	w.redis.Kill()
	require.Equal(t, bert, decide(one, "a1", xAXB, anna))
	decide(one, "a2", xAXB, anna) // it may remember a call of the other node
	require.Equal(t, "x_calls", decide(one, "a3", xAXB, anna))
	require.Equal(t, bert, decide(two, "a4", xAXB, anna))
}

// TestTalkOutlivesItsNode: the talk of a day is not forgotten by a new start.
func TestTalkOutlivesItsNode(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	l := routing.Limits{Account: routing.Limit{Talk: time.Millisecond}}
	one, _, stop := w.limited("n2", l)
	d, err := one.Decide(w.ctx, asks("s1", xAXB, anna))
	require.NoError(t, err)
	require.NoError(t, one.Answered(w.ctx, asks("s1", xAXB, anna), d))
	require.Eventually(t, func() bool {
		d, err := one.Decide(w.ctx, asks("s2", xAXB, anna))
		return err == nil && d.End.Word == "minutes_spent"
	}, 15*time.Second, 5*time.Millisecond)
	one.Release("s1")
	stop()
	again, _, _ := w.limited("n2", l)
	require.Eventually(t, func() bool {
		defer again.Release("s3")
		d, err := again.Decide(w.ctx, asks("s3", xAXB, anna))
		return err == nil && d.End.Word == "minutes_spent"
	}, 15*time.Second, 50*time.Millisecond)
}

// TestAskedCallsCount: in X mode the call counts once the app's server has named
// a callee, and never if its caller is gone by then.
func TestAskedCallsCount(t *testing.T) {
	a := newAsking(t, nil)
	a.router, _, _ = a.limited("n2", routing.Limits{Account: routing.Limit{Calls: 1}})
	a.says(connects(bert))
	d, first, err := a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, bert, dials(d))
	d, second, err := a.call(t.Context(), carl)
	require.NoError(t, err)
	require.Equal(t, "account_calls", dials(d))
	a.router.Release(second)
	a.router.Release(first)

	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, connects(bert))
			go cancel()
		})
		a.answer.Store(&slow)
		_, session, err := a.call(ctx, anna)
		cancel()
		a.router.Release(session)
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
	}
	a.says(connects(bert))
	d, _, err = a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, bert, dials(d), "nothing was left behind")
}
