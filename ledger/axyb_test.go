package ledger_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

const (
	y1 routing.X = "+8617010000011"
	y2 routing.X = "+8617010000012"
)

// part is the AX part of an AXYB binding, yb a relation of it.
func part(app string, x routing.X, a routing.Number) routing.Binding {
	return routing.Binding{App: app, Mode: routing.AXYB, X: x, A: a, CreatedAt: t0, ModifiedAt: t0,
		CalleeTone: "x.wav", UserData: "order 7", Allowed: routing.OnlyFromA}
}

func yb(of routing.Binding, y routing.X, b routing.Number) routing.Binding {
	return routing.Binding{App: of.App, Mode: routing.AXYB, Of: of.ID, A: of.A, B: b, Y: y, CreatedAt: t0, ModifiedAt: t0, CallerTone: "y.wav"}
}

func bindPart(t testing.TB, l *ledger.Ledger, b routing.Binding) routing.Binding {
	bound, n, err := l.Bind(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, n.Version, bound.Version)
	return bound
}

func bindYB(t testing.TB, l *ledger.Ledger, b routing.Binding) routing.Binding {
	bound, numbers, err := l.BindYB(t.Context(), b)
	require.NoError(t, err)
	require.Len(t, numbers, 2)
	require.Equal(t, []routing.X{bound.X, bound.Y}, []routing.X{numbers[0].X, numbers[1].X})
	require.Equal(t, []int64{bound.Version, bound.YVersion}, []int64{numbers[0].Version, numbers[1].Version})
	return bound
}

func TestBindAXYB(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXYB, nil, x1, x2, x3, y1, y2)
		addApp(t, l, routing.AXB, nil, "+8617010000099")
		a1 := bindPart(t, l, part(app, x1, tel(1)))
		_, _, err := l.Bind(ctx, part(app, x1, tel(2)))
		require.ErrorIs(t, err, ledger.ErrFull, "an X is one A's")

		before, err := l.Number(ctx, x1)
		require.NoError(t, err)
		r := bindYB(t, l, yb(a1, y1, tel(3)))
		require.Greater(t, r.Version, before.Version, "X has changed too")
		want := a1
		want.ID, want.Of, want.B, want.Y, want.CallerTone, want.Version, want.YVersion = r.ID, a1.ID, tel(3), y1, "y.wav", r.Version, r.YVersion
		require.Equal(t, want, r, "what calls need is the AX part's")
		got, err := l.Binding(ctx, r.ID, t0)
		require.NoError(t, err)
		require.Equal(t, r, got)

		var taken *ledger.TakenError
		_, _, err = l.BindYB(ctx, yb(a1, y2, tel(3)))
		require.ErrorAs(t, err, &taken, "B is on X")
		require.NotErrorIs(t, err, ledger.ErrNoY, "another Y would not help")
		require.Equal(t, r.ID, taken.By.ID)
		_, _, err = l.BindYB(ctx, yb(a1, y2, tel(1)))
		require.ErrorAs(t, err, &taken, "A is no B of its own X")
		_, _, err = l.BindYB(ctx, yb(a1, y1, tel(4)))
		require.ErrorIs(t, err, ledger.ErrNoY)
		require.ErrorAs(t, err, &taken, "A is on Y")
		for _, y := range []routing.X{x1, "+8617010000098", "+8617010000099"} {
			_, _, err = l.BindYB(ctx, yb(a1, y, tel(4)))
			require.ErrorIs(t, err, ledger.ErrNoY, y)
		}
		_, _, err = l.Bind(ctx, part(app, y1, tel(5)))
		require.ErrorIs(t, err, ledger.ErrFull, "a Y is no X")

		a2 := bindPart(t, l, part(app, x2, tel(2)))
		_, _, err = l.BindYB(ctx, yb(a1, x2, tel(4)))
		require.ErrorIs(t, err, ledger.ErrNoY, "an X is no Y")
		bindYB(t, l, yb(a2, y1, tel(3)))
		bindYB(t, l, yb(a1, y2, tel(2)))
		y, err := l.Number(ctx, y1)
		require.NoError(t, err)
		require.Equal(t, 2, y.Bindings)
		require.Equal(t, 1000, y.Room)

		for name, c := range map[string]routing.Binding{
			"no such part": yb(routing.Binding{App: app, ID: "nobody"}, y2, tel(5)),
			"a relation":   yb(routing.Binding{App: app, ID: r.ID}, y2, tel(5)),
		} {
			_, _, err = l.BindYB(ctx, c)
			require.ErrorIs(t, err, ledger.ErrNoBinding, name)
		}
		_, _, err = l.BindYB(ctx, yb(routing.Binding{App: "another app", ID: a1.ID}, y2, tel(5)))
		require.ErrorIs(t, err, ledger.ErrNotYours)
		_, _, err = l.SetStatus(ctx, y2, routing.StatusFrozen, "", t0)
		require.NoError(t, err)
		var unusable *ledger.UnusableError
		_, _, err = l.BindYB(ctx, yb(a2, y2, tel(5)))
		require.ErrorIs(t, err, ledger.ErrNoY)
		require.ErrorAs(t, err, &unusable)
		_, _, err = l.SetStatus(ctx, x2, routing.StatusFrozen, "", t0)
		require.NoError(t, err)
		_, _, err = l.BindYB(ctx, yb(a2, y1, tel(5)))
		require.ErrorAs(t, err, &unusable)
		require.NotErrorIs(t, err, ledger.ErrNoY)
	})
}

func TestAnAOfAXYBHasFiveX(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		xs := []routing.X{x1, x2, x3, y1, y2, "+8617010000013"}
		app := addApp(t, l, routing.AXYB, nil, xs...)
		var last routing.Binding
		for _, x := range xs[:5] {
			last = bindPart(t, l, part(app, x, tel(1)))
		}
		_, _, err := l.Bind(t.Context(), part(app, xs[5], tel(1)))
		require.ErrorIs(t, err, ledger.ErrTooManyX)
		_, err = l.UnbindAXYB(t.Context(), app, last.ID, "", "", t0)
		require.NoError(t, err)
		bindPart(t, l, part(app, xs[5], tel(1)))
	})
}

func TestPickXAndY(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXYB, nil, x1, x2, y1)
		a1 := bindPart(t, l, part(app, x1, tel(1)))
		bindYB(t, l, yb(a1, y1, tel(3)))
		here := ledger.Place{Area: "0755"}
		want := part(app, "", tel(2))
		x, err := l.PickNumber(ctx, app, here, &want)
		require.NoError(t, err)
		require.Equal(t, x2, x, "neither an X nor a Y")
		_, err = l.PickNumber(ctx, app, ledger.Place{Area: "010"}, &want)
		require.ErrorIs(t, err, ledger.ErrFull)

		of := part(app, "", tel(2))
		of.ID = "another"
		next := yb(of, "", tel(3))
		y, err := l.PickNumber(ctx, app, here, &next)
		require.NoError(t, err)
		require.Equal(t, y1, y, "what is a Y already comes first")
		again := yb(a1, "", tel(4))
		y, err = l.PickNumber(ctx, app, here, &again)
		require.NoError(t, err)
		require.Equal(t, x2, y, "A is on the other one")
		bindYB(t, l, yb(a1, x2, tel(4)))
		_, err = l.PickNumber(ctx, app, here, &again)
		require.ErrorIs(t, err, ledger.ErrFull)
	})
}

// TestRolesAreHeldByTheTable: whatever a statement says, no number is X and Y.
func TestRolesAreHeldByTheTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "axgate.db")
	l := open(t, ledger.Config{Path: path})
	app := addApp(t, l, routing.AXYB, nil, x1, y1)
	addApp(t, l, routing.AXB, nil, x2)
	bindYB(t, l, yb(bindPart(t, l, part(app, x1, tel(1))), y1, tel(2)))
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, set := range []string{
		"role = '' WHERE x = '" + string(x1) + "'", "role = 'z' WHERE x = '" + string(x1) + "'", "bindings = 0 WHERE x = '" + string(y1) + "'",
		"role = 'y' WHERE x = '" + string(x2) + "'", "bindings = 1001 WHERE x = '" + string(y1) + "'",
	} {
		_, err := db.Exec("UPDATE numbers SET " + set)
		require.ErrorContains(t, err, "CHECK", set)
	}
}

// TestRoomOfAXYB: a Y has so many relations, and an X one less beside its AX
// part.
func TestRoomOfAXYB(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l := open(t, cfg)
			app := addApp(t, l, routing.AXYB, nil, x1, x2, x3, y1, y2)
			execute(t, cfg, "UPDATE numbers SET room = 2")
			var parts []routing.Binding
			for i, x := range []routing.X{x1, x2, x3} {
				parts = append(parts, bindPart(t, l, part(app, x, tel(i))))
			}
			bindYB(t, l, yb(parts[0], y1, tel(10)))
			bindYB(t, l, yb(parts[1], y1, tel(10)))
			next := yb(parts[2], "", tel(10))
			y, err := l.PickNumber(t.Context(), app, ledger.Place{}, &next)
			require.NoError(t, err)
			require.Equal(t, y2, y)
			next.Y = y1
			_, _, err = l.BindYB(t.Context(), next)
			require.ErrorIs(t, err, ledger.ErrNoY)
			require.ErrorIs(t, err, ledger.ErrFull)
			_, _, err = l.BindYB(t.Context(), yb(parts[0], y2, tel(11)))
			require.ErrorIs(t, err, ledger.ErrFull)
			require.NotErrorIs(t, err, ledger.ErrNoY, "X is full: another Y would not help")
		})
	}
}
