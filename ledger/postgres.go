package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func (l *Ledger) openPostgres(ctx context.Context, dsn string) error {
	if dsn == "" {
		return errors.New("PostgreSQL needs a connection string such as postgres://user@host/axgate: set its DSN")
	}
	if err := migratePostgres(ctx, dsn); err != nil {
		return err
	}
	db, err := connector{dsn, ackTime, answerTime}.open()
	if err != nil {
		return err
	}
	const conns = 16
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	l.writes, l.reads = db, db
	return l.openNodePool(dsn)
}

// migratePostgres waits for its statements as long as they take: of some each row of a large table
// is written anew.
func migratePostgres(ctx context.Context, dsn string) (err error) {
	db, err := connector{dsn: dsn, ackTime: ackTime}.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ping, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := db.PingContext(ping); err != nil {
		return fmt.Errorf("PostgreSQL does not answer: %w", err)
	}
	return migrate(ctx, db, Postgres)
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
