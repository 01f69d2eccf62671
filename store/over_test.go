package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestPutOfWhatIsLongOver leaves nothing: the binding ended so long ago that its
// entry has expired before it is written.
func TestPutOfWhatIsLongOver(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.wipe(w.client())
		_, ticket, err := w.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.NoError(t, w.Fill(ctx, ticket, routing.Dossier{Number: number(x1, routing.AXB, 1, 0)}))
		p := pair("p1", anna, bert, 2)
		p.Until = time.Now().Add(-2 * grace)
		require.NoError(t, w.PutBinding(ctx, number(x1, routing.AXB, 2, 1), p))
		f, ticket, err := w.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.False(t, ticket.Miss())
		require.Nil(t, f.ByCaller)
	})
}
