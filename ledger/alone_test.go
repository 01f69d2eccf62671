package ledger_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestAlone: a ledger is only taken from nobody, and then its file is all of it, whoever
// was killed before.
func TestAlone(t *testing.T) {
	cfg := ledgertest.SQLite(t)
	l, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "last", MaxApps: 1}, t0))
	_, err = ledger.TakeAlone(t.Context(), cfg.Path)
	require.ErrorIs(t, err, ledger.ErrAlive)
	require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "later", MaxApps: 1}, t0), "it goes on")

	killed := ledger.Config{Path: filepath.Join(t.TempDir(), "axgate.db")}
	for _, suffix := range []string{"", "-wal"} { // as a kill leaves them
		b, err := os.ReadFile(cfg.Path + suffix)
		require.NoError(t, err)
		require.NotEmpty(t, b)
		require.NoError(t, os.WriteFile(killed.Path+suffix, b, 0o600))
	}
	require.NoError(t, l.Close())
	a, err := ledger.TakeAlone(t.Context(), killed.Path)
	require.NoError(t, err)
	names, err := os.ReadDir(filepath.Dir(killed.Path))
	require.NoError(t, err)
	require.Len(t, names, 1, "no log")
	_, err = ledger.TakeAlone(t.Context(), killed.Path)
	require.ErrorIs(t, err, ledger.ErrAlive)
	require.NoError(t, a.Release())
	require.ElementsMatch(t, []string{"last", "later"}, accounts(t, killed))

	none := filepath.Join(t.TempDir(), "axgate.db")
	require.NoError(t, os.WriteFile(none, []byte("this is no database, but it is long enough to be one of them, says its length: "+string(make([]byte, 4096))), 0o600))
	_, err = ledger.TakeAlone(t.Context(), none)
	require.ErrorIs(t, err, ledger.ErrDamaged)
}
