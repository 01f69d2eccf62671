package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

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

// TestFactsOfAXYB: calls to X and to Y find the relation under the caller that
// it belongs to there, with the version of the number that was dialled.
func TestFactsOfAXYB(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXYB, nil, x1, y1)
		a := bindPart(t, l, part(app, x1, tel(1)))
		r := bindYB(t, l, yb(a, y1, tel(2)))
		for _, c := range []struct {
			x      routing.X
			caller routing.Number
			want   *routing.Binding
		}{
			{x1, tel(1), &a}, {x1, tel(2), &r}, {y1, tel(1), &r}, {y1, tel(2), nil}, {x1, tel(3), nil}, {y1, "", nil},
		} {
			f, err := l.Facts(ctx, routing.Question{X: c.x, Caller: c.caller, At: t0})
			require.NoError(t, err)
			if c.want == nil {
				require.Nil(t, f.ByCaller, "%s to %s", c.caller, c.x)
				continue
			}
			require.Equal(t, new(c.want.Seen(c.x)), f.ByCaller, "%s to %s", c.caller, c.x)
		}
		require.NoError(t, block(ctx, l, app, y1, tel(2)))
		f, err := l.Facts(ctx, routing.Question{X: y1, Caller: tel(1), At: t0})
		require.NoError(t, err)
		require.True(t, f.CalleeBlacklisted, "B may not be reached through Y")

		d, err := l.Dossier(ctx, x1)
		require.NoError(t, err)
		require.Equal(t, []routing.Binding{a.Seen(x1), r.Seen(x1)}, d.Bindings)
		d, err = l.Dossier(ctx, y1)
		require.NoError(t, err)
		require.Equal(t, []routing.Binding{r.Seen(y1)}, d.Bindings)
		list, err := l.RelationsOfY(ctx, y1, t0, "", 10)
		require.NoError(t, err)
		require.Equal(t, []routing.Binding{r}, list)
		list, err = l.RelationsOfY(ctx, y1, t0, r.ID, 10)
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

func block(ctx context.Context, l *ledger.Ledger, app string, x routing.X, n routing.Number) error {
	_, err := l.Block(ctx, app, x, []routing.Number{n}, true, t0)
	return err
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

// TestAXYBInParallel: many bind and unbind on few numbers at once; afterwards
// each number has as many bindings as it counts, and nobody has a place twice.
func TestAXYBInParallel(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		xs, ys := []routing.X{x1, x2, x3}, []routing.X{y1, y2}
		app := addApp(t, l, routing.AXYB, nil, append(xs, ys...)...)
		var parts []routing.Binding
		for i, x := range xs {
			parts = append(parts, bindPart(t, l, part(app, x, tel(i))))
		}
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(worker), 7))
				for range 25 {
					a := parts[random.IntN(len(parts))]
					b := tel(10 + random.IntN(3))
					var err error
					switch random.IntN(3) {
					case 0:
						_, err = l.UnbindAXYB(ctx, app, a.ID, "", b, t0)
					case 1:
						_, err = l.UnbindAXYB(ctx, app, a.ID, ys[random.IntN(2)], "", t0)
					default:
						_, _, err = l.BindYB(ctx, yb(a, ys[random.IntN(2)], b))
					}
					if err != nil && !errors.Is(err, ledger.ErrNoBinding) && !errors.Is(err, ledger.ErrSlotTaken) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for _, x := range append(xs, ys...) {
			n, err := l.Number(ctx, x)
			require.NoError(t, err)
			d, err := l.Dossier(ctx, x)
			require.NoError(t, err)
			require.Len(t, d.Bindings, n.Bindings, x)
			seen := map[string]bool{}
			for _, b := range d.Bindings {
				who := b.B
				if b.Of == "" || b.Y == x {
					who = b.A
				}
				key := fmt.Sprint(who)
				require.False(t, seen[key], "%s is twice on %s", who, x)
				seen[key] = true
			}
		}
	})
}
