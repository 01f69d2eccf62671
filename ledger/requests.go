package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/routing"
)

// Request is a change that a client named by an id of its own, so that it can
// ask for it again without changing anything twice.
type Request struct {
	ID        string // unique within the app
	Operation string
	Digest    string // of what was asked for

	// Of the change that stands.
	Subscription string // empty: all bindings of X
	X            routing.X
	At           time.Time
}

// RepeatedError tells that the change was made already.
type RepeatedError struct {
	By Request
}

func (e *RepeatedError) Error() string {
	return fmt.Sprintf("the request %q was carried out before", e.By.ID)
}

type requestKey struct{}

// WithRequest has the one change of a binding that is made with the context
// noted as that of the request, in its transaction. Was the change made before,
// it is refused by a *RepeatedError.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// note keeps that a change is the one of the request in ctx, if any. It comes
// before everything else in the transaction: of two that make the same change
// the second waits here, with nothing locked, until it is clear whether the
// first was refused. x may be empty for a binding that exists.
func note(ctx context.Context, s scope, app, subscription string, x routing.X, at time.Time) error {
	r, ok := ctx.Value(requestKey{}).(Request)
	if !ok {
		return nil
	}
	n, err := s.exec(`INSERT INTO requests (app, id, operation, digest, subscription, x, at)
		VALUES ($1, $2, $3, $4, $5, COALESCE((SELECT x FROM bindings WHERE id = $5), $6), $7) ON CONFLICT DO NOTHING`,
		app, r.ID, r.Operation, r.Digest, subscription, string(x), micros(at))
	if err != nil {
		return fmt.Errorf("note the request: %w", err)
	}
	if n == 1 {
		return nil
	}
	by, err := request(s, app, r.ID)
	switch {
	case err != nil:
		return err
	case by == nil:
		return fmt.Errorf("the request %q was forgotten at this moment", r.ID)
	}
	return &RepeatedError{By: *by}
}

// Request is what a request of the app changed; nil if it changed nothing, or
// was forgotten.
func (l *Ledger) Request(ctx context.Context, app, id string) (*Request, error) {
	return request(l.read(ctx), app, id)
}

func request(s scope, app, id string) (*Request, error) {
	r := Request{ID: id}
	var at int64
	err := s.scan(`SELECT operation, digest, subscription, x, at FROM requests WHERE app = $1 AND id = $2`, one(app, id),
		&r.Operation, &r.Digest, &r.Subscription, &r.X, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what a request changed: %w", err)
	}
	r.At = instant(at)
	return &r, nil
}

// ForgetRequests forgets requests from before an instant, at most limit, and
// tells how many.
func (l *Ledger) ForgetRequests(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = l.change(ctx, func(s scope) error {
		gone, err := s.exec(`DELETE FROM requests WHERE (app, id) IN (SELECT app, id FROM requests WHERE at < $1 ORDER BY at LIMIT $2)`,
			micros(before), int64(limit))
		n = int(gone)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget old requests: %w", err)
	}
	return n, nil
}
