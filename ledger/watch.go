package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Work is what the database does, in a word.
type Work string

// The kinds of work.
const (
	Change Work = "change" // a transaction that writes, the wait for its turn included
	Read   Work = "read"   // one statement that reads, or several on one state
)

// Watch is told how long the database took for something, and whether it
// failed: refusals by the rules or by constraints are no failures. It must not
// block.
type Watch func(w Work, took time.Duration, failed bool)

// watched tells the watch of work that has ended.
func (l *Ledger) watched(w Work, begun time.Time, err error) {
	if l.watch != nil {
		l.watch(w, time.Since(begun), Failed(err))
	}
}

// Failed tells whether an error is one of the database itself: that it cannot
// be reached, took too long or cannot work, not that it refused something.
func Failed(err error) bool {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:min(2, len(pg.Code))] {
		case "08", "53", "57", "58", "XX", "25", "28", "3D", "42": // connection, resources, operator, system, internal, read-only, password, no database, no table
			return true
		}
		return false
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
			return false
		}
		return true
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, errLost) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, sql.ErrConnDone)
}
