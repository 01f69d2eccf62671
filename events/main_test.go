package events_test

import (
	"testing"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// each runs a test on an empty ledger of each kind.
func each(t *testing.T, test func(t *testing.T, cfg ledger.Config)) {
	t.Run("sqlite", func(t *testing.T) { test(t, ledgertest.SQLite(t)) })
	if testing.Short() {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		test(t, ledgertest.Postgres(t))
	})
}
