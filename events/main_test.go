package events_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/ledger"
	"axgate/ledger/pgtest"
)

// postgres is started by the first test that wants it.
var postgres = sync.OnceValues(pgtest.Start)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if !testing.Short() {
		if s, err := postgres(); err == nil {
			if err := s.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
				code = 1
			}
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// each runs a test on an empty ledger of each kind.
func each(t *testing.T, test func(t *testing.T, cfg ledger.Config)) {
	t.Run("sqlite", func(t *testing.T) { test(t, ledger.Config{Path: filepath.Join(t.TempDir(), "axgate.db")}) })
	if testing.Short() {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		s, err := postgres()
		require.NoError(t, err)
		test(t, ledger.Config{Driver: ledger.Postgres, DSN: s.Database(t)})
	})
}
