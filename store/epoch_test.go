package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestALoadOfAnEarlierEpochLeavesNothing: a node reads a binding from the
// ledger and is slow to bring it. Meanwhile the binding ends, the cache cannot
// be told, and so the epoch is raised. What the slow node still writes must not
// be seen by loads of the new epoch.
func TestALoadOfAnEarlierEpochLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		slow, fast := w.open(), w.open()
		p := pair("p1", anna, bert, 1)
		_, ticket, err := slow.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		before := routing.Dossier{Number: number(x1, routing.AXB, 1, 1), Bindings: []routing.Binding{p}}
		entries, err := dossierEntries(&before)
		require.NoError(t, err)

		after := routing.Dossier{Number: number(x1, routing.AXB, 2, 0)}
		fast.SetEpoch(slow.Epoch() + 1)
		_, ticket2, err := fast.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.True(t, ticket2.Miss())

		err = slow.fill(ctx, ticket, x1, entries)
		require.ErrorIs(t, err, ErrStale, "the ticket is one of an epoch that has ended")
		require.NoError(t, fast.Fill(ctx, ticket2, after))
		f, again, err := fast.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		require.False(t, again.Miss())
		require.Nil(t, f.ByCaller, "the binding has ended")
	})
}

// TestALaterEpochKeepsItsTicket: a node that has not heard of the new epoch
// reads the ledger later than the ticket was made, so it may share the work.
func TestALaterEpochKeepsItsTicket(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		late, fast := w.open(), w.open()
		fast.SetEpoch(late.Epoch() + 1)
		_, ticket, err := fast.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		_, _, err = late.Peek(ctx, asks("s", x1, anna))
		require.NoError(t, err)
		d := routing.Dossier{Number: number(x1, routing.AXB, 2, 0)}
		require.NoError(t, fast.Fill(ctx, ticket, d), "the load goes on")
	})
}
