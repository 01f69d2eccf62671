package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

func TestBindAX(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		xs := make([]routing.X, 6)
		for i := range xs {
			xs[i] = routing.X(fmt.Sprintf("+861701000000%d", i))
		}
		app := addApp(t, l, routing.AX, nil, xs...)
		var first routing.Binding
		for i, x := range xs[:5] {
			b, n, err := l.Bind(ctx, ax(app, x, tel(1)))
			require.NoError(t, err)
			require.Len(t, b.ID, 36)
			require.Equal(t, "0755", b.AreaCode)
			require.Equal(t, n.Version, b.Version)
			require.Equal(t, 1, n.Bindings)
			if i == 0 {
				first = b
			}
		}
		_, _, err := l.Bind(ctx, ax(app, xs[5], tel(1)))
		require.ErrorIs(t, err, ledger.ErrTooManyX)
		n, err := l.Number(ctx, xs[5])
		require.NoError(t, err)
		require.Zero(t, n.Bindings, "a refused bind leaves nothing")

		_, _, err = l.Bind(ctx, ax(app, xs[0], tel(2)))
		var taken *ledger.TakenError
		require.ErrorAs(t, err, &taken)
		require.ErrorIs(t, err, ledger.ErrSlotTaken)
		require.Equal(t, first, taken.By)

		r, err := l.Unbind(ctx, app, first.ID, t0.Add(time.Second))
		require.NoError(t, err)
		require.Greater(t, r.Binding.Version, first.Version)
		require.Equal(t, r.Binding.Version, r.Number.Version)
		require.Zero(t, r.Number.Bindings)
		_, _, err = l.Bind(ctx, ax(app, xs[5], tel(1)))
		require.NoError(t, err, "the share is free again")

		_, err = l.Unbind(ctx, app, first.ID, t0.Add(time.Second))
		require.ErrorIs(t, err, ledger.ErrNoBinding)
		var ended *ledger.EndedError
		require.ErrorAs(t, err, &ended)
		require.Equal(t, r.Binding, ended.Binding)
		_, err = l.Unbind(ctx, app, "nobody", t0)
		require.ErrorIs(t, err, ledger.ErrNoBinding)
	})
}

func TestBindAXB(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXB, nil, x1, x2)
		b, _, err := l.Bind(ctx, axb(app, x1, tel(1), tel(2)))
		require.NoError(t, err)
		for _, pair := range [][2]int{{1, 2}, {2, 1}, {2, 3}, {3, 2}, {1, 3}, {3, 1}} {
			_, _, err := l.Bind(ctx, axb(app, x1, tel(pair[0]), tel(pair[1])))
			require.ErrorIs(t, err, ledger.ErrSlotTaken, "%v", pair)
		}
		c, _, err := l.Bind(ctx, axb(app, x1, tel(3), tel(4)))
		require.NoError(t, err)
		_, _, err = l.Bind(ctx, axb(app, x2, tel(1), tel(4)))
		require.NoError(t, err, "another X knows nobody")

		at := t0.Add(time.Minute)
		_, _, _, err = l.Modify(ctx, app, c.ID, at, func(b *routing.Binding) error { b.B = tel(1); return nil })
		require.ErrorIs(t, err, ledger.ErrSlotTaken)
		before, after, n, err := l.Modify(ctx, app, c.ID, at, func(b *routing.Binding) error {
			b.A, b.B = b.B, tel(5)
			b.X, b.App, b.ID, b.Mode = x2, "other", "other", routing.AX // nobody may
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, c, before)
		want := c
		want.A, want.B, want.ModifiedAt, want.Version = tel(4), tel(5), at, n.Version
		require.Equal(t, want, after)
		require.Greater(t, after.Version, c.Version)
		got, err := l.Binding(ctx, c.ID, at)
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, _, err = l.Bind(ctx, axb(app, x1, tel(3), tel(6)))
		require.NoError(t, err, "tel 3 is free after the modification")

		boom := fmt.Errorf("boom")
		_, _, _, err = l.Modify(ctx, app, b.ID, at, func(*routing.Binding) error { return boom })
		require.ErrorIs(t, err, boom)
		_, _, _, err = l.Modify(ctx, "another app", b.ID, at, func(*routing.Binding) error { return nil })
		require.ErrorIs(t, err, ledger.ErrNotYours)

		gone, number, err := l.UnbindX(ctx, app, x1, at)
		require.NoError(t, err)
		require.Len(t, gone, 3)
		require.Zero(t, number.Bindings)
		_, _, err = l.UnbindX(ctx, app, x1, at)
		require.ErrorIs(t, err, ledger.ErrNoBinding)
	})
}

func TestBindRefuses(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXB, nil, x1)
		other := addApp(t, l, routing.AX, nil, x2)
		for name, c := range map[string]struct {
			b    routing.Binding
			want error
		}{
			"unknown X":     {axb(app, x3, tel(1), tel(2)), ledger.ErrUnknownX},
			"another app's": {axb(app, x2, tel(1), tel(2)), ledger.ErrNotYours},
			"another mode":  {ax(app, x1, tel(1)), ledger.ErrWrongMode},
		} {
			_, _, err := l.Bind(ctx, c.b)
			require.ErrorIs(t, err, c.want, name)
		}
		for _, status := range []routing.NumberStatus{routing.StatusPaused, routing.StatusFrozen, routing.StatusTransfer, routing.StatusUnavailable, routing.StatusReturned} {
			_, _, err := l.SetStatus(ctx, x2, status, "2", t0)
			require.NoError(t, err)
			_, _, err = l.Bind(ctx, ax(other, x2, tel(1)))
			require.ErrorIs(t, err, ledger.ErrUnusable)
			var unusable *ledger.UnusableError
			require.ErrorAs(t, err, &unusable)
			require.Equal(t, status, unusable.Status)
		}
	})
}

func TestExtensions(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXE, func(a *ledger.App) { a.ExtDigits = 1 }, x1)
		var all []routing.Binding
		bind := func(n int, ext routing.Extension) (routing.Binding, error) {
			b, _, err := l.Bind(ctx, axe(app, x1, tel(n), ext))
			return b, err
		}
		b, err := bind(100, "3")
		require.NoError(t, err)
		all = append(all, b)
		for i := 1; i <= 8; i++ {
			b, err := bind(i, "")
			require.NoError(t, err)
			want := i
			if i >= 3 {
				want++
			}
			require.Equal(t, routing.Extension(fmt.Sprint(want)), b.Ext)
			all = append(all, b)
		}
		_, err = bind(9, "")
		require.ErrorIs(t, err, ledger.ErrFull)
		_, err = bind(9, "5")
		require.ErrorIs(t, err, ledger.ErrSlotTaken)
		_, err = bind(8, "")
		require.ErrorIs(t, err, ledger.ErrSlotTaken, "an A has one extension on an X")

		_, err = l.Unbind(ctx, app, all[5].ID, t0)
		require.NoError(t, err)
		_, err = l.Unbind(ctx, app, all[2].ID, t0)
		require.NoError(t, err)
		for _, want := range []routing.Extension{all[2].Ext, all[5].Ext} {
			b, err := bind(20+int(want[0]), "")
			require.NoError(t, err)
			require.Equal(t, want, b.Ext, "the lowest free one")
		}
		_, err = bind(9, "")
		require.ErrorIs(t, err, ledger.ErrFull)
	})
}

func TestRandomExtensions(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		app := addApp(t, l, routing.AXE, func(a *ledger.App) { a.ExtDigits, a.RandomExt = 2, true }, x1)
		seen := map[routing.Extension]bool{}
		inOrder := true
		for i := 1; i <= 99; i++ {
			b, n, err := l.Bind(t.Context(), axe(app, x1, tel(i), ""))
			require.NoError(t, err)
			require.False(t, seen[b.Ext], "%s twice", b.Ext)
			require.Len(t, string(b.Ext), 2)
			require.NotEqual(t, routing.Extension("00"), b.Ext)
			seen[b.Ext] = true
			inOrder = inOrder && string(b.Ext) == fmt.Sprintf("%02d", i)
			require.Equal(t, i, n.Bindings)
		}
		require.False(t, inOrder)
		_, _, err := l.Bind(t.Context(), axe(app, x1, tel(100), ""))
		require.ErrorIs(t, err, ledger.ErrFull)
	})
}

func TestExpiry(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXB, nil, x1, x2)
		short := axb(app, x1, tel(1), tel(2))
		short.Until = t0.Add(time.Minute)
		old, _, err := l.Bind(ctx, short)
		require.NoError(t, err)
		again := axb(app, x1, tel(1), tel(3))
		again.CreatedAt = t0.Add(time.Minute - time.Microsecond)
		_, _, err = l.Bind(ctx, again)
		require.ErrorIs(t, err, ledger.ErrSlotTaken)
		again.CreatedAt = t0.Add(time.Minute)
		again.Until = t0.Add(time.Hour)
		_, err = l.Unbind(ctx, app, old.ID, again.CreatedAt)
		require.ErrorIs(t, err, ledger.ErrNoBinding, "its time has come")
		b, n, err := l.Bind(ctx, again)
		require.NoError(t, err, "its time has come, swept or not")
		require.Equal(t, 1, n.Bindings)
		long := axb(app, x2, tel(1), tel(2))
		long.Until = t0.Add(2 * time.Hour)
		_, _, err = l.Bind(ctx, long)
		require.NoError(t, err)

		swept, err := l.Sweep(ctx, t0.Add(time.Hour-time.Microsecond), 100)
		require.NoError(t, err)
		require.Empty(t, swept)
		swept, err = l.Sweep(ctx, t0.Add(time.Hour), 100)
		require.NoError(t, err)
		require.Len(t, swept, 1)
		require.Equal(t, b.ID, swept[0].Binding.ID)
		require.Equal(t, x1, swept[0].Number.X)
		require.Zero(t, swept[0].Number.Bindings)
		require.Greater(t, swept[0].Binding.Version, b.Version)
		swept, err = l.Sweep(ctx, t0.Add(3*time.Hour), 100)
		require.NoError(t, err)
		require.Len(t, swept, 1)
	})
}

func TestRoom(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			l := open(t, cfg)
			app := addApp(t, l, routing.AXB, nil, x1)
			n, err := l.Number(ctx, x1)
			require.NoError(t, err)
			require.Equal(t, 5000, n.Room)
			fits := 5000
			if testing.Short() || name == "postgres" { // there one takes 2 ms
				fits = 50
				execute(t, cfg, "UPDATE numbers SET room = 50")
			}
			var all sync.WaitGroup
			const clients = 64 // who ask at once share the time of the disk
			for first := range clients {
				all.Go(func() {
					for i := first; i < fits; i += clients {
						if _, _, err := l.Bind(ctx, axb(app, x1, tel(2*i), tel(2*i+1))); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			_, _, err = l.Bind(ctx, axb(app, x1, tel(50000), tel(50001)))
			require.ErrorIs(t, err, ledger.ErrFull)
			gone, _, err := l.UnbindX(ctx, app, x1, t0)
			require.NoError(t, err)
			require.Len(t, gone, fits)
			_, _, err = l.Bind(ctx, axb(app, x1, tel(1), tel(2)))
			require.NoError(t, err)
		})
	}
}

func TestNumbers(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AX, nil, x1, x2)
		other := addApp(t, l, routing.AXB, nil, x3)
		_, err := l.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x1, App: other}}, t0)
		require.ErrorIs(t, err, ledger.ErrNotYours)
		_, err = l.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x1, App: "nobody"}}, t0)
		require.ErrorIs(t, err, ledger.ErrUnknownApp)
		b, _, err := l.Bind(ctx, ax(app, x1, tel(1)))
		require.NoError(t, err)
		again, err := l.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x1, App: app, AreaCode: "010"}}, t0)
		require.NoError(t, err)
		require.Equal(t, 1, again.Bindings, "adding a number again keeps what it has")
		require.Equal(t, "010", again.AreaCode)

		_, err = l.SetTemporary(ctx, app, b.ID, routing.TemporaryCallee{Callee: tel(9), Until: t0.Add(time.Minute)}, t0)
		require.NoError(t, err)
		_, err = l.Block(ctx, app, x1, []routing.Number{tel(7)}, true, t0)
		require.NoError(t, err)
		n, gone, err := l.SetStatus(ctx, x1, routing.StatusReturned, "1", t0)
		require.NoError(t, err)
		require.Len(t, gone, 1)
		require.Equal(t, t0, n.Released)
		_, _, err = l.SetStatus(ctx, x1, routing.StatusNormal, "", t0)
		require.ErrorIs(t, err, ledger.ErrUnknownX, "a returned number is granted anew, not revived")
		moved, err := l.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x1, App: other, AreaCode: "0755"}}, t0)
		require.NoError(t, err)
		require.Greater(t, moved.Version, n.Version, "versions never begin again")
		require.Equal(t, routing.AXB, moved.Mode)
		require.Equal(t, routing.StatusNormal, moved.Status)
		d, err := l.Dossier(ctx, x1)
		require.NoError(t, err)
		require.Equal(t, routing.Dossier{Number: moved.XNumber}, d)

		list, err := l.Numbers(ctx, other, "", 10)
		require.NoError(t, err)
		require.Len(t, list, 2)
		list, err = l.Numbers(ctx, "", x1, 1)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, x2, list[0].X)
	})
}
