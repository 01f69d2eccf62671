package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestWhetherXTakesTexts: every change of X carries it, and an older one does
// not bring it back.
func TestWhetherXTakesTexts(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		at := func(version int64, sms bool) routing.XNumber {
			n := number(x1, routing.AXB, version, 1)
			n.SMS = sms
			return n
		}
		takes := func() bool {
			f, ticket, err := w.Peek(ctx, asks("", x1, anna))
			require.NoError(t, err)
			require.False(t, ticket.Miss())
			require.True(t, f.Known)
			return f.SMS
		}
		_, ticket, err := w.Peek(ctx, asks("", x1, anna))
		require.NoError(t, err)
		require.NoError(t, w.Fill(ctx, ticket, routing.Dossier{Number: at(3, true), Bindings: []routing.Binding{pair("p", anna, bert, 3)}}))
		require.True(t, takes())
		require.NoError(t, w.PutNumber(ctx, at(4, false)))
		require.False(t, takes())
		require.NoError(t, w.PutNumber(ctx, at(3, true)))
		require.False(t, takes(), "an older change")
		require.NoError(t, w.PutNumber(ctx, at(5, true)))
		require.True(t, takes())
		require.NoError(t, w.PutBinding(ctx, at(6, false), pair("q", carl, dora, 6)))
		require.False(t, takes())
		require.NoError(t, w.DropBinding(ctx, at(7, true), pair("q", carl, dora, 6), 7))
		require.True(t, takes())
	})
}
