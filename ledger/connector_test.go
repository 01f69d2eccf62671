package ledger_test

import (
	"context"
	"database/sql"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestSocketOptions: each connection finds a host that is gone without a word.
func TestSocketOptions(t *testing.T) {
	t.Parallel()
	cfg := ledgertest.Postgres(t)
	cfg.DSN = relayed(cfg.DSN, newRelay(t, "127.0.0.1:0", cfg.DSN))
	for i, pool := range ledger.Pools(open(t, cfg)) {
		on, err := pool.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, on.Raw(func(driver any) error {
			raw, err := ledger.Socket(driver.(*stdlib.Conn).Conn().PgConn().Conn()).(*net.TCPConn).SyscallConn()
			if err != nil {
				return err
			}
			return raw.Control(func(fd uintptr) {
				for _, o := range []struct {
					level, name, want int
				}{
					{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 10_000}, {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
					{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 5}, {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 3}, {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
				} {
					got, err := unix.GetsockoptInt(int(fd), o.level, o.name)
					require.NoError(t, err)
					require.Equal(t, o.want, got, "pool %d, option %d", i, o.name)
				}
			})
		}))
		require.NoError(t, on.Close())
	}
}

// TestSilentServer: a server that says nothing to a statement is not waited for, and its
// session is not used again; a caller who waits for less ends as ever.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	cfg := ledgertest.Postgres(t)
	for name, dsn := range map[string]string{"socket": cfg.DSN, "tcp": relayed(cfg.DSN, newRelay(t, "127.0.0.1:0", cfg.DSN))} {
		t.Run(name, func(t *testing.T) {
			const limit = 2 * time.Second
			db, err := ledger.OpenPostgres(dsn, limit)
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			db.SetMaxOpenConns(1)
			_, err = db.Exec("SELECT pg_sleep(0.2)")
			require.NoError(t, err)

			begun := time.Now()
			_, err = db.Exec("SELECT pg_sleep(60)")
			require.ErrorIs(t, err, ledger.ErrLost)
			require.True(t, ledger.Failed(err))
			require.WithinRange(t, time.Now(), begun.Add(limit), begun.Add(5*limit))

			short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err = db.ExecContext(short, "SELECT pg_sleep(60)")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, ledger.ErrLost)

			require.Eventually(t, func() bool { // they were cancelled
				var sleeping int
				require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)' AND state = 'active' AND datname = current_database()").Scan(&sleeping))
				return sleeping == 0
			}, 10*time.Second, 50*time.Millisecond)
		})
	}
}

// TestSilentForGood: migrations and what is loaded may take as long as they do.
func TestSilentForGood(t *testing.T) {
	t.Parallel()
	db, err := ledger.OpenPostgres(ledgertest.Postgres(t).DSN, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.Exec("SELECT pg_sleep(1)")
	require.NoError(t, err)
}

// TestSilentHost: the next host of the DSN is come to soon, if the first one
// takes connections and says nothing.
func TestSilentHost(t *testing.T) {
	t.Parallel()
	cfg := ledgertest.Postgres(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	db, err := ledger.OpenPostgres(relayed(cfg.DSN, silent.Addr(), newRelay(t, "127.0.0.1:0", cfg.DSN)), time.Minute)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // two for the silent one, and a busy machine
	defer cancel()
	require.NoError(t, db.PingContext(ctx))
}

// TestSilentSessions: a pool of sessions whose server is silent all at once costs who uses it no
// more than a few seconds.
func TestSilentSessions(t *testing.T) {
	t.Parallel()
	cfg := ledgertest.Postgres(t)
	first := newRelay(t, "127.0.0.1:0", cfg.DSN)
	db, err := ledger.OpenPostgres(relayed(cfg.DSN, first, newRelay(t, "127.0.0.1:0", cfg.DSN)), time.Minute)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	const sessions = 8
	db.SetMaxIdleConns(sessions)
	var all []*sql.Conn
	for range sessions {
		on, err := db.Conn(t.Context())
		require.NoError(t, err)
		all = append(all, on)
	}
	for _, on := range all {
		require.NoError(t, on.Close())
	}
	first.silent.Store(true)
	time.Sleep(1100 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // as long as outcomes of pushes have
	defer cancel()
	_, err = db.ExecContext(ctx, "SELECT 1")
	require.NoError(t, err)
}

// TestRecordBehindAnother: who records does not wait longer than it wants to for another one,
// whose session may hang.
func TestRecordBehindAnother(t *testing.T) {
	t.Parallel()
	cfg := ledgertest.Postgres(t)
	l := open(t, cfg)
	c, evs := owned("s", ledgertest.Alive(t, l, "a", t0))
	db, err := sql.Open("pgx", cfg.DSN)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("SELECT 1 FROM node_lives FOR UPDATE")
	require.NoError(t, err)
	first := make(chan error, 1)
	go func() {
		_, err := l.Record(context.Background(), []events.Entry{{Call: c, Events: evs}})
		first <- err
	}()
	require.Eventually(t, func() bool {
		var waiting int
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").Scan(&waiting))
		return waiting == 1
	}, 10*time.Second, 10*time.Millisecond)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err = l.Record(short, []events.Entry{{Call: c, Events: evs}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(begun), 3*time.Second)
	require.NoError(t, tx.Rollback())
	require.NoError(t, <-first)
}
