package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestGuesses: all nodes count the wrong extensions of a caller at X; at the
// limit not even the right one is found, until a span has passed.
func TestGuesses(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.open()
		g := Guessing{Most: 3, Within: time.Hour}
		b := axe("e1", anna, "0001", 1)
		w.load(routing.Dossier{Number: number(x1, routing.AXE, 1, 1), Bindings: []routing.Binding{b}})
		other.SetEpoch(w.Epoch())
		types := func(c *Cache, caller routing.Number, ext routing.Extension, g Guessing) routing.Facts {
			f, ticket, err := c.FactsByExtension(ctx, asks("s-"+string(caller), x1, caller), ext, g)
			require.NoError(t, err)
			require.False(t, ticket.Miss())
			c.Release("s-" + string(caller))
			return f
		}
		for i, c := range []*Cache{w.Cache, other} {
			f := types(c, carl, "0009", g)
			require.Equal(t, i+1, f.Wrong)
			require.False(t, f.Guessed)
		}
		f := types(w.Cache, carl, "0001", g)
		require.NotNil(t, f.ToX, "the limit is not reached, and a right one is none of them")
		require.Equal(t, 2, f.Wrong)
		require.Equal(t, 3, types(other, carl, "", g).Wrong)
		for _, ext := range []routing.Extension{"0001", "0009"} {
			f = types(w.Cache, carl, ext, g)
			require.True(t, f.Guessed)
			require.True(t, f.Known)
			require.Equal(t, "app", f.App)
			require.Equal(t, 3, f.Wrong)
			require.Nil(t, f.ToX)
			require.False(t, f.Held)
		}
		f, _, err := w.PeekByExtension(ctx, asks("", x1, carl), "0001")
		require.NoError(t, err)
		require.NotNil(t, f.ToX, "who only asks why is told")
		require.NotNil(t, types(w.Cache, bert, "0001", g).ToX, "each caller has its own count")
		require.NotNil(t, types(w.Cache, "", "0001", g).ToX)
		require.Zero(t, types(w.Cache, carl, "0009", Guessing{}).Wrong, "no limit, no count")

		short := Guessing{Most: 1, Within: 300 * time.Millisecond}
		types(w.Cache, dora, "0009", short)
		require.Eventually(t, func() bool { return types(other, dora, "0001", short).ToX != nil }, 15*time.Second, 20*time.Millisecond, "the span passes")
	})
}

// TestGuessAtAnEndedBinding: one that ran out is as wrong as one that nobody
// ever had.
func TestGuessAtAnEndedBinding(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := axe("e1", anna, "0001", 1)
		b.Until = now.Add(-time.Minute)
		w.load(routing.Dossier{Number: number(x1, routing.AXE, 1, 1), Bindings: []routing.Binding{b}})
		f, _, err := w.FactsByExtension(ctx, asks("s", x1, carl), "0001", Guessing{Most: 3, Within: time.Hour})
		require.NoError(t, err)
		require.Equal(t, 1, f.Wrong)
	})
}
