package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrDamaged tells that a file is no SQLite database, or none that can be read.
var ErrDamaged = errors.New("the database is damaged")

// Alone is a ledger of SQLite that no other process has open, nor opens.
type Alone struct {
	db *sql.DB
	on *sql.Conn
}

// TakeAlone takes a ledger of SQLite, of whatever schema. Its file is the whole
// of it then: what stood in its log is in it, and there is no log. Refusals: ErrAlive,
// ErrDamaged.
func TakeAlone(ctx context.Context, path string) (*Alone, error) {
	db, err := openPool(path, 1, "_txlock=exclusive")
	if err != nil {
		return nil, err
	}
	on, err := db.Conn(ctx)
	if err == nil {
		if err = lockAlone(ctx, on); err != nil {
			err = errors.Join(err, on.Close())
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take %s alone: %w", path, whyNotAlone(err)), db.Close())
	}
	return &Alone{db, on}, nil
}

// lockAlone turns the log off, which only who is alone can: everybody else who has
// the file open holds a lock on it, a process that stands still too.
func lockAlone(ctx context.Context, on *sql.Conn) error {
	var mode string
	if err := on.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode); err != nil {
		return err
	}
	if _, err := on.ExecContext(ctx, `BEGIN EXCLUSIVE`); err != nil {
		return err
	}
	if err := on.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if mode != "delete" { // somebody opened it in between, and turned the log on
		return ErrAlive
	}
	return nil
}

// whyNotAlone names the refusal that an error of SQLite is.
func whyNotAlone(err error) error {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return fmt.Errorf("another process has it open: %w", ErrAlive)
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return err
}

// Release lets others open it.
func (a *Alone) Release() error {
	_, err := a.on.ExecContext(context.Background(), `ROLLBACK`)
	if err := errors.Join(err, a.on.Close(), a.db.Close()); err != nil {
		return fmt.Errorf("let go of the ledger: %w", err)
	}
	return nil
}
