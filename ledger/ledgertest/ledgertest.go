// Package ledgertest gives tests empty ledgers that have their schema: it is
// made once per process and copied.
package ledgertest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/pgtest"
)

// The empty ledgers that are copied.
var (
	file = sync.OnceValues(func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "ledger")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		path := filepath.Join(dir, "empty.db")
		if err := migrate(ledger.Config{Path: path}); err != nil {
			return nil, err
		}
		return os.ReadFile(path)
	})
	postgres struct {
		sync.Once
		dsn string
		err error
	}
)

func migrate(cfg ledger.Config) error {
	l, err := ledger.Open(context.Background(), cfg)
	if err != nil {
		return err
	}
	return l.Close()
}

// SQLite is an empty ledger in a file of the test.
func SQLite(t testing.TB) ledger.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "axgate.db")
	Put(t, path)
	return ledger.Config{Path: path}
}

// Put makes an empty ledger of SQLite.
func Put(t testing.TB, path string) {
	t.Helper()
	empty, err := file()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, empty, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Postgres is an empty ledger on the server that the tests of a package share;
// its TestMain has to call pgtest.Main.
func Postgres(t testing.TB) ledger.Config {
	t.Helper()
	postgres.Do(func() {
		postgres.dsn = pgtest.New(t)
		postgres.err = migrate(ledger.Config{Driver: ledger.Postgres, DSN: postgres.dsn})
	})
	if postgres.err != nil {
		t.Fatal(postgres.err)
	}
	return ledger.Config{Driver: ledger.Postgres, DSN: pgtest.Like(t, postgres.dsn)}
}

// Record stores the state of a call and its events, as a journal that carries
// them does.
func Record(t testing.TB, l *ledger.Ledger, c events.Call, evs ...events.Event) {
	t.Helper()
	refused, err := l.Record(context.Background(), []events.Entry{{Call: c, Events: evs}})
	if err != nil || len(refused) > 0 {
		t.Fatalf("record %s: %v, refused %v", c.Session, err, refused)
	}
}

// Alive begins a life of a node that was alive at an instant of its own clock.
func Alive(t testing.TB, l *ledger.Ledger, node string, at time.Time) ledger.Life {
	t.Helper()
	seen, _, err := l.Node(context.Background(), node)
	if err != nil {
		t.Fatal(err)
	}
	life, err := l.JoinNode(context.Background(), node, "", seen)
	if err == nil {
		_, err = l.Beat(context.Background(), life, at, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return life
}
