package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

func TestUnbindAXYB(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		ys := []routing.X{y1, y2, "+8617010000013", "+8617010000014"}
		app := addApp(t, l, routing.AXYB, nil, append([]routing.X{x1}, ys...)...)
		a := bindPart(t, l, part(app, x1, tel(1)))
		var rs []routing.Binding
		for i, y := range ys {
			rs = append(rs, bindYB(t, l, yb(a, y, tel(10+i))))
		}
		_, err := l.Unbind(ctx, app, a.ID, t0)
		require.ErrorIs(t, err, ledger.ErrWrongMode, "it would forget the other numbers")
		for name, call := range map[string]func() (ledger.Ended, error){
			"another app": func() (ledger.Ended, error) { return l.UnbindAXYB(ctx, "another", a.ID, "", "", t0) },
			"no such Y":   func() (ledger.Ended, error) { return l.UnbindAXYB(ctx, app, a.ID, x3, "", t0) },
			"no such B":   func() (ledger.Ended, error) { return l.UnbindAXYB(ctx, app, a.ID, "", tel(1), t0) },
			"nobody":      func() (ledger.Ended, error) { return l.UnbindAXYB(ctx, app, "nobody", "", "", t0) },
		} {
			_, err := call()
			require.True(t, errors.Is(err, ledger.ErrNoBinding) || errors.Is(err, ledger.ErrNotYours), "%s: %v", name, err)
		}

		ends := func(want routing.Binding, id string, y routing.X, b routing.Number) {
			t.Helper()
			out, err := l.UnbindAXYB(ctx, app, id, y, b, t0)
			require.NoError(t, err)
			require.Len(t, out.Bindings, 1)
			require.Equal(t, want.ID, out.Bindings[0].ID)
			require.Len(t, out.Numbers, 2)
			for _, n := range out.Numbers {
				require.Greater(t, n.Version, want.VersionOf(n.X))
				require.Equal(t, n.Version, out.Bindings[0].VersionOf(n.X))
				owed, err := l.Owed(ctx, n.X)
				require.NoError(t, err)
				require.True(t, owed)
			}
			_, err = l.UnbindAXYB(ctx, app, id, y, b, t0)
			require.ErrorIs(t, err, ledger.ErrNoBinding)
			n, err := l.Number(ctx, want.Y)
			require.NoError(t, err)
			require.Zero(t, n.Bindings)
		}
		ends(rs[0], a.ID, y1, tel(11)) // yNum wins
		ends(rs[1], a.ID, "", tel(11))
		ends(rs[2], rs[2].ID, "", "")

		out, err := l.UnbindAXYB(ctx, app, a.ID, "", "", t0)
		require.NoError(t, err)
		require.Len(t, out.Bindings, 2, "the AX part and what is left of it")
		require.Len(t, out.Numbers, 2)
		for _, x := range append([]routing.X{x1}, ys...) {
			n, err := l.Number(ctx, x)
			require.NoError(t, err)
			require.Zero(t, n.Bindings, x)
		}
		_, err = l.UnbindAXYB(ctx, app, a.ID, "", "", t0)
		var ended *ledger.EndedError
		require.ErrorAs(t, err, &ended)
		owed, err := l.NumbersOf(ctx, a.ID, true)
		require.NoError(t, err)
		require.ElementsMatch(t, append([]routing.X{x1}, ys...), owed, "nobody has told the cache")
		require.NoError(t, l.Settled(ctx, map[routing.X]int64{x1: out.Numbers[0].Version}))
		owed, err = l.NumbersOf(ctx, rs[3].ID, true)
		require.NoError(t, err)
		require.ElementsMatch(t, ys, owed)

		a = bindPart(t, l, part(app, y1, tel(1)))
		bindYB(t, l, yb(a, x1, tel(10)))
	})
}

// TestAXYBRunsOut: a relation ends with its AX part at the latest, and is swept
// from both numbers, whichever of them is looked at.
func TestAXYBRunsOut(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXYB, nil, x1, x2, y1, y2)
		limited := part(app, x1, tel(1))
		limited.Until = t0.Add(time.Hour)
		a := bindPart(t, l, limited)
		for _, c := range []struct{ wants, gets time.Duration }{{0, time.Hour}, {time.Minute, time.Minute}, {2 * time.Hour, time.Hour}} {
			wants := yb(a, y1, tel(2))
			if c.wants > 0 {
				wants.Until = t0.Add(c.wants)
			}
			r := bindYB(t, l, wants)
			require.Equal(t, t0.Add(c.gets), r.Until)
			_, err := l.UnbindAXYB(ctx, app, r.ID, "", "", t0)
			require.NoError(t, err)
		}
		forEver := bindPart(t, l, part(app, x2, tel(5)))
		short := yb(forEver, y1, tel(6))
		short.Until = t0.Add(time.Minute)
		require.Equal(t, short.Until, bindYB(t, l, short).Until)

		bindYB(t, l, yb(a, y1, tel(2)))
		swept, err := l.SweepXY(ctx, y1, t0.Add(time.Minute))
		require.NoError(t, err)
		require.Len(t, swept, 2, "the short one, from X and from Y")
		require.Equal(t, []routing.X{x2, y1}, []routing.X{swept[0].Number.X, swept[1].Number.X})
		for _, r := range swept {
			require.Equal(t, r.Number.Version, r.Binding.VersionOf(r.Number.X))
		}
		bindYB(t, l, short)
		swept, err = l.Sweep(ctx, t0.Add(time.Hour), 100)
		require.NoError(t, err)
		require.Len(t, swept, 5, "the short one and the other from two numbers each, and the AX part")
		for x, n := range map[routing.X]int{x1: 0, x2: 1, y1: 0} {
			number, err := l.Number(ctx, x)
			require.NoError(t, err)
			require.Equal(t, n, number.Bindings, x)
		}
		_, _, err = l.BindYB(ctx, yb(a, y1, tel(2)))
		require.ErrorIs(t, err, ledger.ErrNoBinding, "the AX part has ended")
		swept, err = l.SweepXY(ctx, y1, t0.Add(time.Hour))
		require.NoError(t, err)
		require.Empty(t, swept)
	})
}

// TestReturnedNumbersOfAXYB: what goes with a number goes from the other number
// too, and the cache has to hear of both.
func TestReturnedNumbersOfAXYB(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXYB, nil, x1, x2, y1, y2)
		a1, a2 := bindPart(t, l, part(app, x1, tel(1))), bindPart(t, l, part(app, x2, tel(2)))
		bindYB(t, l, yb(a1, y1, tel(3)))
		bindYB(t, l, yb(a1, y2, tel(4)))
		bindYB(t, l, yb(a2, y1, tel(3)))
		settle(t, l, x1, x2, y1, y2)

		_, ended, err := l.SetStatus(ctx, y1, routing.StatusReturned, "", t0)
		require.NoError(t, err)
		require.Len(t, ended, 2)
		owes(t, l, x1, x2, y1)
		settle(t, l, x1, x2, y1)
		_, ended, err = l.SetStatus(ctx, x1, routing.StatusReturned, "", t0)
		require.NoError(t, err)
		require.Len(t, ended, 2, "the AX part and its relation")
		owes(t, l, x1, y2)
		for x, n := range map[routing.X]int{x1: 0, x2: 1, y1: 0, y2: 0} {
			number, err := l.Number(ctx, x)
			require.NoError(t, err)
			require.Equal(t, n, number.Bindings, x)
		}
	})
}

func settle(t testing.TB, l *ledger.Ledger, xs ...routing.X) {
	known := map[routing.X]int64{}
	for _, x := range xs {
		n, err := l.Number(t.Context(), x)
		require.NoError(t, err)
		known[x] = n.Version
	}
	require.NoError(t, l.Settled(t.Context(), known))
}

func owes(t testing.TB, l *ledger.Ledger, want ...routing.X) {
	t.Helper()
	list, err := l.Unsettled(t.Context(), t0.Add(time.Hour), 100)
	require.NoError(t, err)
	require.ElementsMatch(t, want, list)
}
