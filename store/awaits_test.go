package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestAwaits: a load that another node has completed, or that a change has
// overtaken, is of no use any more.
func TestAwaits(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		awaits := func(ticket Ticket) bool {
			yes, err := w.Awaits(ctx, ticket, x1)
			require.NoError(t, err)
			return yes
		}
		_, ticket, err := w.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.True(t, awaits(ticket))
		require.NoError(t, w.Fill(ctx, ticket, routing.Dossier{Number: number(x1, routing.AXB, 1, 0)}))
		require.False(t, awaits(ticket), "it is loaded")
		require.NoError(t, w.Forget(ctx, x1))
		require.False(t, awaits(ticket))
		_, again, err := w.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.True(t, awaits(again))
		require.False(t, awaits(ticket))
	})
}
