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
	Voice    bool   // takes calls
	Cause    string // why it is not normal: a cause of the number status push (1 deleted, 2 arrears …); may be empty
	Room     int    // how many bindings fit
	Granted  time.Time
	Released time.Time // zero: it was not returned

	lowest int    // AXE: no extension below it is free
	role   string // AXYB: what it is as long as it has bindings
}

const numberColumns = `x, app, mode, status, area, city, province, bindings, version,
	carrier, voice, sms, cause, room, granted_at, released_at, lowest, role`

// newNumberColumns are those of an X that is stored for the first time.
const newNumberColumns = `x, app, mode, status, cause, area, city, province, carrier, voice, sms, bindings, room, lowest, version, granted_at, released_at`

func readNumber(r row) (n Number, err error) {
	var granted, released int64
	err = r.Scan(&n.X, &n.App, &n.Mode, &n.Status, &n.AreaCode, &n.City, &n.Province, &n.Bindings, &n.Version,
		&n.Carrier, &n.Voice, &n.SMS, &n.Cause, &n.Room, &granted, &released, &n.lowest, &n.role)
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
	app, err := lockApp(s, n.App)
	if err != nil {
		return Number{}, err
	}
	_, err = s.exec(`INSERT INTO numbers (`+newNumberColumns+`)
		VALUES ($1, $2, $3, $4, '', '', '', '', '', TRUE, FALSE, 0, $5, 1, 0, $6, 0) ON CONFLICT DO NOTHING`,
		string(n.X), n.App, string(app.mode), string(routing.StatusNormal), int64(app.room), micros(at))
	if err != nil {
		return Number{}, fmt.Errorf("store: %w", err)
	}
	was, err := lockNumber(s, n.X)
	if err != nil {
		return Number{}, err
	}
	if was.Status == routing.StatusReturned {
		_, err = s.exec(`UPDATE numbers SET app = $2, mode = $3, status = $4, cause = '', room = $5, lowest = 1, granted_at = $6, released_at = 0 WHERE x = $1`,
			string(n.X), n.App, string(app.mode), string(routing.StatusNormal), int64(app.room), micros(at))
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
	is, err := changed(s, n.X, at)
	if err != nil {
		return is, err
	}
	return is, tellStatus(s, &was, &is, at)
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
		n, ended, err = setStatus(s, x, status, cause, at)
		return err
	})
	if err != nil {
		return Number{}, nil, fmt.Errorf("set the status of %s: %w", x, err)
	}
	l.rouse()
	return n, ended, nil
}

func setStatus(s scope, x routing.X, status routing.NumberStatus, cause string, at time.Time) (n Number, ended []routing.Binding, err error) {
	was, err := lockNumber(s, x)
	if err != nil {
		return n, nil, err
	}
	released := time.Time{}
	if was.Status == routing.StatusReturned {
		return n, nil, ErrUnknownX
	}
	if status == routing.StatusReturned {
		released = at
		if ended, err = clearNumber(s, &was, at); err != nil {
			return n, nil, err
		}
	}
	_, err = s.exec(`UPDATE numbers SET status = $2, cause = $3, released_at = $4 WHERE x = $1`, string(x), string(status), cause, micros(released))
	if err != nil {
		return n, nil, fmt.Errorf("store: %w", err)
	}
	if n, err = changed(s, x, at); err != nil {
		return n, nil, err
	}
	return n, ended, tellStatus(s, &was, &n, at)
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
