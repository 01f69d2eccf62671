package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"axgate/routing"
)

// endXY ends bindings of AXYB. held is the number whose lock the caller has,
// with its state; the others are locked here, X before Y and each in order, as
// everybody does: two that end or bind the same wait for each other, and what
// still meets the other way round PostgreSQL undoes and change repeats.
func endXY(s scope, list []routing.Binding, held *Number, at time.Time) (out Ended, err error) {
	numbers, err := lockOf(s, list, held)
	if err != nil {
		return out, err
	}
	for i := range list {
		b := &list[i]
		why := endUnbound
		if b.Ended(at) {
			why = endRanOut
		}
		if err := endOne(s, b, numbers, at, why); err != nil {
			return out, fmt.Errorf("end binding %s: %w", b.ID, err)
		}
	}
	out.Bindings = list
	for _, n := range numbers {
		out.Numbers = append(out.Numbers, n.XNumber)
	}
	return out, oweAll(s, out.Numbers, at)
}

// lockOf locks the numbers of bindings, but not the one that is held.
func lockOf(s scope, list []routing.Binding, held *Number) ([]*Number, error) {
	var xs, ys []routing.X
	for i := range list {
		xs = append(xs, list[i].X)
		if list[i].Y != "" {
			ys = append(ys, list[i].Y)
		}
	}
	slices.Sort(xs)
	slices.Sort(ys)
	var all []*Number
	for _, x := range append(slices.Compact(xs), slices.Compact(ys)...) {
		if held != nil && x == held.X {
			all = append(all, held)
			continue
		}
		n, err := lockNumber(s, x)
		if err != nil {
			return nil, err
		}
		all = append(all, &n)
	}
	return all, nil
}

// endOne ends a binding all of whose numbers are locked.
func endOne(s scope, b *routing.Binding, locked []*Number, at time.Time, why string) error {
	slots := map[routing.X][]Slot{b.X: {numberSlot(b.B)}, b.Y: {numberSlot(b.A)}}
	if b.Of == "" {
		slots = map[routing.X][]Slot{b.X: {slotAX, numberSlot(b.A)}}
		if err := releaseShare(s, b.App, b.A); err != nil {
			return err
		}
	}
	for _, n := range locked {
		taken, on := slots[n.X]
		if !on {
			continue
		}
		delete(slots, n.X)
		for _, slot := range taken {
			if err := releaseOn(s, b, n.X, slot); err != nil {
				return err
			}
		}
		if n.X == b.Y {
			b.YVersion = n.Version
		} else {
			b.Version = n.Version
		}
		if err := countDown(s, n); err != nil {
			return err
		}
	}
	if len(slots) > 0 {
		return fmt.Errorf("%d of its numbers are not locked", len(slots))
	}
	_, err := s.exec(`UPDATE bindings SET ended_at = $2, ended_why = $3, version = $4, y_version = $5 WHERE id = $1`,
		b.ID, micros(at), why, b.Version, b.YVersion)
	return err
}

// countDown counts a binding less on a number that is locked. The last one
// takes the role with it.
func countDown(s scope, n *Number) error {
	n.Bindings--
	if n.Bindings == 0 {
		n.role = roleFree
	}
	_, err := s.exec(`UPDATE numbers SET bindings = bindings - 1, role = $2 WHERE x = $1`, string(n.X), n.role)
	return err
}

// oweAll is owe for each of several numbers.
func oweAll(s scope, numbers []routing.XNumber, at time.Time) error {
	for _, n := range numbers {
		if err := owe(s, n.X, n.Version, at); err != nil {
			return err
		}
	}
	return nil
}

// endAllXY ends all bindings that a number of an AXYB app has as X or as Y.
func endAllXY(s scope, n *Number, at time.Time) ([]routing.Binding, error) {
	list, err := onEither(s, n.X)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	ended, err := endXY(s, list, n, at)
	return ended.Bindings, err
}

// SweepXY is SweepX for a number of an AXYB app, as X and as Y.
func (l *Ledger) SweepXY(ctx context.Context, n routing.X, at time.Time) ([]Removed, error) {
	due, err := expiredOnEither(l.read(ctx), n, at)
	if err == nil && len(due) > 0 {
		var removed []Removed
		if removed, err = l.sweepXY(ctx, n, at); err == nil {
			return removed, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sweep %s: %w", n, err)
	}
	return nil, nil
}

func (l *Ledger) sweepXY(ctx context.Context, n routing.X, at time.Time) (removed []Removed, err error) {
	err = l.change(ctx, func(s scope) error {
		removed = nil
		due, err := expiredOnEither(s, n, at)
		if err != nil || len(due) == 0 {
			return err
		}
		locked, err := lockOf(s, due, nil)
		if err != nil {
			return err
		}
		// Once more, for what another process has ended meanwhile. What it bound is
		// left for the next time: its numbers may not be locked.
		found := due
		if due, err = expiredOnEither(s, n, at); err != nil {
			return err
		}
		due = slices.DeleteFunc(due, func(b routing.Binding) bool {
			return !slices.ContainsFunc(found, func(f routing.Binding) bool { return f.ID == b.ID })
		})
		for i := range due {
			if err := endOne(s, &due[i], locked, at, endRanOut); err != nil {
				return fmt.Errorf("end binding %s: %w", due[i].ID, err)
			}
		}
		for _, number := range locked {
			if err := owe(s, number.X, number.Version, at); err != nil {
				return err
			}
			for _, b := range due {
				if b.X == number.X || b.Y == number.X {
					removed = append(removed, Removed{Binding: b, Number: number.XNumber})
				}
			}
		}
		return nil
	})
	return removed, err
}

// expiredOnEither lists the bindings whose time has come that a number has as
// X or as Y.
func expiredOnEither(s scope, n routing.X, at time.Time) ([]routing.Binding, error) {
	list, err := expired(s, n, at)
	if err != nil {
		return nil, err
	}
	more, err := listBindings(s, `WHERE b.y = $1 AND b.y <> '' AND b.ended_at = 0 AND b.until_at > 0 AND b.until_at <= $2`, string(n), micros(at))
	return append(list, more...), err
}
