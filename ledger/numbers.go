package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/routing"
)

// Number is an X with all that is kept about it.
type Number struct {
	routing.XNumber
	Carrier  string
	Voice    bool // takes calls
	SMS      bool
	Cause    string // why it is not normal: a cause of the number status push (1 deleted, 2 arrears …); may be empty
	Room     int    // how many bindings fit
	Granted  time.Time
	Released time.Time // zero: it was not returned

	lowest int // AXE: no extension below it is free
}

const numberColumns = `x, app, mode, status, area, city, province, bindings, version,
	carrier, voice, sms, cause, room, granted_at, released_at, lowest`

func readNumber(r row) (n Number, err error) {
	var granted, released int64
	err = r.Scan(&n.X, &n.App, &n.Mode, &n.Status, &n.AreaCode, &n.City, &n.Province, &n.Bindings, &n.Version,
		&n.Carrier, &n.Voice, &n.SMS, &n.Cause, &n.Room, &granted, &released, &n.lowest)
	n.Granted, n.Released = instant(granted), instant(released)
	return n, err
}

// lockNumber raises the version of X. From there on, until the transaction
// ends, nobody else changes the number or what is bound to it.
func lockNumber(s scope, x routing.X) (Number, error) {
	n, err := readNumber(scanner(func(dest ...any) error {
		return s.scan(`UPDATE numbers SET version = version + 1 WHERE x = $1 RETURNING `+numberColumns, one(string(x)), dest...)
	}))
	if errors.Is(err, sql.ErrNoRows) {
		return n, ErrUnknownX
	}
	if err != nil {
		return n, fmt.Errorf("lock %s: %w", x, err)
	}
	return n, nil
}

// lockOwn is lockNumber for an X that has to belong to app.
func lockOwn(s scope, app string, x routing.X) (Number, error) {
	n, err := lockNumber(s, x)
	if err == nil && n.App != app {
		err = ErrNotYours
	}
	return n, err
}

// Number reads an X; ErrUnknownX if it is not ours.
func (l *Ledger) Number(ctx context.Context, x routing.X) (Number, error) {
	return number(l.read(ctx), x)
}

func number(s scope, x routing.X) (Number, error) {
	n, err := readNumber(scanner(func(dest ...any) error {
		return s.scan(`SELECT `+numberColumns+` FROM numbers WHERE x = $1`, one(string(x)), dest...)
	}))
	if errors.Is(err, sql.ErrNoRows) {
		return Number{}, ErrUnknownX
	}
	if err != nil {
		return Number{}, fmt.Errorf("read %s: %w", x, err)
	}
	return n, nil
}

// Numbers lists the X of an app, or of all with an empty app, in their order
// behind after ("" at first), at most limit of them.
func (l *Ledger) Numbers(ctx context.Context, app string, after routing.X, limit int) (list []Number, err error) {
	const page = ` AND x > $2 ORDER BY x LIMIT $3`
	where := ` WHERE app = $1`
	if app == "" {
		where = ` WHERE $1 = ''`
	}
	rows, err := l.read(ctx).query(`SELECT `+numberColumns+` FROM numbers`+where+page, app, string(after), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("list numbers: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		n, err := readNumber(rows)
		if err != nil {
			return nil, fmt.Errorf("read a number: %w", err)
		}
		list = append(list, n)
	}
	return list, nil
}

// AddNumber gives an X to the app n.App. One that the app has already gets the
// new attributes and keeps its status and bindings; one that was returned
// begins anew, with its version going on. Another app's is ErrNotYours.
func (l *Ledger) AddNumber(ctx context.Context, n Number, at time.Time) (Number, error) {
	var out Number
	err := l.change(ctx, func(s scope) error {
		var err error
		out, err = addNumber(s, n, at)
		return err
	})
	if err != nil {
		return Number{}, fmt.Errorf("add %s: %w", n.X, err)
	}
	return out, nil
}

func addNumber(s scope, n Number, at time.Time) (Number, error) {
	var mode routing.Mode
	var digits int
	// The app's row is locked: the length of its extensions gives the room.
	err := s.scan(`UPDATE apps SET name = name WHERE key = $1 RETURNING mode, ext_digits`, one(n.App), &mode, &digits)
	if errors.Is(err, sql.ErrNoRows) {
		return Number{}, ErrUnknownApp
	}
	if err != nil {
		return Number{}, fmt.Errorf("read app %s: %w", n.App, err)
	}
	_, err = s.exec(`INSERT INTO numbers (x, app, mode, status, cause, area, city, province, carrier, voice, sms, bindings, room, lowest, version, granted_at, released_at)
		VALUES ($1, $2, $3, $4, '', '', '', '', '', TRUE, FALSE, 0, $5, 1, 0, $6, 0) ON CONFLICT DO NOTHING`,
		string(n.X), n.App, string(mode), string(routing.StatusNormal), int64(room(mode, digits)), micros(at))
	if err != nil {
		return Number{}, fmt.Errorf("store: %w", err)
	}
	was, err := lockNumber(s, n.X)
	if err != nil {
		return Number{}, err
	}
	if was.Status == routing.StatusReturned {
		_, err = s.exec(`UPDATE numbers SET app = $2, mode = $3, status = $4, cause = '', room = $5, lowest = 1, granted_at = $6, released_at = 0 WHERE x = $1`,
			string(n.X), n.App, string(mode), string(routing.StatusNormal), int64(room(mode, digits)), micros(at))
		if err != nil {
			return Number{}, fmt.Errorf("grant anew: %w", err)
		}
	} else if was.App != n.App {
		return Number{}, ErrNotYours
	}
	_, err = s.exec(`UPDATE numbers SET area = $2, city = $3, province = $4, carrier = $5, voice = $6, sms = $7 WHERE x = $1`,
		string(n.X), n.AreaCode, n.City, n.Province, n.Carrier, n.Voice, n.SMS)
	if err != nil {
		return Number{}, fmt.Errorf("store the attributes: %w", err)
	}
	return changed(s, n.X, at)
}

// changed notes that the cache has to hear of X, and reads it again.
func changed(s scope, x routing.X, at time.Time) (Number, error) {
	n, err := number(s, x)
	if err != nil {
		return n, err
	}
	return n, owe(s, x, n.Version, at)
}

// SetStatus changes the status of an X and the cause of it. A returned number
// loses its bindings, which are the second result.
func (l *Ledger) SetStatus(ctx context.Context, x routing.X, status routing.NumberStatus, cause string, at time.Time) (n Number, ended []routing.Binding, err error) {
	err = l.change(ctx, func(s scope) error {
		was, err := lockNumber(s, x)
		if err != nil {
			return err
		}
		ended = nil
		released := time.Time{}
		if was.Status == routing.StatusReturned {
			return ErrUnknownX
		}
		if status == routing.StatusReturned {
			released = at
			if ended, err = clearNumber(s, &was, at); err != nil {
				return err
			}
		}
		_, err = s.exec(`UPDATE numbers SET status = $2, cause = $3, released_at = $4 WHERE x = $1`, string(x), string(status), cause, micros(released))
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		n, err = changed(s, x, at)
		return err
	})
	if err != nil {
		return Number{}, nil, fmt.Errorf("set the status of %s: %w", x, err)
	}
	return n, ended, nil
}

// clearNumber removes everything that an owner of X has stored about it.
func clearNumber(s scope, n *Number, at time.Time) ([]routing.Binding, error) {
	ended, err := endAll(s, n, at)
	if err != nil {
		return nil, err
	}
	if _, err := s.exec(`DELETE FROM blacklist WHERE x = $1`, string(n.X)); err != nil {
		return nil, fmt.Errorf("clear the blacklist: %w", err)
	}
	return ended, nil
}

// Place is where X of an app are looked for; a zero field leaves it open.
type Place struct {
	Area     string // area code with its leading 0
	Province string
}

// PickNumber is a normal X of the app at the place that has room for a binding:
// for one more of anybody, and for the numbers and the extension of b, which is
// to begin at b.CreatedAt; ErrFull if there is none. It searches from an X on and then from the lowest, so that
// bindings spread over the numbers if each search begins behind the X of the
// last; another change may be faster than a following Bind.
func (l *Ledger) PickNumber(ctx context.Context, app string, at Place, from routing.X, b *routing.Binding) (routing.X, error) {
	first, second := string(numberSlot(b.A)), string(numberSlot(b.B))
	if b.Ext != "" {
		second = string(extSlot(b.Ext))
	}
	where, place := "", ""
	switch {
	case at.Area != "":
		where, place = ` AND area = $5`, at.Area
	case at.Province != "":
		where, place = ` AND province = $5`, at.Province
	default:
		where = ` AND $5 = ''`
	}
	query := `SELECT x FROM numbers WHERE app = $1 AND status = 'normal' AND bindings < room AND x %s $2
		AND NOT EXISTS (SELECT 1 FROM bound JOIN bindings o ON o.id = bound.subscription
			WHERE bound.x = numbers.x AND bound.slot IN ($3, $4) AND (o.until_at = 0 OR o.until_at > $6))` + where + ` ORDER BY x LIMIT 1`
	for _, side := range []string{">=", "<"} {
		var x routing.X
		err := l.read(ctx).scan(fmt.Sprintf(query, side), one(app, string(from), first, second, place, micros(b.CreatedAt)), &x)
		if err == nil {
			return x, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return "", fmt.Errorf("choose an X: %w", err)
		}
	}
	return "", ErrFull
}

// ProvinceOf is the province of an area, as far as any number of ours tells it;
// else empty.
func (l *Ledger) ProvinceOf(ctx context.Context, area string) (province string, err error) {
	err = l.read(ctx).scan(`SELECT province FROM numbers WHERE area = $1 AND province <> '' LIMIT 1`, one(area), &province)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("find the province of area %s: %w", area, err)
	}
	return province, nil
}
