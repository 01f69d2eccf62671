package ledger_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestServersAreForgotten: of servers that lost their place long ago a bounded number is
// remembered; what one that was forgotten still has is void if it comes back.
func TestServersAreForgotten(t *testing.T) {
	cfg := ledgertest.SQLite(t)
	l, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	fence := func(term string) ledger.CacheView {
		v, _, err := l.FenceServer(t.Context(), ledger.CacheServer{Term: term, Home: "192.0.2.1:6379"})
		require.NoError(t, err)
		return v
	}
	db, err := sql.Open("sqlite", cfg.Path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows := func() (n int) {
		require.NoError(t, db.QueryRow(`SELECT COUNT(*) FROM cache_servers`).Scan(&n))
		return n
	}
	first := fence("term 0")
	for i := 1; i <= 150; i++ {
		require.Equal(t, first.Epoch, fence(fmt.Sprint("term ", i)).Epoch, "another server alone voids nothing")
	}
	require.Equal(t, 151, rows(), "those of today are remembered")
	_, err = db.Exec(`UPDATE cache_servers SET since = since - $1`, (48 * time.Hour).Microseconds())
	require.NoError(t, err)
	after := fence("term 151")
	require.Greater(t, after.Epoch, first.Epoch)
	require.LessOrEqual(t, rows(), 3)
	require.Equal(t, after.Epoch, fence("term 0").Epoch, "what it has is of an epoch before")
	_, err = l.BelieveServer(t.Context(), "term 0")
	require.NoError(t, err)
}
