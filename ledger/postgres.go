package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

func (l *Ledger) openPostgres(ctx context.Context, dsn string) error {
	if dsn == "" {
		return errors.New("PostgreSQL needs a connection string such as postgres://user@host/axgate: set its DSN")
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return fmt.Errorf("the PostgreSQL connection string: %w", err)
	}
	const conns = 16
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	ping, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := db.PingContext(ping); err != nil {
		return errors.Join(fmt.Errorf("PostgreSQL does not answer: %w", err), db.Close())
	}
	if err := migrate(ctx, db, Postgres); err != nil {
		return errors.Join(err, db.Close())
	}
	l.writes, l.reads = db, db
	return l.openNodePool(dsn)
}

// serialization tells whether PostgreSQL undid a transaction only because of
// another one that ran at the same time.
func serialization(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// NoText tells whether PostgreSQL refused bytes that are no text to it: a NUL,
// or what is not UTF-8. SQLite takes them; nothing that is stored has any.
func NoText(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "22021"
}
