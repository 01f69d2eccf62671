package lookup_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"axgate/provision"
	"axgate/routing"
)

// TestAColdX: calls that come to an X of many bindings at once are right while
// nobody has loaded it, and it is loaded once for all of them.
func TestAColdX(t *testing.T) {
	w := newWorld(t)
	const pairs, calls = 1000, 40
	a := func(i int) string { return fmt.Sprintf("+86135%08d", i) }
	b := func(i int) string { return fmt.Sprintf("+86136%08d", i) }
	var lines []provision.BindingLine
	for i := range pairs {
		lines = append(lines, provision.BindingLine{Line: i + 1, X: string(xAXB), A: a(i), B: b(i)})
	}
	results, err := w.office.BindLines(w.ctx, "AXB", lines)
	require.NoError(t, err)
	trips := w.cost(func() {
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				d, err := w.router.Decide(w.ctx, asks(fmt.Sprint("s", i), xAXB, routing.Number(a(i))))
				require.NoError(t, err)
				require.Equal(t, b(i), dials(d))
			})
		}
		all.Wait()
		w.loaded(xAXB)
	})
	const load = 2*pairs/50 + 1 // entries of a part, and what completes it
	require.Less(t, trips, int64(calls+2*load), "one load")
	require.EqualValues(t, 1, w.cost(func() { require.Equal(t, b(0), dials(w.decide("s", xAXB, routing.Number(a(0))))) }))

	require.NoError(t, w.redis.do(func(c *redis.Client) error { return c.FlushAll(context.Background()).Err() }))
	require.Equal(t, b(7), dials(w.decide("s", xAXB, routing.Number(a(7)))))
	require.NoError(t, w.office.UnbindAXB(w.ctx, "AXB", results[7].SubscriptionID, "")) // while it is loaded
	for range 3 {
		require.Equal(t, "no_binding_axb", dials(w.decide("s", xAXB, routing.Number(a(7)))))
		require.Equal(t, b(8), dials(w.decide("s", xAXB, routing.Number(a(8)))))
		w.loaded(xAXB)
	}
}

// TestATicketRunsOut: an X whose load has waited for longer than its ticket lasts is loaded
// all the same, without another call.
func TestATicketRunsOut(t *testing.T) {
	w := newWorld(t)
	for app, line := range map[string]provision.BindingLine{
		"AX": {Line: 1, X: string(xAX), A: anna}, "AXE": {Line: 1, X: string(xAXE), A: anna, Ext: "0001"}, "AXB": {Line: 1, X: string(xAXB), A: anna, B: bert},
	} {
		results, err := w.office.BindLines(w.ctx, app, []provision.BindingLine{line})
		require.NoError(t, err)
		require.NotEmpty(t, results[0].SubscriptionID)
	}
	w.trips.takes.Store(int64(3 * time.Second)) // the third waits until its ticket is gone, however slow the machine is
	w.decide("1", xAX, carl)
	w.decide("2", xAXE, carl) // both loaders have one
	require.Equal(t, bert, dials(w.decide("3", xAXB, anna)))
	const expire = `return redis.call('HEXISTS', KEYS[1], 'load') == 0 and redis.call('DEL', KEYS[1])`
	require.NoError(t, w.redis.do(func(c *redis.Client) error {
		return c.Eval(w.ctx, expire, []string{"axgate:{" + string(xAXB) + "}"}).Err()
	}))
	w.trips.takes.Store(0)
	w.loaded(xAXB)
}
