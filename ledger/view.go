package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// view runs work on one state of the database: what several statements read
// belongs together, whatever changes meanwhile.
func (l *Ledger) view(ctx context.Context, work func(scope) error) (err error) {
	defer func(begun time.Time) { l.watched(Read, begun, err) }(time.Now())
	var as *sql.TxOptions // a transaction of SQLite that only reads sees one state
	if l.driver == Postgres {
		as = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := l.reads.BeginTx(ctx, as)
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	if l.stmts == nil {
		return errors.Join(work(scope{ctx: ctx, on: tx}), undone(tx.Rollback()))
	}
	on := &viewer{Tx: tx, stmts: l.stmts}
	if err := errors.Join(work(scope{ctx: ctx, on: on}), undone(tx.Rollback())); err != nil {
		return err
	}
	on.compile(ctx)
	return nil
}

// viewer runs on a transaction the statements that are compiled already.
// Compiling may need another connection, for which a transaction must not wait:
// others may wait for its own. New texts are compiled once it is over.
type viewer struct {
	*sql.Tx
	stmts *statements
	fresh []string
}

func (v *viewer) compiled(ctx context.Context, query string) *sql.Stmt {
	if stmt := v.stmts.known(query); stmt != nil {
		return v.StmtContext(ctx, stmt)
	}
	v.fresh = append(v.fresh, query)
	return nil
}

// QueryContext is that of the transaction.
func (v *viewer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := v.compiled(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return v.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of the transaction.
func (v *viewer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := v.compiled(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return v.Tx.QueryRowContext(ctx, query, args...)
}

// compile compiles what was new. What fails, fails again where it is needed.
func (v *viewer) compile(ctx context.Context) {
	for _, query := range v.fresh {
		_, _ = v.stmts.get(ctx, query)
	}
}
