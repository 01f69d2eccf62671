package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/ledger"
	"axgate/routing"
)

// TestBindMany binds the same random lists at once, and one by one on X of
// another app: the refusals are the same, and so is what stands.
func TestBindMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l *ledger.Ledger) {
		runs := 0
		rapid.Check(t, func(r *rapid.T) {
			runs++
			mode := rapid.SampledFrom([]routing.Mode{routing.AX, routing.AXB, routing.AXE}).Draw(r, "mode")
			x := func(side, i int) routing.X { return routing.X(fmt.Sprintf("+86171%05d%d%02d", runs, side, i)) }
			const many = 3
			var apps [2]string
			for side := range apps {
				sp := fmt.Sprintf("sp%d-%d", runs, side)
				require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: sp, MaxApps: 1}, t0))
				edit := func(a *ledger.App) { a.Key, a.SP, a.ExtDigits = sp, sp, 1 } // nine extensions on an X
				apps[side] = addApp(t, l, mode, edit, x(side, 0), x(side, 1), x(side, 2))
				const added = 1 // version of a new number, of which the cache has heard
				require.NoError(t, l.Settled(t.Context(), map[routing.X]int64{x(side, 0): added, x(side, 1): added, x(side, 2): added}))
			}
			n := rapid.IntRange(1, 15).Draw(r, "n")
			var list [2][]routing.Binding
			for range n {
				at := rapid.IntRange(0, many).Draw(r, "x") // the last is nobody's
				a, b := tel(rapid.IntRange(1, 9).Draw(r, "a")), tel(rapid.IntRange(11, 19).Draw(r, "b"))
				ext := routing.Extension(rapid.SampledFrom([]string{"", "1", "2", "3", "4", "5"}).Draw(r, "ext"))
				for side, app := range apps {
					switch mode {
					case routing.AX:
						list[side] = append(list[side], ax(app, x(side, at), a))
					case routing.AXB:
						list[side] = append(list[side], axb(app, x(side, at), a, b))
					default:
						list[side] = append(list[side], axe(app, x(side, at), a, ext))
					}
				}
			}
			results, versions, err := l.BindMany(t.Context(), list[0])
			require.NoError(t, err)
			require.Len(t, results, n)
			// One by one in the order of X, as many are.
			refused := make([]error, n)
			for at := range many + 1 {
				for i, b := range list[1] {
					if b.X == x(1, at) {
						_, _, refused[i] = l.Bind(t.Context(), b)
					}
				}
			}
			for i := range results {
				require.Equal(r, refused[i] == nil, results[i].Refused == nil, "%d: %v, %v", i, refused[i], results[i].Refused)
				for _, known := range []error{ledger.ErrUnknownX, ledger.ErrFull, ledger.ErrTooManyX, ledger.ErrSlotTaken} {
					require.Equal(r, errors.Is(refused[i], known), errors.Is(results[i].Refused, known), "%d: %v, %v", i, refused[i], results[i].Refused)
				}
				if results[i].Refused == nil {
					b, err := l.Binding(t.Context(), results[i].Binding.ID, t0)
					require.NoError(t, err)
					require.Equal(r, results[i].Binding, b)
				}
			}
			for at := range many {
				same(t, l, x(0, at), x(1, at), versions)
			}
		})
	})
}

// same looks whether two X have the same on them.
func same(t *testing.T, l *ledger.Ledger, many, single routing.X, versions map[routing.X]int64) {
	t.Helper()
	of := func(x routing.X) (list []string) {
		all, err := l.BindingsOfX(t.Context(), x, t0, "", 1000)
		require.NoError(t, err)
		for _, b := range all {
			list = append(list, fmt.Sprint(b.A, b.B, b.Ext, b.AreaCode))
		}
		return list
	}
	require.ElementsMatch(t, of(single), of(many))
	a, err := l.Number(t.Context(), many)
	require.NoError(t, err)
	b, err := l.Number(t.Context(), single)
	require.NoError(t, err)
	require.Equal(t, b.Bindings, a.Bindings)
	owed, err := l.Owed(t.Context(), many)
	require.NoError(t, err)
	require.Equal(t, a.Bindings > 0, owed, "the cache has to hear of it")
	if a.Bindings > 0 {
		require.Equal(t, a.Version, versions[many])
	} else {
		require.NotContains(t, versions, many)
	}
}

// TestBindManyMakesRoom: what has run out is in nobody's way.
func TestBindManyMakesRoom(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		const x = "+8617010000001"
		app := addApp(t, l, routing.AXB, nil, x)
		old := axb(app, x, tel(1), tel(2))
		old.Until = t0.Add(time.Minute)
		_, _, err := l.Bind(t.Context(), old)
		require.NoError(t, err)
		again, other := axb(app, x, tel(1), tel(3)), axb(app, x, tel(4), tel(5))
		again.CreatedAt, other.CreatedAt = t0.Add(time.Hour), t0.Add(time.Hour)
		results, _, err := l.BindMany(t.Context(), []routing.Binding{again, other})
		require.NoError(t, err)
		for _, r := range results {
			require.NoError(t, r.Refused)
		}
		n, err := l.Number(t.Context(), x)
		require.NoError(t, err)
		require.Equal(t, 2, n.Bindings)
	})
}

func TestAmong(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		app := addApp(t, l, routing.AX, nil, "+8617010000001", "+8617010000002")
		_, _, err := l.SetStatus(t.Context(), "+8617010000002", routing.StatusReturned, "", t0)
		require.NoError(t, err, app)
		list := []routing.Number{"+8617010000001", "+8617010000002"}
		for i := range 1500 {
			list = append(list, tel(i))
		}
		xs, err := l.Among(t.Context(), list)
		require.NoError(t, err)
		require.Equal(t, map[routing.Number]bool{"+8617010000001": true}, xs)
	})
}
