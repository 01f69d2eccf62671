package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestScan finds every entry by which a binding is found, and no other.
func TestScan(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.wipe(w.client())
		_, ticket, err := w.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.NoError(t, w.Fill(ctx, ticket, routing.Dossier{
			Number: number(x1, routing.AXE, 1, 1), Bindings: []routing.Binding{axe("b1", anna, "0001", 1)},
			Blocked: []routing.Number{bert},
		}))
		var found []Key
		require.NoError(t, w.Scan(ctx, func(k Key) error { found = append(found, k); return nil }))
		require.ElementsMatch(t, []Key{{X: x1}, {X: x1, Number: anna}, {X: x1, Ext: "0001"}}, found)
		stop := ErrStale
		require.ErrorIs(t, w.Scan(ctx, func(Key) error { return stop }), stop)
	})
}
