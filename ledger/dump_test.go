package ledger_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestDumpedTables: every table is dumped, but the schema's own and those of
// which a restored ledger begins anew.
func TestDumpedTables(t *testing.T) {
	db, err := sql.Open("sqlite", ledgertest.SQLite(t).Path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('goose_db_version', 'cache_servers', 'call_orders')`)
	require.NoError(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		all = append(all, name)
	}
	require.ElementsMatch(t, all, ledger.DumpedTables())
}
