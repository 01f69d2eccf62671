package lookup_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// related binds an A with some B; the numbers are chosen.
func (w *world) related(a string, bs ...string) (part routing.Binding, all []routing.Binding) {
	w.t.Helper()
	for i := range len(bs) + 1 {
		x := routing.X(fmt.Sprintf("+861701000010%d", i))
		_, err := w.office.AddNumber(w.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "AXYB", AreaCode: "0755"}})
		require.NoError(w.t, err)
	}
	part, err := w.office.BindAXYB(w.ctx, "AXYB", provision.BindAXYB{OrigNum: a, Area: provision.Area{AreaCode: "0755"}})
	require.NoError(w.t, err)
	for _, b := range bs {
		r, err := w.office.BindYB(w.ctx, "AXYB", provision.BindYB{SubscriptionID: part.ID, OrigNum: b})
		require.NoError(w.t, err)
		all = append(all, r)
	}
	return part, all
}

// TestAXYBTrips: a call to X or to Y needs one round trip, of the keys of the
// number that was dialled alone, and holds no place.
func TestAXYBTrips(t *testing.T) {
	w := newWorld(t)
	part, rs := w.related(anna, bert, carl)
	y := rs[0].Y
	for _, x := range []routing.X{part.X, y} {
		w.decide("warm", x, dora)
	}
	w.loaded(part.X, y)
	both := func(callsY, callsX string) {
		t.Helper()
		var d routing.Decision
		require.EqualValues(t, 1, w.cost(func() { d = w.decide(callsY, y, anna) }))
		require.Equal(t, []any{bert, part.X, routing.FromA}, []any{dials(d), d.Shown, d.Direction})
		require.EqualValues(t, 1, w.cost(func() { d = w.decide(callsX, part.X, bert) }))
		require.Equal(t, []any{anna, y, routing.ToA}, []any{dials(d), d.Shown, d.Direction})
		require.Equal(t, part.ID, d.Binding.Subscription())
	}
	both("s1", "s2")
	both("s3", "s4") // while those talk
	require.EqualValues(t, 1, w.cost(func() { require.Equal(t, "own_number", dials(w.decide("s5", part.X, anna))) }))
	require.EqualValues(t, 1, w.cost(func() { require.Equal(t, "no_binding_axyb", dials(w.decide("s6", y, bert))) }))
}

// TestAXYBWithoutRedis: the ledger says the same, and what is unbound meanwhile
// is not routed when Redis is back with yesterday's keys.
func TestAXYBWithoutRedis(t *testing.T) {
	w := newWorld(t)
	part, rs := w.related(anna, bert, carl)
	calls := func(session string) (all []string) {
		for _, c := range []struct {
			x    routing.X
			from routing.Number
		}{{rs[0].Y, anna}, {part.X, bert}, {part.X, anna}, {part.X, carl}, {rs[1].Y, anna}, {rs[0].Y, bert}, {part.X, ""}} {
			d := w.decide(session, c.x, c.from)
			all = append(all, dials(d)+" "+string(d.Shown))
		}
		return all
	}
	before := calls("before")
	require.Equal(t, bert+" "+string(part.X), before[0])
	w.loaded(part.X, rs[0].Y, rs[1].Y)
	w.redis.Ask("save")
	w.redis.Kill()
	require.Equal(t, before, calls("during"))
	require.NoError(t, w.office.UnbindAXYB(w.ctx, "AXYB", provision.AXYB{SubscriptionID: part.ID, BNum: bert}))
	during := calls("after")
	require.Equal(t, []string{"no_binding_axyb ", "no_binding_axyb "}, during[:2])
	require.Equal(t, before[2:5], during[2:5])
	w.redis.Run()
	w.answers()
	require.Equal(t, during, calls("back"))
}
