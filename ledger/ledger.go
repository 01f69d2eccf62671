// Package ledger keeps the truth in SQL: apps, numbers, bindings, calls, and
// the events that are owed to customers. SQLite is the default; PostgreSQL
// takes the same schema and statements.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"axgate/vault"
)

// The drivers.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Config says where the ledger is.
type Config struct {
	Driver string // SQLite (the default) or Postgres
	Path   string // SQLite: the file; its directory is made if it is missing
	DSN    string // Postgres: a URL or key=value connection string

	// Ring encrypts the secrets of apps and of the system; nil: they are stored
	// as they are.
	Ring *vault.Ring

	// Watch is told of each piece of work; nil: nobody is.
	Watch Watch
}

// Ledger is an open ledger. It is safe for use by many goroutines and, with
// other Ledgers on the same database, by many processes.
type Ledger struct {
	driver string
	ring   *vault.Ring
	reads  *sql.DB
	stmts  *statements
	writes *sql.DB
	nodes  *sql.DB // of nodes (openNodePool); PostgreSQL only
	writer *writer // SQLite only
	watch  Watch
	due    chan struct{} // holds a token once events may be due

	clocked atomic.Pointer[reading] // the last of its clock

	recording chan struct{} // takes a token of who has records
	records   records

	closed  atomic.Bool
	shut    sync.Once
	shutErr error
}

// Open connects to the database, brings its schema up to date, and starts the
// writer. A schema newer than this program knows is refused.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	l := &Ledger{driver: cfg.Driver, ring: cfg.Ring, watch: cfg.Watch}
	var err error
	switch cfg.Driver {
	case SQLite, "":
		l.driver = SQLite
		err = l.openSQLite(ctx, cfg.Path)
	case Postgres:
		err = l.openPostgres(ctx, cfg.DSN)
	default:
		err = fmt.Errorf("the driver %q is unknown: use %s or %s", cfg.Driver, SQLite, Postgres)
	}
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	l.due, l.recording, l.records = make(chan struct{}, 1), make(chan struct{}, 1), newRecords(l.Now)
	if l.driver == SQLite {
		l.writer = newWriter(l.writes)
	}
	return l, nil
}

// Close waits for what is being written and closes the database.
func (l *Ledger) Close() error {
	l.shut.Do(func() {
		l.closed.Store(true)
		if l.writer != nil {
			l.writer.close()
		}
		if l.stmts != nil {
			l.stmts.close()
		}
		l.shutErr = l.writes.Close()
		if l.reads != l.writes {
			l.shutErr = errors.Join(l.shutErr, l.reads.Close())
		}
		if l.nodes != nil {
			l.shutErr = errors.Join(l.shutErr, l.nodes.Close())
		}
	})
	return l.shutErr
}

// rouse tells the pusher that events were written which may be due.
func (l *Ledger) rouse() {
	select {
	case l.due <- struct{}{}:
	default:
	}
}

// change runs work in a transaction. work may be run again from its beginning
// if the database asks for that, so it must not keep state between runs.
// Anything it returns undoes what it did.
func (l *Ledger) change(ctx context.Context, work func(scope) error) error {
	return l.changeBy(ctx, l.writes, work)
}

// changeBy is change by a pool of connections to PostgreSQL.
func (l *Ledger) changeBy(ctx context.Context, pool *sql.DB, work func(scope) error) (err error) {
	defer func(begun time.Time) { l.watched(Change, begun, err) }(time.Now())
	if l.driver == SQLite {
		return l.writer.do(ctx, work)
	}
	if l.closed.Load() {
		return ErrClosed
	}
	const tries = 5
	for try := 1; ; try++ {
		err := l.changeOnce(ctx, pool, work)
		if err == nil || try == tries || !serialization(err) {
			return err
		}
	}
}

func (l *Ledger) changeOnce(ctx context.Context, pool *sql.DB, work func(scope) error) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	if err := work(scope{ctx: ctx, on: tx}); err != nil {
		return errors.Join(err, undone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// once is changeBy for a single statement, which PostgreSQL runs without a
// transaction around it: one journey.
func (l *Ledger) once(ctx context.Context, pool *sql.DB, work func(scope) error) (err error) {
	defer func(begun time.Time) { l.watched(Change, begun, err) }(time.Now())
	if l.driver == SQLite {
		return l.writer.do(ctx, work)
	}
	if l.closed.Load() {
		return ErrClosed
	}
	return work(scope{ctx: ctx, on: pool})
}

// undone drops the errors of a rollback that say that nothing is left to undo.
func undone(err error) error {
	if err == nil || errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return fmt.Errorf("roll back: %w", err)
}

// read returns a scope for single statements; view is for several.
func (l *Ledger) read(ctx context.Context) scope {
	return scope{ctx: ctx, on: l.reads, stmts: l.stmts, watched: l.watched}
}

// micros is an instant as the tables have it.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
