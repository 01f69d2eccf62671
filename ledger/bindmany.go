package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"axgate/routing"
)

// Bound is what became of one of many bindings.
type Bound struct {
	Binding routing.Binding // as stored, if it is
	Refused error           // nil: it is stored
}

// BindMany is Bind for many bindings, in one transaction: what is refused is
// refused alone, as Bind would, and the others are stored. The results are in
// the order of list; versions are those of the X that were changed, of which
// the cache has to hear.
func (l *Ledger) BindMany(ctx context.Context, list []routing.Binding) (results []Bound, versions map[routing.X]int64, err error) {
	all := make([]Bound, len(list))
	for i, b := range list {
		if b.ID == "" {
			id, err := uuid.NewV7()
			if err != nil {
				return nil, nil, fmt.Errorf("bind %d bindings: make an id: %w", len(list), err)
			}
			b.ID = id.String()
		}
		all[i].Binding = stored(b)
	}
	err = l.change(ctx, func(s scope) error {
		results, versions = slices.Clone(all), make(map[routing.X]int64)
		for _, group := range byX(results) {
			if err := bindGroup(s, group, versions); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("bind %d bindings: %w", len(list), err)
	}
	return results, versions, nil
}

// byX are the bindings of each X of an app, in the order of X: all lock in one
// order.
func byX(all []Bound) (groups [][]*Bound) {
	order := make([]*Bound, len(all))
	for i := range all {
		order[i] = &all[i]
	}
	slices.SortStableFunc(order, func(a, b *Bound) int {
		return cmp.Or(cmp.Compare(a.Binding.X, b.Binding.X), cmp.Compare(a.Binding.App, b.Binding.App), cmp.Compare(a.Binding.Mode, b.Binding.Mode))
	})
	for len(order) > 0 {
		first, n := &order[0].Binding, 1
		for n < len(order) && order[n].Binding.X == first.X && order[n].Binding.App == first.App && order[n].Binding.Mode == first.Mode {
			n++
		}
		groups = append(groups, order[:n])
		order = order[n:]
	}
	return groups
}

// errApart tells that bindings cannot be stored together.
var errApart = errors.New("the bindings have to be stored one by one")

// bindGroup stores the bindings of an X together, or, if one of them is in the
// way, each by itself.
func bindGroup(s scope, group []*Bound, versions map[routing.X]int64) error {
	x := group[0].Binding.X
	var version int64
	err := undoable(s, func() (err error) { version, err = bindTogether(s, group); return err })
	if err == nil {
		versions[x] = version
		return nil
	}
	if !refusal(err) && !errors.Is(err, errApart) {
		return err
	}
	for _, b := range group {
		was := b.Binding
		var n Number
		b.Refused = undoable(s, func() (err error) { n, err = bind(s, &b.Binding); return err })
		switch {
		case b.Refused == nil:
			versions[x] = n.Version
		case refusal(b.Refused):
			b.Binding = was
		default:
			return b.Refused
		}
	}
	return nil
}

// bindTogether is bind for bindings of one X, with few statements.
func bindTogether(s scope, group []*Bound) (version int64, err error) {
	first := &group[0].Binding
	n, err := lockForBind(s, first)
	if err != nil {
		return 0, err
	}
	if n.Bindings+len(group) > n.Room || first.Mode == routing.AXYB {
		return 0, errApart
	}
	list := make([]*routing.Binding, len(group))
	var places [][]any
	for i := range group {
		b := &group[i].Binding
		if b.Mode == routing.AXE && b.Ext == "" {
			return 0, errApart
		}
		b.Version, b.AreaCode, list[i] = n.Version, n.AreaCode, b
		for _, slot := range slots(b) {
			places = append(places, []any{string(b.X), string(slot), b.ID})
		}
		if b.Mode == routing.AX {
			if err := takeShare(s, b.App, b.A); err != nil {
				return 0, err
			}
		}
	}
	if err := takeAll(s, places); err != nil {
		return 0, err
	}
	if err := countUp(s, &n, len(list), roleOf(first)); err != nil {
		return 0, err
	}
	if err := insertBindings(s, list...); err != nil {
		return 0, err
	}
	return n.Version, owe(s, n.X, n.Version, first.CreatedAt)
}

// takeAll is take for many places; errApart if one of them is taken.
func takeAll(s scope, rows [][]any) error {
	for len(rows) > 0 {
		part := rows[:min(s.rowsAtOnce(len(rows[0])), len(rows))]
		rows = rows[len(part):]
		n, err := s.exec(`INSERT INTO bound (x, slot, subscription) VALUES `+places(len(part), len(part[0]))+` ON CONFLICT DO NOTHING`, flat(part)...)
		if err != nil {
			return fmt.Errorf("take places: %w", err)
		}
		if int(n) < len(part) {
			return errApart
		}
	}
	return nil
}

// undoable runs work; if it fails, nothing of it is left in the transaction.
func undoable(s scope, work func() error) error {
	if _, err := s.exec("SAVEPOINT part"); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	failure := work()
	if failure != nil {
		if _, err := s.exec("ROLLBACK TO SAVEPOINT part"); err != nil {
			return fmt.Errorf("return to the savepoint after %q: %w", failure, err) // not to be taken for the failure
		}
	}
	if _, err := s.exec("RELEASE SAVEPOINT part"); err != nil {
		return fmt.Errorf("release the savepoint: %w", err)
	}
	return failure
}

// refusal tells whether an error of bind is one of the binding, not of the
// database.
func refusal(err error) bool {
	var taken *TakenError
	var unusable *UnusableError
	if errors.As(err, &taken) || errors.As(err, &unusable) {
		return true
	}
	for _, known := range []error{ErrUnknownX, ErrNotYours, ErrWrongMode, ErrFull, ErrTooManyX} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// Among tells which numbers are X of ours that were not returned.
func (l *Ledger) Among(ctx context.Context, numbers []routing.Number) (xs map[routing.Number]bool, err error) {
	xs = make(map[routing.Number]bool)
	for len(numbers) > 0 {
		part := numbers[:min(mostParameters, len(numbers))]
		numbers = numbers[len(part):]
		args := make([]any, len(part))
		for i, n := range part {
			args[i] = string(n)
		}
		if err := l.among(ctx, args, xs); err != nil {
			return nil, fmt.Errorf("tell real numbers from X: %w", err)
		}
	}
	return xs, nil
}

func (l *Ledger) among(ctx context.Context, numbers []any, xs map[routing.Number]bool) (err error) {
	rows, err := l.read(ctx).query(`SELECT x FROM numbers WHERE status <> 'returned' AND x IN (`+parameters(1, len(numbers))+`)`, numbers...)
	if err != nil {
		return err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var n routing.Number
		if err := rows.Scan(&n); err != nil {
			return err
		}
		xs[n] = true
	}
	return nil
}
