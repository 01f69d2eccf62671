package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"axgate/routing"
)

// maxShares is how many X an A may have within an app (section 1).
const maxShares = 5

// Bind stores a binding of b.X, which has to belong to b.App. An empty ID is
// given; an AXE binding without extension gets a free one, the lowest or any as
// the app says. Bindings of X that ran out before b.CreatedAt make room first.
// The results are the binding with its ID, extension, area code and version,
// and X after it.
//
// Refusals: ErrUnknownX, ErrNotYours, ErrWrongMode, ErrUnusable (an
// *UnusableError), ErrSlotTaken (a *TakenError), ErrFull, ErrTooManyX, and a
// *RepeatedError (see WithRequest).
func (l *Ledger) Bind(ctx context.Context, b routing.Binding) (routing.Binding, routing.XNumber, error) {
	if b.ID == "" {
		id, err := uuid.NewV7() // rising: neighbours in time are neighbours in the index
		if err != nil {
			return b, routing.XNumber{}, fmt.Errorf("bind %s: make an id: %w", b.X, err)
		}
		b.ID = id.String()
	}
	b = stored(b)
	var out routing.Binding
	var number routing.XNumber
	err := l.change(ctx, func(s scope) error {
		if err := note(ctx, s, b.App, b.ID, b.X, b.CreatedAt); err != nil {
			return err
		}
		out = b
		n, err := bind(s, &out)
		number = n.XNumber
		return err
	})
	if err != nil {
		return b, routing.XNumber{}, fmt.Errorf("bind %s: %w", b.X, err)
	}
	return out, number, nil
}

func bind(s scope, b *routing.Binding) (Number, error) {
	n, err := lockForBind(s, b)
	if err != nil {
		return n, err
	}
	b.Version, b.AreaCode = n.Version, n.AreaCode
	if err := takeSlots(s, b, &n); err != nil {
		return n, err
	}
	if b.Mode == routing.AX || b.Mode == routing.AXYB {
		if err := takeShare(s, b.App, b.A); err != nil {
			return n, err
		}
	}
	if n.Bindings >= n.Room {
		return n, ErrFull
	}
	if err := countUp(s, &n, 1, roleOf(b)); err != nil {
		return n, err
	}
	if err := insertBindings(s, b); err != nil {
		return n, err
	}
	return n, owe(s, b.X, n.Version, b.CreatedAt)
}

// lockForBind locks the binding's X, on which a binding of its kind has to be
// possible, and makes room where others ran out.
func lockForBind(s scope, b *routing.Binding) (Number, error) {
	n, err := lockOwn(s, b.App, b.X)
	switch {
	case err != nil:
		return n, err
	case n.Mode != b.Mode:
		return n, ErrWrongMode
	case n.Status != routing.StatusNormal:
		return n, &UnusableError{Status: n.Status}
	case b.Mode == routing.AXYB && b.Of != "":
		return n, fmt.Errorf("binding %s is a relation, which has its own way to be bound", b.ID)
	case n.role != roleFree: // what has ended there is swept with its other numbers
		return n, ErrFull
	}
	return n, endExpired(s, &n, b.CreatedAt)
}

// takeSlots gives the binding its places, and an extension if it needs one.
func takeSlots(s scope, b *routing.Binding, n *Number) error {
	if b.Mode == routing.AXE && b.Ext == "" {
		// A's own place first: a second bind of the same A is no shortage.
		if err := take(s, b, numberSlot(b.A)); err != nil {
			return err
		}
		if err := giveExtension(s, b, n); err != nil {
			return err
		}
		return take(s, b, extSlot(b.Ext))
	}
	for _, slot := range slots(b) {
		if err := take(s, b, slot); err != nil {
			return err
		}
	}
	return nil
}

func giveExtension(s scope, b *routing.Binding, n *Number) error {
	var digits int
	var random bool
	if err := s.scan(`SELECT ext_digits, random_ext FROM apps WHERE key = $1`, one(b.App), &digits, &random); err != nil {
		return fmt.Errorf("read app %s: %w", b.App, err)
	}
	if n.Bindings >= n.Room {
		return ErrFull
	}
	var pick func(int) int
	if random {
		pick = rand.IntN
	}
	ext, err := allot(s, b.X, n.lowest, n.Room, digits, pick)
	if err != nil {
		return err
	}
	b.Ext = ext
	if random {
		return nil
	}
	given, err := value(ext)
	if err != nil {
		return err
	}
	if _, err := s.exec(`UPDATE numbers SET lowest = $2 WHERE x = $1`, string(b.X), int64(given+1)); err != nil {
		return fmt.Errorf("note the extensions in use: %w", err)
	}
	return nil
}

func takeShare(s scope, app string, a routing.Number) error {
	n, err := s.exec(`INSERT INTO shares (app, a, n) VALUES ($1, $2, 1)
		ON CONFLICT (app, a) DO UPDATE SET n = shares.n + 1 WHERE shares.n < $3`, app, string(a), int64(maxShares))
	if err != nil {
		return fmt.Errorf("count the X of A: %w", err)
	}
	if n == 0 {
		return ErrTooManyX
	}
	return nil
}

func releaseShare(s scope, app string, a routing.Number) error {
	n, err := s.exec(`UPDATE shares SET n = n - 1 WHERE app = $1 AND a = $2 AND n > 1`, app, string(a))
	if err == nil && n == 0 {
		_, err = s.exec(`DELETE FROM shares WHERE app = $1 AND a = $2`, app, string(a))
	}
	if err != nil {
		return fmt.Errorf("count the X of A: %w", err)
	}
	return nil
}

// Modify changes a binding that stands. change gets it as stored and edits what
// may be changed; it may be called more than once, and what it refuses leaves
// everything as it was. X, extension, mode and owner stay whatever change does.
// The results are the binding before and after, and X.
//
// Refusals: ErrNoBinding (an *EndedError if it stood once), ErrNotYours,
// ErrSlotTaken (a *TakenError), and a *RepeatedError (see WithRequest).
func (l *Ledger) Modify(ctx context.Context, app, id string, at time.Time, change func(*routing.Binding) error) (before, after routing.Binding, n routing.XNumber, err error) {
	err = l.change(ctx, func(s scope) error {
		if err := note(ctx, s, app, id, "", at); err != nil {
			return err
		}
		var x Number
		var err error
		if before, x, err = lockBinding(s, app, id, at); err != nil {
			return err
		}
		n = x.XNumber
		after = before
		if err := change(&after); err != nil {
			return err
		}
		after.ID, after.App, after.Mode, after.X, after.Ext = before.ID, before.App, before.Mode, before.X, before.Ext
		if after.Mode != routing.AXB { // only there may the numbers change
			after.A, after.B = before.A, before.B
		}
		after.AreaCode, after.CreatedAt = before.AreaCode, before.CreatedAt
		after.ModifiedAt, after.Version = at, n.Version
		after = stored(after)
		if err := moveSlots(s, &before, &after); err != nil {
			return err
		}
		if err := updateBinding(s, &after); err != nil {
			return err
		}
		return owe(s, after.X, n.Version, at)
	})
	if err != nil {
		return before, after, n, fmt.Errorf("modify binding %s: %w", id, err)
	}
	return before, after, n, nil
}

// moveSlots frees what the binding no longer needs and takes what it needs now.
func moveSlots(s scope, before, after *routing.Binding) error {
	had, needs := slots(before), slots(after)
	for _, slot := range had {
		if !slices.Contains(needs, slot) {
			if err := release(s, before, slot); err != nil {
				return err
			}
		}
	}
	for _, slot := range needs {
		if !slices.Contains(had, slot) {
			if err := take(s, after, slot); err != nil {
				return err
			}
		}
	}
	return nil
}
