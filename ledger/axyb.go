package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"axgate/routing"
)

// The roles of a number in an AXYB app, as long as it has bindings.
const (
	roleFree = ""
	roleX    = "x"
	roleY    = "y"
)

// roleOf is what a binding that is no relation makes of its X.
func roleOf(b *routing.Binding) string {
	if b.Mode == routing.AXYB {
		return roleX
	}
	return roleFree
}

// relations is how many bindings fit on a number of an AXYB app (API appendix
// A): so many relations of a Y; of an X one less, and its AX part.
const relations = 1000

// ErrNoY tells that a relation cannot have the Y that was chosen for it; what
// it wraps tells why.
var ErrNoY = errors.New("the Y cannot be had")

// BindYB stores a relation of an AXYB binding: B and yb.Y for the A and X of
// the AX part yb.Of, with what that part says of calls. It ends with the part,
// or at yb.Until if that is earlier. An empty ID is given. The results are the
// relation with its versions, and X and Y after it.
//
// Refusals: ErrNoBinding (an *EndedError if the part stood once), ErrNotYours,
// ErrUnusable (an *UnusableError), ErrSlotTaken (a *TakenError: B is on X
// already), ErrFull, ErrNoY for another Y to be chosen, and a *RepeatedError
// (see WithRequest).
func (l *Ledger) BindYB(ctx context.Context, yb routing.Binding) (out routing.Binding, numbers []routing.XNumber, err error) {
	if yb.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return yb, nil, fmt.Errorf("bind %s: make an id: %w", yb.Y, err)
		}
		yb.ID = id.String()
	}
	yb = stored(yb)
	err = l.change(ctx, func(s scope) error {
		if err := note(ctx, s, yb.App, yb.ID, yb.Y, yb.CreatedAt); err != nil {
			return err
		}
		part, x, err := lockPart(s, yb.App, yb.Of, yb.CreatedAt)
		if err != nil {
			return err
		}
		out = relation(&part, &yb)
		if numbers, err = bindYB(s, &out, x); err != nil {
			return err
		}
		return oweAll(s, numbers, yb.CreatedAt)
	})
	if err != nil {
		return yb, nil, fmt.Errorf("bind a Y to binding %s: %w", yb.Of, err)
	}
	return out, numbers, nil
}

// relation is a relation with what it has of its AX part.
func relation(part, yb *routing.Binding) routing.Binding {
	b := *part
	b.ID, b.Of, b.B, b.Y = yb.ID, part.ID, yb.B, yb.Y
	b.CreatedAt, b.ModifiedAt, b.CallerTone, b.Sent = yb.CreatedAt, yb.ModifiedAt, yb.CallerTone, yb.Sent
	if b.Until.IsZero() || !yb.Until.IsZero() && yb.Until.Before(b.Until) {
		b.Until = yb.Until
	}
	return b
}

// lockPart locks the X of an AX part that has to stand and to belong to app.
func lockPart(s scope, app, id string, at time.Time) (routing.Binding, Number, error) {
	b, n, err := lockBinding(s, app, id, at)
	if err == nil && (b.Mode != routing.AXYB || b.Of != "") {
		err = ErrNoBinding
	}
	return b, n, err
}

// bindYB puts a relation on its X, which is locked, and its Y.
func bindYB(s scope, b *routing.Binding, x Number) ([]routing.XNumber, error) {
	if x.Status != routing.StatusNormal {
		return nil, &UnusableError{Status: x.Status}
	}
	b.Version = x.Version
	if err := takeOn(s, b, b.X, numberSlot(b.B)); err != nil {
		return nil, err
	}
	if x.Bindings >= x.Room {
		return nil, ErrFull
	}
	y, err := takeY(s, b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoY, err)
	}
	if err := insertBindings(s, b); err != nil {
		return nil, err
	}
	for _, on := range []struct {
		n    *Number
		role string
	}{{&x, roleX}, {&y, roleY}} {
		if err := countUp(s, on.n, 1, on.role); err != nil {
			return nil, err
		}
	}
	return []routing.XNumber{x.XNumber, y.XNumber}, nil
}

// takeY locks the Y of a relation and takes A's place on it.
func takeY(s scope, b *routing.Binding) (Number, error) {
	y, err := lockOwn(s, b.App, b.Y)
	switch {
	case err != nil:
		return y, err
	case y.Mode != routing.AXYB:
		return y, ErrWrongMode
	case y.Status != routing.StatusNormal:
		return y, &UnusableError{Status: y.Status}
	case y.role == roleX, y.Bindings >= y.Room:
		return y, ErrFull
	}
	b.YVersion = y.Version
	return y, takeOn(s, b, b.Y, numberSlot(b.A))
}

// countUp counts more bindings on a number that is locked. The table has the
// last word on room and role.
func countUp(s scope, n *Number, more int, role string) error {
	n.Bindings += more
	n.role = role
	if _, err := s.exec(`UPDATE numbers SET bindings = bindings + $3, role = $2 WHERE x = $1`, string(n.X), role, int64(more)); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}

// Ended are bindings that were ended together.
type Ended struct {
	Bindings []routing.Binding // with the versions of their numbers once they were gone
	Numbers  []routing.XNumber // each number that one of them was on, after that; the X first
}

// UnbindAXYB ends an AXYB binding of the app: its AX part and all its
// relations; or the relation with a Y or else with a B alone. The id of a
// relation ends that one.
//
// Refusals: ErrNoBinding (an *EndedError if the binding that id names stood
// once), ErrNotYours, and a *RepeatedError (see WithRequest).
func (l *Ledger) UnbindAXYB(ctx context.Context, app, id string, y routing.X, b routing.Number, at time.Time) (out Ended, err error) {
	err = l.change(ctx, func(s scope) error {
		if err := note(ctx, s, app, id, "", at); err != nil {
			return err
		}
		named, x, err := lockBinding(s, app, id, at)
		if err != nil {
			return err
		}
		if named.Mode != routing.AXYB {
			return ErrWrongMode
		}
		list, err := chosen(s, &named, y, b, at)
		if err != nil {
			return err
		}
		out, err = endXY(s, list, &x, at)
		return err
	})
	if err != nil {
		return Ended{}, fmt.Errorf("unbind %s: %w", id, err)
	}
	return out, nil
}

// chosen are the bindings that an unbind is about. X is locked, so that they
// stay what they are.
func chosen(s scope, named *routing.Binding, y routing.X, b routing.Number, at time.Time) ([]routing.Binding, error) {
	all := named.Of == "" && y == "" && b == ""
	list, err := onX(s, named.X)
	if err != nil || all {
		return list, err
	}
	list = slices.DeleteFunc(list, func(r routing.Binding) bool {
		switch {
		case r.Of == "" || named.Of != "" && r.ID != named.ID || r.Ended(at):
			return true
		case y != "":
			return r.Y != y
		case b != "":
			return r.B != b
		}
		return false
	})
	if len(list) == 0 {
		return nil, ErrNoBinding
	}
	return list, nil
}
