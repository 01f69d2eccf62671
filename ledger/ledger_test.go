package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
	"axgate/routing"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// t0 is when the tests take place.
var t0 = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

// configs gives an empty database of each kind.
func configs(t testing.TB) map[string]ledger.Config {
	all := map[string]ledger.Config{"sqlite": ledgertest.SQLite(t)}
	if !testing.Short() {
		all["postgres"] = ledgertest.Postgres(t)
	}
	return all
}

// each runs a test on an empty ledger of each kind.
func each(t *testing.T, test func(t *testing.T, l *ledger.Ledger)) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) { test(t, open(t, cfg)) })
	}
}

func open(t testing.TB, cfg ledger.Config) *ledger.Ledger {
	l, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// addApp makes an app with the mode's name as key and some numbers.
func addApp(t testing.TB, l *ledger.Ledger, mode routing.Mode, edit func(*ledger.App), xs ...routing.X) string {
	ctx := t.Context()
	require.NoError(t, l.EnsureAccount(ctx, ledger.Account{SP: "demo", MaxApps: 10}, t0))
	a := ledger.App{App: routing.App{Key: "app" + string(mode), SP: "demo", Mode: mode, ExtDigits: 4}, Secret: "s", Created: t0, Signing: ledger.SignWSSE}
	if edit != nil {
		edit(&a)
	}
	_, err := l.CreateApp(ctx, a)
	require.NoError(t, err)
	for _, x := range xs {
		n := ledger.Number{XNumber: routing.XNumber{X: x, App: a.Key, AreaCode: "0755", City: "Shenzhen", Province: "Guangdong"}, Voice: true}
		_, err := l.AddNumber(ctx, n, t0)
		require.NoError(t, err)
	}
	return a.Key
}

// execute changes the database behind the ledger's back.
func execute(t testing.TB, cfg ledger.Config, statement string) {
	driver, dsn := "sqlite", cfg.Path
	if cfg.Driver == ledger.Postgres {
		driver, dsn = "pgx", cfg.DSN
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	_, err = db.Exec(statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

const (
	x1 routing.X = "+8617010000001"
	x2 routing.X = "+8617010000002"
	x3 routing.X = "+8617010000003"
)

// tel is a mobile number.
func tel(n int) routing.Number { return routing.Number(fmt.Sprintf("+86138%08d", n)) }

func axb(app string, x routing.X, a, b routing.Number) routing.Binding {
	return routing.Binding{App: app, Mode: routing.AXB, X: x, A: a, B: b, CreatedAt: t0, ModifiedAt: t0}
}

func ax(app string, x routing.X, a routing.Number) routing.Binding {
	return routing.Binding{App: app, Mode: routing.AX, X: x, A: a, CreatedAt: t0, ModifiedAt: t0}
}

func axe(app string, x routing.X, a routing.Number, ext routing.Extension) routing.Binding {
	return routing.Binding{App: app, Mode: routing.AXE, X: x, A: a, Ext: ext, CreatedAt: t0, ModifiedAt: t0}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("this is certainly no database, however long one looks at it"), 0o600))
	newer := filepath.Join(dir, "newer.db")
	l, err := ledger.Open(t.Context(), ledger.Config{Path: newer})
	require.NoError(t, err)
	require.NoError(t, l.Close())
	db, err := sql.Open("sqlite", newer)
	require.NoError(t, err)
	_, err = db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	require.NoError(t, err)
	require.NoError(t, db.Close())

	for name, c := range map[string]struct {
		cfg  ledger.Config
		want string
	}{
		"no path":           {ledger.Config{}, "SQLite needs a file"},
		"directory a file":  {ledger.Config{Path: filepath.Join(file, "a.db")}, "make the data directory"},
		"not writable":      {ledger.Config{Path: "/proc/self/axgate.db"}, "not writable"},
		"no database":       {ledger.Config{Path: file}, "not a database"},
		"newer schema":      {ledger.Config{Path: newer}, "it has version 999"},
		"unknown driver":    {ledger.Config{Driver: "oracle"}, `"oracle" is unknown: use sqlite or postgres`},
		"no DSN":            {ledger.Config{Driver: ledger.Postgres}, "needs a connection string"},
		"malformed DSN":     {ledger.Config{Driver: ledger.Postgres, DSN: "postgres://%%"}, "open the ledger"},
		"nobody listens":    {ledger.Config{Driver: ledger.Postgres, DSN: "host=" + dir + " dbname=a user=b"}, "PostgreSQL does not answer"},
		"path is directory": {ledger.Config{Path: dir}, "not writable"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.Open(t.Context(), c.cfg)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestFilesArePrivate: the files hold real numbers.
func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	l := open(t, ledger.Config{Path: filepath.Join(dir, "axgate.db")})
	addApp(t, l, routing.AX, nil, x1)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(entries), 2)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, e.Name())
	}
}

// TestOpenTogether: processes that begin at once share the migrations.
func TestOpenTogether(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					l, err := ledger.Open(context.Background(), cfg)
					if err == nil {
						err = l.Close()
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestClosed(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		require.NoError(t, l.Close())
		_, err := l.RaiseEpoch(t.Context(), "test")
		require.Error(t, err)
		_, err = l.Beat(t.Context(), ledger.Life{Node: "n", Incarnation: 1}, t0, 1)
		require.ErrorIs(t, err, ledger.ErrClosed)
	})
}
