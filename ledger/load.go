package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Refusals of a load.
var (
	ErrNotEmpty = errors.New("there are apps, numbers, calls or operators already")
	ErrAlive    = errors.New("a node is alive on the ledger")
)

// Errors of a load into PostgreSQL after which what was there is not there any more,
// or may not be.
var (
	ErrForward = errors.New("the ledger was loaded, but its schema was not brought forward, which the next start of a node does")
	ErrInDoubt = errors.New("whether the ledger was loaded is not known")
)

// LoadOptions are those of a load.
type LoadOptions struct {
	Schema  int64  // version of the schema that the rows are of
	Replace bool   // what is there goes; without it that is a refusal
	Why     string // of the new epoch of the cache, for operators

	// Patience is how long PostgreSQL is asked what became of a commit whose answer
	// was lost; 0: 30 s.
	Patience time.Duration
}

// Load makes a ledger of what feed gives: of an SQLite file that is not there
// yet, or in a PostgreSQL database without nodes. It is all there, in the schema
// of this program, or nothing is, but for ErrForward and ErrInDoubt. The cache's epoch
// becomes one that no cache can have, and the version of each X one that it never had,
// so that no cache contradicts what was loaded. Refusals: ErrNotEmpty, ErrAlive.
func Load(ctx context.Context, cfg Config, o LoadOptions, feed func(Sink) error) (epoch int64, err error) {
	if cfg.Driver == Postgres {
		epoch, err = loadPostgres(ctx, cfg.DSN, &o, feed)
	} else {
		epoch, err = loadSQLite(ctx, cfg.Path, &o, feed)
	}
	if err != nil {
		return epoch, fmt.Errorf("load a ledger: %w", err)
	}
	return epoch, nil
}

func loadSQLite(ctx context.Context, path string, o *LoadOptions, feed func(Sink) error) (epoch int64, err error) {
	if _, err := os.Lstat(path); err == nil {
		return 0, fmt.Errorf("%s: %w", path, os.ErrExist)
	}
	if err := prepareFile(path); err != nil {
		return 0, err
	}
	db, err := openPool(path, 1, "_txlock=immediate")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrateTo(ctx, db, SQLite, o.Schema); err != nil {
		return 0, err
	}
	if epoch, err = loadRows(ctx, db, SQLite, o, feed); err != nil {
		return 0, err
	}
	if err := migrate(ctx, db, SQLite); err != nil {
		return 0, err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return epoch, err
}

func loadPostgres(ctx context.Context, dsn string, o *LoadOptions, feed func(Sink) error) (epoch int64, err error) {
	const stalled = 2 * time.Minute // a disk may keep the server from reading more of a table
	db, err := connector{dsn: dsn, ackTime: stalled}.open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }() // what was committed stands
	is, err := schemaOf(ctx, db, Postgres)
	if err != nil {
		return 0, err
	}
	if is != 0 && is != o.Schema {
		return 0, fmt.Errorf("the database has the schema of version %d, what is loaded that of version %d: use an empty database", is, o.Schema)
	}
	if err := migrateTo(ctx, db, Postgres, o.Schema); err != nil {
		return 0, err
	}
	if epoch, err = loadRows(ctx, db, Postgres, o, feed); err != nil {
		return 0, err
	}
	// There is nothing to go back to, so nothing ends this.
	if err := migrate(context.WithoutCancel(ctx), db, Postgres); err != nil {
		return epoch, fmt.Errorf("%w: %w", ErrForward, err)
	}
	return epoch, nil
}

// loadRows loads all in one transaction.
func loadRows(ctx context.Context, db *sql.DB, driver string, o *LoadOptions, feed func(Sink) error) (epoch int64, err error) {
	on, err := db.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = on.Close() }() // what was committed stands
	tx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("begin a transaction: %w", err)
	}
	s := scope{ctx: ctx, on: tx}
	defer func() { err = errors.Join(err, undone(tx.Rollback())) }()
	used, err := clearTables(s, driver, o)
	if err != nil {
		return 0, err
	}
	var id int64 // of the transaction
	if driver == Postgres {
		if err := s.scan(`SELECT txid_current()`, nil, &id); err != nil {
			return 0, fmt.Errorf("name the transaction: %w", err)
		}
	}
	in := inserting(s)
	if driver == Postgres {
		in = copying(ctx, on)
	}
	if err := feed(in); err != nil {
		return 0, err
	}
	if err := in.flush(); err != nil {
		return 0, err
	}
	if epoch, err = newTruth(s, used, o.Why); err != nil {
		return 0, err
	}
	err = tx.Commit()
	if err != nil && driver == Postgres {
		err = outcome(ctx, db, id, o.Patience, err)
	}
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	return epoch, nil
}

// outcome asks PostgreSQL whether a transaction stands whose commit has failed: it may
// be that its answer alone was lost. nil: it does.
func outcome(ctx context.Context, db *sql.DB, id int64, patience time.Duration, failed error) error {
	const usual, step = 30 * time.Second, 200 * time.Millisecond
	if patience == 0 {
		patience = usual
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for {
		var status sql.NullString
		err := db.QueryRowContext(ctx, `SELECT txid_status($1)`, id).Scan(&status)
		if err == nil && status.String == "committed" {
			return nil
		}
		if err == nil && status.String == "aborted" {
			return failed
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrInDoubt, errors.Join(failed, err))
		case <-time.After(step):
		}
	}
}

// aliveNode asks whether a node is alive, by the clock of the database: those of
// machines may be off.
func aliveNode(driver string, schema int64) string {
	const lives = 18 // the schema since which the ledger notes when it heard of a node, and what that does
	now := (&Ledger{driver: driver}).clock()
	if schema < lives {
		return fmt.Sprintf(`SELECT 1 FROM nodes WHERE alive_at >= %s - %d`, now, silentFor.Microseconds())
	}
	return fmt.Sprintf(`SELECT 1 FROM nodes WHERE heard_at >= %s - %d AND state <> '%s'`, now, silentFor.Microseconds(), NodeGone)
}

// clearTables empties the tables, and tells the epoch that they had. What a
// node would miss is only emptied if o says so.
func clearTables(s scope, driver string, o *LoadOptions) (epoch int64, err error) {
	if driver == Postgres { // no node begins meanwhile
		if _, err := s.exec(`LOCK TABLE nodes IN EXCLUSIVE MODE`); err != nil {
			return 0, fmt.Errorf("lock the nodes: %w", err)
		}
	}
	var alive, full bool
	err = s.scan(`SELECT EXISTS (`+aliveNode(driver, o.Schema)+`), EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM numbers)
		OR EXISTS (SELECT 1 FROM calls) OR EXISTS (SELECT 1 FROM messages) OR EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM operators),
		(SELECT value FROM marks WHERE name = 'epoch')`, nil, &alive, &full, &epoch)
	switch {
	case err != nil:
		return 0, fmt.Errorf("look at what is there: %w", err)
	case alive:
		return 0, ErrAlive
	case full && !o.Replace:
		return 0, ErrNotEmpty
	}
	there, err := tablesOf(s, driver)
	if err != nil {
		return 0, fmt.Errorf("list the tables: %w", err)
	}
	for _, t := range slices.Backward(tables) {
		if !there[t] { // the schema is an older one
			continue
		}
		if _, err := s.exec(`DELETE FROM ` + t); err != nil {
			return 0, fmt.Errorf("empty the table %s: %w", t, err)
		}
	}
	return epoch, nil
}

// tablesOf are those that a database has.
func tablesOf(s scope, driver string) (there map[string]bool, err error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if driver == Postgres {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	rows, err := s.query(query)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	there = map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		there[name] = true
	}
	return there, nil
}

// newTruth makes what was loaded newer than anything that a cache may hold.
func newTruth(s scope, used int64, why string) (epoch int64, err error) {
	const versions = 1 << 32 // more changes than an X ever has
	now := time.Now()
	// Epochs rise by one now and then: no ledger ever had that of its seconds.
	err = s.scan(`UPDATE marks SET value = CASE WHEN value < $1 THEN $1 ELSE value END + 1, why = $2, at = $3 WHERE name = 'epoch' RETURNING value`,
		one(max(used, now.Unix()), why, micros(now)), &epoch)
	if err == nil {
		_, err = s.exec(`UPDATE numbers SET version = version + $1`, int64(versions))
	}
	if err != nil {
		return 0, fmt.Errorf("raise the cache's epoch: %w", err)
	}
	return epoch, nil
}

// batch gathers rows of a table, and puts many at once.
type batch struct {
	put     func(table string, columns []Column, values []any) error // the rows one behind the other
	most    int                                                      // rows at once
	table   string
	columns []Column
	values  []any
}

// Table is Sink's. A table may be named again to go on.
func (b *batch) Table(name string, columns []Column) error {
	if err := b.flush(); err != nil {
		return err
	}
	if !slices.Contains(tables, name) {
		return fmt.Errorf("there is no table %.64q", name)
	}
	for _, c := range columns {
		if c.Name == "" || strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return fmt.Errorf("%.64q is no name of a column", c.Name)
		}
	}
	b.table, b.columns = name, columns
	return nil
}

// Row is Sink's.
func (b *batch) Row(values []any) error {
	if len(values) != len(b.columns) || len(values) == 0 {
		return fmt.Errorf("table %s: a row has %d values, not %d", b.table, len(values), len(b.columns))
	}
	b.values = append(b.values, values...)
	if len(b.values) < b.most*len(b.columns) {
		return nil
	}
	return b.flush()
}

func (b *batch) flush() error {
	if len(b.values) == 0 {
		return nil
	}
	if err := b.put(b.table, b.columns, b.values); err != nil {
		return fmt.Errorf("table %s: %w", b.table, err)
	}
	b.values = b.values[:0]
	return nil
}

func namesOf(columns []Column) []string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	return names
}

// inserting puts rows by statements, which SQLite takes.
func inserting(s scope) *batch {
	return &batch{most: 100, put: func(table string, columns []Column, values []any) error {
		_, err := s.exec(`INSERT INTO `+table+` (`+strings.Join(namesOf(columns), ", ")+`) VALUES `+places(len(values)/len(columns), len(columns)), values...)
		return err
	}}
}

// copying puts rows by COPY, which PostgreSQL takes half as fast again; it is of the
// transaction that the connection is in.
func copying(ctx context.Context, on *sql.Conn) *batch {
	return &batch{most: 2000, put: func(table string, columns []Column, values []any) error {
		n := len(columns)
		rows := pgx.CopyFromSlice(len(values)/n, func(i int) ([]any, error) { return values[i*n:][:n], nil })
		return on.Raw(func(driver any) error {
			_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, namesOf(columns), rows)
			return err
		})
	}}
}
