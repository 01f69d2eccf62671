package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"axgate/routing"
)

// onX lists the bindings of an X that have not been ended.
func onX(s scope, x routing.X) ([]routing.Binding, error) {
	return listBindings(s, `WHERE b.x = $1 AND b.ended_at = 0 ORDER BY b.id`, string(x))
}

// onY lists the relations that have a number as Y and have not been ended.
func onY(s scope, y routing.X) ([]routing.Binding, error) {
	return listBindings(s, `WHERE b.y = $1 AND b.y <> '' AND b.ended_at = 0 ORDER BY b.id`, string(y))
}

// onEither lists the bindings that a number of an AXYB app has as X or as Y.
func onEither(s scope, n routing.X) ([]routing.Binding, error) {
	list, err := onX(s, n)
	if err != nil {
		return nil, err
	}
	more, err := onY(s, n)
	return append(list, more...), err
}

// addRelations adds to a dossier the relations that have the number as Y. Each
// binding has the version of this number alone.
func addRelations(s scope, d *routing.Dossier) error {
	more, err := onY(s, d.Number.X)
	if err != nil {
		return err
	}
	d.Bindings = append(d.Bindings, more...)
	for i := range d.Bindings {
		d.Bindings[i] = d.Bindings[i].Seen(d.Number.X)
	}
	return nil
}

// RelationsOfY lists the relations that have a number as Y and stand at at, the
// oldest first, behind the id after ("" at first), at most limit.
func (l *Ledger) RelationsOfY(ctx context.Context, y routing.X, at time.Time, after string, limit int) ([]routing.Binding, error) {
	return listBindings(l.read(ctx), `WHERE b.y = $1 AND b.y <> '' AND b.ended_at = 0 AND b.id > $2 AND (b.until_at = 0 OR b.until_at > $3) ORDER BY b.id LIMIT $4`,
		string(y), after, micros(at), int64(limit))
}

// pickXY is PickNumber in an AXYB app: for an AX part a number without bindings;
// for a relation, whose A is known, a Y that has room and does not know A, or
// else a number without bindings.
func (l *Ledger) pickXY(ctx context.Context, app string, at Place, b *routing.Binding) (routing.X, error) {
	roles := []string{roleFree}
	if b.Of != "" {
		roles = []string{roleY, roleFree}
	}
	for _, role := range roles {
		p := newPick(app, at, b)
		p.role = role
		x, _, err := p.behind(l.read(ctx), rand.Int64N(lots))
		if !errors.Is(err, ErrFull) {
			return x, err
		}
	}
	return "", ErrFull
}

// NumbersOf lists the numbers that a part of an AXYB binding is or was on; id is
// that of any part. With owed only those that were changed without anybody's
// word that the cache knows.
func (l *Ledger) NumbersOf(ctx context.Context, id string, owed bool) (list []routing.X, err error) {
	s := l.read(ctx)
	b, err := findBinding(s, id)
	if err != nil {
		return nil, err
	}
	query := `SELECT x FROM numbers WHERE x IN (SELECT x FROM bindings WHERE id = $1
		UNION SELECT y FROM bindings WHERE part_of = $1 AND part_of <> '')`
	if owed {
		query += ` AND x IN (SELECT x FROM unsettled)`
	}
	rows, err := s.query(query+` ORDER BY x`, b.Subscription())
	if err != nil {
		return nil, fmt.Errorf("list the numbers of binding %s: %w", id, err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var x routing.X
		if err := rows.Scan(&x); err != nil {
			return nil, fmt.Errorf("read the numbers of binding %s: %w", id, err)
		}
		list = append(list, x)
	}
	return list, nil
}

// PartsOfY lists the AX parts, by their ids, of the relations that have a
// number as Y.
func (l *Ledger) PartsOfY(ctx context.Context, y routing.X) (map[string]routing.Binding, error) {
	list, err := listBindings(l.read(ctx), `WHERE b.id IN (SELECT part_of FROM bindings WHERE y = $1 AND y <> '' AND ended_at = 0)`, string(y))
	if err != nil {
		return nil, err
	}
	parts := make(map[string]routing.Binding, len(list))
	for _, b := range list {
		parts[b.ID] = b
	}
	return parts, nil
}
