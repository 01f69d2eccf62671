package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
)

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

// TestACallOfAXYBIsClosedAsShown: what the callee saw survives the node that
// carried the call.
func TestACallOfAXYBIsClosedAsShown(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		c := died("s1")
		c.Mode, c.X, c.Shown, c.Out = "AXYB", string(y1), string(x1), t0
		write(t, l, c, events.NewCallEvent(c, 1, events.CallIn, t0, ""), events.NewCallEvent(c, 2, events.CallOut, t0, ""))
		require.Equal(t, string(x1), call(t, l, "s1").Shown)
		_, err := l.CloseOpen(t.Context(), never, true, nil)
		require.NoError(t, err)
		_, _, fee := story(t, l, "s1")
		require.Equal(t, []any{string(y1), string(x1)}, []any{fee["bindNum"], fee["fwdDisplayNum"]})
	})
}
