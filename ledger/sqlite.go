package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// openSQLite opens two pools on one file: a single connection that writes, and
// a few that read. In WAL mode they do not wait for each other.
func (l *Ledger) openSQLite(ctx context.Context, path string) error {
	if path == "" {
		return errors.New("SQLite needs a file: set its path")
	}
	if err := prepareFile(path); err != nil {
		return err
	}
	writes, err := openPool(path, 1, "_txlock=immediate&_pragma=wal_autocheckpoint("+checkpointAfter+")")
	if err != nil {
		return err
	}
	if err := migrate(ctx, writes, SQLite); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), writes.Close())
	}
	const readers = 4
	reads, err := openPool(path, readers, "_pragma=query_only(1)")
	if err != nil {
		return errors.Join(err, writes.Close())
	}
	l.writes, l.reads, l.stmts = writes, reads, newStatements(reads)
	return nil
}

// checkpointAfter is how many pages the log gets before they are moved to their
// places: most of them are written anew by many transactions, and moved once.
const checkpointAfter = "4000"

func openPool(path string, conns int, option string) (*sql.DB, error) {
	// FULL: a commit is on the disk before it returns, in WAL mode too.
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
		"&_pragma=cache_size(-32768)&_pragma=journal_size_limit(67108864)&" + option
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// prepareFile makes the file and its directory, readable by nobody else: they
// hold real numbers.
func prepareFile(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	// SQLite makes -wal and -shm files beside the database, so the directory
	// has to be writable too.
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("the data directory %s is not writable: %w", dir, err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return fmt.Errorf("the data directory %s: %w", dir, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the database file is not writable: %w", err)
	}
	return f.Close()
}
