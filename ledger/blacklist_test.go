package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

// TestBlacklist: the list has what was put on it once each, of this X alone.
func TestBlacklist(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AX, nil, x1, x2)
		block := func(x routing.X, on bool, n ...routing.Number) {
			_, err := l.Block(ctx, app, x, n, on, t0)
			require.NoError(t, err)
		}
		listed := func(x routing.X) []routing.Number {
			list, err := l.Blacklist(ctx, x)
			require.NoError(t, err)
			return list
		}
		require.Empty(t, listed(x1))
		block(x1, true, tel(7), tel(5), tel(7))
		block(x2, true, tel(6))
		require.Equal(t, []routing.Number{tel(5), tel(7)}, listed(x1))
		block(x1, false, tel(5), tel(6))
		require.Equal(t, []routing.Number{tel(7)}, listed(x1))
		require.Equal(t, []routing.Number{tel(6)}, listed(x2))
	})
}
