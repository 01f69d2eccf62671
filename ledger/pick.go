package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"axgate/routing"
)

// Place is where X of an app are looked for; with neither field, anywhere.
type Place struct {
	Area     string // area code with its leading 0; wins over Province
	Province string // as stored with the numbers
}

// lot is the place of an X on a circle of lots points. The factor is the golden
// section of the circle, so that neighbouring numbers lie far and evenly apart
// and the next X behind a random point is any of them, nearly equally likely.
// Indexes have the same expression (migration 5).
const (
	lot  = `CAST(substr(x, length(x) - 8) AS BIGINT) * 1327217885 % 2147483647`
	lots = 2147483647
)

// open are X that take bindings, as the partial indexes spell it.
const open = `status = 'normal' AND bindings < room`

// PickNumber is a random X of the app at the place that has room for b, which
// is to begin at b.CreatedAt: for one binding more, and for the numbers and the
// extension of b. Of two random ones it is that with fewer bindings, so that
// they spread evenly over the numbers without anybody keeping count. Bindings
// whose time has come take no room. ErrFull: there is no such X. Another change
// may be faster than a following Bind.
func (l *Ledger) PickNumber(ctx context.Context, app string, at Place, b *routing.Binding) (routing.X, error) {
	if b.Mode == routing.AXYB {
		return l.pickXY(ctx, app, at, b)
	}
	p := newPick(app, at, b)
	x, load, err := p.behind(l.read(ctx), rand.Int64N(lots))
	switch {
	case errors.Is(err, ErrFull):
		return p.overdue(l.read(ctx), b)
	case err != nil || load == 0:
		return x, err
	}
	other, less, err := p.behind(l.read(ctx), rand.Int64N(lots))
	switch {
	case errors.Is(err, ErrFull): // the one that was found was taken meanwhile: Bind will tell
		return x, nil
	case err != nil:
		return "", err
	case less < load:
		return other, nil
	}
	return x, nil
}

// pick is a search for an X.
type pick struct {
	role  string   // of the X in an AXYB app, empty in others and if it is nobody's
	where string   // the app and the place
	slots []string // the parameters that are b's slots
	args  []any    // $1 app, $2 place, $3 left open, from $4 on the slots
}

func newPick(app string, at Place, b *routing.Binding) *pick {
	p := &pick{where: `numbers.app = $1 AND $2 = ''`, args: one(app, "", nil)}
	switch {
	case at.Area != "":
		p.where, p.args[1] = `numbers.app = $1 AND numbers.area = $2`, at.Area
	case at.Province != "":
		p.where, p.args[1] = `numbers.app = $1 AND numbers.province = $2`, at.Province
	}
	for _, slot := range slots(b) {
		p.args = append(p.args, string(slot))
		p.slots = append(p.slots, fmt.Sprintf("$%d", len(p.args)))
	}
	return p
}

// sides are the two parts of the circle as seen from a point: at it and behind,
// and from its beginning to the point.
var sides = []string{">=", "<"}

// behind is the first X with room at a point of the circle or behind it, and
// how many bindings it has.
func (p *pick) behind(s scope, point int64) (x routing.X, load int, err error) {
	p.args[2] = point
	for _, side := range sides {
		err := s.scan(p.text(side), p.args, &x, &load)
		if err == nil {
			return x, load, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return "", 0, fmt.Errorf("choose an X: %w", err)
		}
	}
	return "", 0, ErrFull
}

func (p *pick) text(side string) string {
	return `SELECT x, bindings FROM numbers WHERE ` + p.where + ` AND role = '` + p.role + `' AND ` + open + ` AND ` + lot + ` ` + side + ` $3` +
		p.free(`(SELECT TRUE FROM bound WHERE bound.x = numbers.x AND bound.slot = %s)`) + ` ORDER BY ` + lot + ` LIMIT 1`
}

// free leaves out X for which a query tells that somebody has a slot. It is a
// value, not NOT EXISTS: that PostgreSQL would join, and sort what it has joined.
func (p *pick) free(query string) string {
	var s strings.Builder
	for _, slot := range p.slots {
		fmt.Fprintf(&s, ` AND `+query+` IS NOT TRUE`, slot)
	}
	return s.String()
}

// overdue is an X that has room once its bindings whose time has come are
// ended: until then they count, and hold their slots.
func (p *pick) overdue(s scope, b *routing.Binding) (x routing.X, err error) {
	p.args[2] = micros(b.CreatedAt)
	err = s.scan(p.overdueText(), p.args, &x)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrFull
	}
	if err != nil {
		return "", fmt.Errorf("choose an X with room again: %w", err)
	}
	return x, nil
}

// overdueText goes over the bindings that are due, which are few.
func (p *pick) overdueText() string {
	return `SELECT due.x FROM bindings due WHERE due.ended_at = 0 AND due.until_at > 0 AND due.until_at <= $3
		AND (SELECT TRUE FROM numbers WHERE numbers.x = due.x AND ` + p.where + ` AND status = 'normal') IS TRUE` +
		p.free(`(SELECT TRUE FROM bound JOIN bindings o ON o.id = bound.subscription
			WHERE bound.x = due.x AND bound.slot = %s AND (o.until_at = 0 OR o.until_at > $3))`) + ` ORDER BY due.until_at LIMIT 1`
}
