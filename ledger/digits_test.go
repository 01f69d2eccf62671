package ledger_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

// TestExtensionsOfOneLength: a bind and a change of the app's length of
// extensions at the same moment: either the extension has the new length, or
// the change is refused because a binding stands.
func TestExtensionsOfOneLength(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AXE, nil, x1)
		digits := 4
		changed := 0
		for range 150 {
			want := 7 - digits // 4 and 3 in turn
			var both sync.WaitGroup
			var b routing.Binding
			var bindErr, changeErr error
			both.Go(func() { b, _, bindErr = l.Bind(ctx, axe(app, x1, tel(1), "")) })
			both.Go(func() {
				_, changeErr = l.ChangeApp(ctx, app, func(a *ledger.App) error { a.ExtDigits = want; return nil })
			})
			both.Wait()
			require.NoError(t, bindErr)
			if changeErr == nil {
				digits = want
				changed++
			} else {
				require.True(t, errors.Is(changeErr, ledger.ErrNumbersBound), "%v", changeErr)
			}
			require.Len(t, string(b.Ext), digits)
			_, err := l.Unbind(ctx, app, b.ID, t0)
			require.NoError(t, err)
		}
		t.Log("changed", changed, "times of 150")
	})
}
