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

// TestBlacklistIsBounded: what would make it too long is refused as a whole; who is on it
// already, and who is taken off, does not matter.
func TestBlacklistIsBounded(t *testing.T) {
	bounded := func(t *testing.T, cfg ledger.Config) {
		l := open(t, cfg)
		app := addApp(t, l, routing.AX, nil, x1, x2)
		some := func(from, n int) (list []routing.Number) {
			for i := range n {
				list = append(list, tel(from+i))
			}
			return list
		}
		block := func(x routing.X, on bool, callers []routing.Number) error {
			_, err := l.Block(t.Context(), app, x, callers, on, t0)
			return err
		}
		for at := 0; at < ledger.MostBlocked-1; at += 1000 {
			require.NoError(t, block(x1, true, some(at, min(1000, ledger.MostBlocked-1-at))))
		}
		require.ErrorIs(t, block(x1, true, some(ledger.MostBlocked-1, 2)), ledger.ErrFull)
		list, err := l.Blacklist(t.Context(), x1)
		require.NoError(t, err)
		require.Len(t, list, ledger.MostBlocked-1)
		require.NoError(t, block(x1, true, some(ledger.MostBlocked-2, 2)), "one of them is there")
		require.NoError(t, block(x1, true, some(0, 500)))
		require.ErrorIs(t, block(x1, true, some(ledger.MostBlocked, 1)), ledger.ErrFull)
		require.NoError(t, block(x2, true, some(ledger.MostBlocked, 1)), "another X has its own")
		require.NoError(t, block(x1, false, some(0, 1)))
		require.NoError(t, block(x1, true, some(ledger.MostBlocked, 1)))

		execute(t, cfg, "INSERT INTO blacklist (x, caller, at) VALUES ('"+string(x1)+"', '+8600000', 0)") // as before there was a bound
		require.NoError(t, block(x1, true, some(1, 2)), "they are on the list that is too long")
		require.ErrorIs(t, block(x1, true, some(ledger.MostBlocked, 2)), ledger.ErrFull)
	}
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) { bounded(t, cfg) })
	}
}
