package store

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestForgetAll: those that are loaded are read anew, and the others are left
// alone; a load that was begun before has to begin again.
func TestForgetAll(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.wipe(w.client())
		_, ticket, err := w.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.NoError(t, w.Fill(ctx, ticket, routing.Dossier{Number: number(x1, routing.AXB, 1, 0)}))
		_, begun, err := w.Peek(ctx, asks("s", "+8617020000149", anna))
		require.NoError(t, err)
		all := []routing.X{x1}
		for i := range 250 {
			all = append(all, routing.X(fmt.Sprintf("+86170200%05d", i)))
		}
		require.NoError(t, w.ForgetAll(ctx, all))
		_, ticket, err = w.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.True(t, ticket.Miss())
		require.ErrorIs(t, w.Fill(ctx, begun, routing.Dossier{Number: number("+8617020000149", routing.AXB, 1, 0)}), ErrStale)
		n, err := w.client().Exists(ctx, numberKey(all[1])).Result()
		require.NoError(t, err)
		require.Zero(t, n)
	})
}
