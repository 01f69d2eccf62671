package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// querier is what *sql.DB, *sql.Tx and *sql.Conn have in common.
type querier interface {
	preparer
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// scope runs statements on one transaction, or one by one on a pool. With
// SQLite each text is compiled once and kept; pgx does that itself.
type scope struct {
	ctx   context.Context
	on    querier
	stmts *statements // nil: the driver keeps compiled texts itself

	watched func(w Work, begun time.Time, err error) // of single reads; nil: nobody is told
}

// exec returns how many rows were changed.
func (s scope) exec(query string, args ...any) (int64, error) {
	var result sql.Result
	var err error
	if s.stmts == nil {
		result, err = s.on.ExecContext(s.ctx, query, args...)
	} else {
		var stmt *sql.Stmt
		if stmt, err = s.stmts.get(s.ctx, query); err == nil {
			result, err = stmt.ExecContext(s.ctx, args...)
		}
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s scope) query(query string, args ...any) (rows *sql.Rows, err error) {
	if s.watched != nil {
		defer func(begun time.Time) { s.watched(Read, begun, err) }(time.Now())
	}
	if s.stmts == nil {
		return s.on.QueryContext(s.ctx, query, args...)
	}
	stmt, err := s.stmts.get(s.ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(s.ctx, args...)
}

// scan reads the only row into dest; there may be none (sql.ErrNoRows).
func (s scope) scan(query string, args []any, dest ...any) (err error) {
	if s.watched != nil {
		defer func(begun time.Time) { s.watched(Read, begun, err) }(time.Now())
	}
	if s.stmts == nil {
		return s.on.QueryRowContext(s.ctx, query, args...).Scan(dest...)
	}
	stmt, err := s.stmts.get(s.ctx, query)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(s.ctx, args...).Scan(dest...)
}

// one is for the arguments of scan.
func one(args ...any) []any { return args }

// statements are compiled texts, kept as long as what they were compiled for.
type statements struct {
	on       preparer
	compiles sync.Mutex // may be held while a connection is waited for

	mu  sync.RWMutex // never is: who has a connection needs it
	all map[string]*sql.Stmt
}

func newStatements(on preparer) *statements {
	return &statements{on: on, all: map[string]*sql.Stmt{}}
}

// known is a text that is compiled, nil if it is not.
func (s *statements) known(query string) *sql.Stmt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.all[query]
}

func (s *statements) get(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := s.known(query); stmt != nil {
		return stmt, nil
	}
	s.compiles.Lock()
	defer s.compiles.Unlock()
	if stmt := s.known(query); stmt != nil {
		return stmt, nil
	}
	stmt, err := s.on.PrepareContext(ctx, positional(query))
	if err != nil {
		return nil, fmt.Errorf("compile %q: %w", query, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[query] = stmt
	return stmt, nil
}

// positional writes ? for $1, $2 and so on, if each stands there once and in
// its turn: to SQLite $1 is a name, and for each it would look through all names.
func positional(query string) string {
	var b strings.Builder
	b.Grow(len(query))
	next, quoted := 1, false
	for rest := query; rest != ""; {
		c := rest[0]
		if c == '\'' {
			quoted = !quoted
		}
		if c != '$' || quoted {
			b.WriteByte(c)
			rest = rest[1:]
			continue
		}
		end := 1
		for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
			end++
		}
		if rest[1:end] != strconv.Itoa(next) {
			return query
		}
		b.WriteByte('?')
		rest = rest[end:]
		next++
	}
	return b.String()
}

// close ends them; errors do not matter, for their connection is closed next.
func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stmt := range s.all {
		_ = stmt.Close()
	}
	s.all = map[string]*sql.Stmt{}
}
