package provision_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// TestVerify finds what the cache does not know, what it alone knows, and what
// it knows otherwise, and repairs it.
func TestVerify(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	gone, err := o.BindAXB(o.ctx, "app", pairOn(x1))
	require.NoError(t, err)
	changed, err := o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: carl, CalleeNum: dora, RelationNum: x2})
	require.NoError(t, err)
	for _, x := range []routing.X{x1, x2, x3} {
		o.facts(x, anna) // loads X
	}
	r, err := o.Verify(o.ctx, false)
	require.NoError(t, err)
	require.Equal(t, []int{5, 3, 0}, []int{r.Numbers, r.Loaded, r.Differ})
	require.Equal(t, 3+2+2, r.Compared)

	// As if the cache had not been told.
	_, err = o.ledger.Unbind(o.ctx, "app", gone.ID, t0)
	require.NoError(t, err)
	_, _, _, err = o.ledger.Modify(o.ctx, "app", changed.ID, t0, func(b *routing.Binding) error { b.Allowed = routing.OnlyFromA; return nil })
	require.NoError(t, err)
	_, _, err = o.ledger.Bind(o.ctx, routing.Binding{App: "app", Mode: routing.AXB, X: x3, A: anna, B: bert, CreatedAt: t0})
	require.NoError(t, err)
	r, err = o.Verify(o.ctx, false)
	require.NoError(t, err)
	require.Equal(t, 6, r.Differ, "%+v", r.Differences)
	require.Zero(t, r.Repaired)
	by := map[routing.X]int{}
	for _, d := range r.Differences {
		by[d.X]++
		require.NotContains(t, d.Who+d.Cache+d.Ledger, "13800000", "real numbers are masked")
	}
	require.Equal(t, map[routing.X]int{x1: 2, x2: 2, x3: 2}, by)

	r, err = o.Verify(o.ctx, true)
	require.NoError(t, err)
	require.Equal(t, 3, r.Repaired)
	require.Nil(t, o.facts(x1, anna).ByCaller)
	require.Equal(t, routing.OnlyFromA, o.facts(x2, dora).ByCaller.Allowed)
	require.NotNil(t, o.facts(x3, bert).ByCaller)
	o.agrees()

	_, err = o.ledger.AddNumber(o.ctx, ledger.Number{XNumber: routing.XNumber{X: x2, App: "app", SMS: true}, Voice: true}, t0)
	require.NoError(t, err)
	r, err = o.Verify(o.ctx, true)
	require.NoError(t, err)
	require.Equal(t, []int{3, 1}, []int{r.Differ, r.Repaired}, "whether X takes texts is compared too: %+v", r.Differences)
	require.True(t, o.facts(x2, carl).SMS)
	o.agrees()
}

// TestVerifyUnknownX: an X that the ledger does not have is not to be in the
// cache.
func TestVerifyUnknownX(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	const x = "+8617010000088"
	stranger := routing.Dossier{Number: routing.XNumber{X: x, App: "app", Mode: routing.AXB, Status: routing.StatusNormal, Bindings: 1, Version: 4},
		Bindings: []routing.Binding{{ID: "b", App: "app", Mode: routing.AXB, X: x, A: anna, B: bert, Version: 4}}}
	_, ticket, err := o.cache.Peek(o.ctx, routing.Question{X: x, Caller: anna, At: t0})
	require.NoError(t, err)
	require.NoError(t, o.cache.Fill(o.ctx, ticket, stranger))
	r, err := o.Verify(o.ctx, true)
	require.NoError(t, err)
	require.Equal(t, []int{3, 1}, []int{r.Differ, r.Repaired})
	_, ticket, err = o.cache.Peek(o.ctx, routing.Question{X: x, Caller: anna, At: t0})
	require.NoError(t, err)
	require.True(t, ticket.Miss())
}

// TestVerifyWithoutCache: without a node there is nothing to be compared.
func TestVerifyWithoutCache(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	s, err := provision.New(provision.Config{Ledger: o.ledger, Cache: struct{ provision.Cache }{}, Plan: routing.ChinaPlan()})
	require.NoError(t, err)
	_, err = s.Verify(o.ctx, false)
	require.ErrorIs(t, err, provision.ErrNoCache)
}
