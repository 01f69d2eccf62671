package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/routing"
)

// Why bindings ended, as kept with them.
const (
	endUnbound = "unbound"
	endRanOut  = "expired"
)

// Removed is a binding that ended, and its X after that. A relation of AXYB is
// removed twice, from X and from Y.
type Removed struct {
	Binding routing.Binding // its version of Number is that once it was gone
	Number  routing.XNumber
}

// lockBinding locks the X of a binding that has to stand and to belong to app.
// One whose time has come does not stand.
func lockBinding(s scope, app, id string, at time.Time) (b routing.Binding, n Number, err error) {
	found, err := findBinding(s, id)
	if err != nil {
		return b, n, err
	}
	if found.App != app {
		return b, n, ErrNotYours
	}
	if n, err = lockNumber(s, found.X); err != nil {
		return b, n, err
	}
	// Once more: what was found may have changed before the lock was held.
	if found, err = findBinding(s, id); err != nil {
		return b, n, err
	}
	switch {
	case !found.endedAt.IsZero():
		return b, n, &EndedError{Binding: found.Binding, Why: found.why}
	case found.Ended(at):
		return b, n, &EndedError{Binding: found.Binding, Why: endRanOut}
	}
	return found.Binding, n, nil
}

func findBinding(s scope, id string) (storedBinding, error) {
	b, err := scanBinding(s, `WHERE b.id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return b, ErrNoBinding
	}
	if err != nil {
		return b, fmt.Errorf("read binding %s: %w", id, err)
	}
	return b, nil
}

// Unbind ends a binding of the app. Refusals: ErrNoBinding (an *EndedError if
// it stood once), ErrNotYours, and a *RepeatedError (see WithRequest).
func (l *Ledger) Unbind(ctx context.Context, app, id string, at time.Time) (Removed, error) {
	var out Removed
	err := l.change(ctx, func(s scope) error {
		if err := note(ctx, s, app, id, "", at); err != nil {
			return err
		}
		b, n, err := lockBinding(s, app, id, at)
		if err != nil {
			return err
		}
		if b.Mode == routing.AXYB { // UnbindAXYB knows its other numbers
			return ErrWrongMode
		}
		if err := end(s, &b, &n, at, endUnbound); err != nil {
			return err
		}
		out = Removed{Binding: b, Number: n.XNumber}
		return owe(s, n.X, n.Version, at)
	})
	if err != nil {
		return Removed{}, fmt.Errorf("unbind %s: %w", id, err)
	}
	return out, nil
}

// UnbindX ends all bindings of an X of the app, in one transaction.
// Refusals: ErrUnknownX, ErrNotYours, ErrNoBinding if it has none, and a
// *RepeatedError (see WithRequest).
func (l *Ledger) UnbindX(ctx context.Context, app string, x routing.X, at time.Time) (ended []routing.Binding, number routing.XNumber, err error) {
	err = l.change(ctx, func(s scope) error {
		if err := note(ctx, s, app, "", x, at); err != nil {
			return err
		}
		n, err := lockOwn(s, app, x)
		if err != nil {
			return err
		}
		// Those whose time has come are no longer there to be unbound.
		if err := endExpired(s, &n, at); err != nil {
			return err
		}
		if ended, err = endAll(s, &n, at); err != nil {
			return err
		}
		if len(ended) == 0 {
			return ErrNoBinding
		}
		number = n.XNumber
		return owe(s, x, n.Version, at)
	})
	if err != nil {
		return nil, routing.XNumber{}, fmt.Errorf("unbind all of %s: %w", x, err)
	}
	return ended, number, nil
}

// Sweep ends bindings whose time has come, the oldest first, at most limit.
func (l *Ledger) Sweep(ctx context.Context, at time.Time, limit int) ([]Removed, error) {
	due, err := listBindings(l.read(ctx), `WHERE b.ended_at = 0 AND b.until_at > 0 AND b.until_at <= $1 ORDER BY b.until_at LIMIT $2`, micros(at), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	var swept []Removed
	done := map[routing.X]bool{}
	for _, b := range due {
		if done[b.X] {
			continue
		}
		done[b.X] = true
		sweep := l.sweepNumber
		if b.Mode == routing.AXYB {
			sweep = l.sweepXY
		}
		removed, err := sweep(ctx, b.X, at)
		if err != nil {
			return swept, fmt.Errorf("sweep %s: %w", b.X, err)
		}
		swept = append(swept, removed...)
	}
	return swept, nil
}

// SweepX is Sweep for the bindings of one X.
func (l *Ledger) SweepX(ctx context.Context, x routing.X, at time.Time) ([]Removed, error) {
	due, err := expired(l.read(ctx), x, at)
	if err == nil && len(due) > 0 {
		var removed []Removed
		if removed, err = l.sweepNumber(ctx, x, at); err == nil {
			return removed, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sweep %s: %w", x, err)
	}
	return nil, nil
}

func (l *Ledger) sweepNumber(ctx context.Context, x routing.X, at time.Time) (removed []Removed, err error) {
	err = l.change(ctx, func(s scope) error {
		n, err := lockNumber(s, x)
		if err != nil {
			return err
		}
		list, err := expired(s, x, at)
		if err != nil {
			return err
		}
		removed = nil
		if len(list) == 0 { // another process was faster
			return nil
		}
		for _, b := range list {
			if err := end(s, &b, &n, at, endRanOut); err != nil {
				return err
			}
			removed = append(removed, Removed{Binding: b})
		}
		for i := range removed {
			removed[i].Number = n.XNumber
		}
		return owe(s, x, n.Version, at)
	})
	return removed, err
}

func expired(s scope, x routing.X, at time.Time) ([]routing.Binding, error) {
	return listBindings(s, `WHERE b.x = $1 AND b.ended_at = 0 AND b.until_at > 0 AND b.until_at <= $2`, string(x), micros(at))
}

// endExpired makes the room that bindings of X whose time has come still hold.
// In the cache their entries end by themselves.
func endExpired(s scope, n *Number, at time.Time) error {
	list, err := expired(s, n.X, at)
	if err != nil {
		return err
	}
	for _, b := range list {
		if err := end(s, &b, n, at, endRanOut); err != nil {
			return err
		}
	}
	return nil
}

// endAll ends all bindings of a number. Those of AXYB are relations with other
// numbers too, of which the cache has to hear as well.
func endAll(s scope, n *Number, at time.Time) ([]routing.Binding, error) {
	if n.Mode == routing.AXYB {
		return endAllXY(s, n, at)
	}
	list, err := listBindings(s, `WHERE b.x = $1 AND b.ended_at = 0`, string(n.X))
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := end(s, &list[i], n, at, endUnbound); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// end ends a binding of an X that is locked: its places, its share and what
// belonged to it go, and the binding is kept as history.
func end(s scope, b *routing.Binding, n *Number, at time.Time, why string) error {
	for _, slot := range slots(b) {
		if err := release(s, b, slot); err != nil {
			return err
		}
	}
	var err error
	switch b.Mode {
	case routing.AX:
		if err = releaseShare(s, b.App, b.A); err == nil {
			_, err = s.exec(`DELETE FROM temporaries WHERE x = $1`, string(b.X))
		}
	case routing.AXE:
		if _, err = s.exec(`DELETE FROM callbacks WHERE x = $1 AND a = $2`, string(b.X), string(b.A)); err == nil {
			err = reopen(s, b, n)
		}
	}
	if err != nil {
		return fmt.Errorf("end binding %s: %w", b.ID, err)
	}
	b.Version = n.Version
	if _, err := s.exec(`UPDATE bindings SET ended_at = $2, ended_why = $3, version = $4 WHERE id = $1`, b.ID, micros(at), why, b.Version); err != nil {
		return fmt.Errorf("end binding %s: %w", b.ID, err)
	}
	n.Bindings--
	if _, err := s.exec(`UPDATE numbers SET bindings = bindings - 1 WHERE x = $1`, string(b.X)); err != nil {
		return fmt.Errorf("count the bindings of %s: %w", b.X, err)
	}
	return nil
}

// reopen notes that an extension is free again.
func reopen(s scope, b *routing.Binding, n *Number) error {
	freed, err := value(b.Ext)
	if err != nil || freed >= n.lowest {
		return err
	}
	n.lowest = freed
	_, err = s.exec(`UPDATE numbers SET lowest = $2 WHERE x = $1`, string(b.X), int64(freed))
	return err
}
