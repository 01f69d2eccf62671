package ledger

import (
	"context"
	"fmt"
	"time"

	"axgate/routing"
)

// Binding reads a binding that stands. Refusal: ErrNoBinding (an *EndedError if
// it stood once; one whose time has come stands no more).
func (l *Ledger) Binding(ctx context.Context, id string, at time.Time) (routing.Binding, error) {
	b, err := findBinding(l.read(ctx), id)
	switch {
	case err != nil:
		return routing.Binding{}, err
	case !b.endedAt.IsZero():
		return routing.Binding{}, &EndedError{Binding: b.Binding, Why: b.why}
	case b.Ended(at):
		return routing.Binding{}, &EndedError{Binding: b.Binding, Why: endRanOut}
	}
	return b.Binding, nil
}

// Bound is the binding that has a number's, or with an extension the
// extension's, or with neither the AX place on X; nil if none that stands at at
// has it.
func (l *Ledger) Bound(ctx context.Context, x routing.X, n routing.Number, ext routing.Extension, at time.Time) (*routing.Binding, error) {
	slot := slotAX
	switch {
	case ext != "":
		slot = extSlot(ext)
	case n != "":
		slot = numberSlot(n)
	}
	b, err := holder(l.read(ctx), x, slot)
	if err != nil || b == nil || b.Ended(at) {
		return nil, err
	}
	return b, nil
}

// BindingsOfX lists the bindings of X that stand at at, the oldest first, behind
// the id after ("" at first), at most limit.
func (l *Ledger) BindingsOfX(ctx context.Context, x routing.X, at time.Time, after string, limit int) ([]routing.Binding, error) {
	return listBindings(l.read(ctx), `WHERE b.x = $1 AND b.ended_at = 0 AND b.id > $2 AND (b.until_at = 0 OR b.until_at > $3) ORDER BY b.id LIMIT $4`,
		string(x), after, micros(at), int64(limit))
}

// PageOfX is BindingsOfX by page number: it skips so many, and counts them all.
func (l *Ledger) PageOfX(ctx context.Context, x routing.X, at time.Time, skip, limit int) (list []routing.Binding, total int, err error) {
	const standing = `x = $1 AND ended_at = 0 AND (until_at = 0 OR until_at > $2)`
	s := l.read(ctx)
	if err := s.scan(`SELECT count(*) FROM bindings WHERE `+standing, one(string(x), micros(at)), &total); err != nil {
		return nil, 0, fmt.Errorf("count the bindings of %s: %w", x, err)
	}
	list, err = listBindings(s, `WHERE `+standing+` ORDER BY b.id LIMIT $3 OFFSET $4`, string(x), micros(at), int64(limit), int64(skip))
	return list, total, err
}

// BindingsOfA lists the AX bindings of an A in an app.
func (l *Ledger) BindingsOfA(ctx context.Context, app string, a routing.Number) ([]routing.Binding, error) {
	return listBindings(l.read(ctx), `WHERE b.a = $1 AND b.ended_at = 0 AND b.mode = 'AX' AND b.app = $2 ORDER BY b.id`, string(a), app)
}
