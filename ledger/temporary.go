package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/routing"
)

// SetTemporary sets whom A of an AX binding reaches by calling X; an earlier
// temporary callee is replaced. The result is X with its new version.
// Refusals: ErrNoBinding (an *EndedError if it stood once), ErrNotYours,
// ErrWrongMode, and a *RepeatedError (see WithRequest).
func (l *Ledger) SetTemporary(ctx context.Context, app, id string, t routing.TemporaryCallee, at time.Time) (number routing.XNumber, err error) {
	err = l.change(ctx, func(s scope) error {
		if err := note(ctx, s, app, id, "", at); err != nil {
			return err
		}
		b, n, err := lockBinding(s, app, id, at)
		if err != nil {
			return err
		}
		if b.Mode != routing.AX {
			return ErrWrongMode
		}
		_, err = s.exec(`INSERT INTO temporaries (x, callee, until_at, user_data) VALUES ($1, $2, $3, $4)
			ON CONFLICT (x) DO UPDATE SET callee = excluded.callee, until_at = excluded.until_at, user_data = excluded.user_data`,
			string(b.X), string(t.Callee), micros(t.Until), t.UserData)
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		number = n.XNumber
		return owe(s, n.X, n.Version, at)
	})
	if err != nil {
		return routing.XNumber{}, fmt.Errorf("set the temporary callee of binding %s: %w", id, err)
	}
	return number, nil
}

// UseTemporary removes the temporary callee of X if it still is callee: one
// that was set in the meantime stays. It tells whether it was, and X after that.
func (l *Ledger) UseTemporary(ctx context.Context, x routing.X, callee routing.Number) (used bool, number routing.XNumber, err error) {
	err = l.change(ctx, func(s scope) error {
		n, err := lockNumber(s, x)
		if err != nil {
			return err
		}
		gone, err := s.exec(`DELETE FROM temporaries WHERE x = $1 AND callee = $2`, string(x), string(callee))
		used, number = gone == 1, n.XNumber
		return err
	})
	if err != nil {
		return false, routing.XNumber{}, fmt.Errorf("use up the temporary callee of %s: %w", x, err)
	}
	return used, number, nil
}

func temporary(s scope, x routing.X) (*routing.TemporaryCallee, error) {
	var t routing.TemporaryCallee
	var until int64
	err := s.scan(`SELECT callee, until_at, user_data FROM temporaries WHERE x = $1`, one(string(x)), &t.Callee, &until, &t.UserData)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the temporary callee of %s: %w", x, err)
	}
	t.Until = instant(until)
	return &t, nil
}

// SetCallback stores whom A of an AXE binding calls back, in place of an
// earlier caller. It tells whether the binding still stands; if not, nothing
// is stored. The version of X stays: records are ordered by their own time.
func (l *Ledger) SetCallback(ctx context.Context, b routing.Binding, c routing.Callback) (stands bool, err error) {
	err = l.change(ctx, func(s scope) error {
		// Holds X, so that the binding cannot end in between.
		if _, err := s.exec(`UPDATE numbers SET version = version WHERE x = $1`, string(b.X)); err != nil {
			return err
		}
		n, err := s.exec(`INSERT INTO callbacks (x, a, caller, until_at)
			SELECT x, slot, $4, $5 FROM bound WHERE x = $1 AND slot = $2 AND subscription = $3
			ON CONFLICT (x, a) DO UPDATE SET caller = excluded.caller, until_at = excluded.until_at`,
			string(b.X), string(numberSlot(b.A)), b.ID, string(c.Caller), micros(c.Until))
		stands = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store the callback through %s: %w", b.X, err)
	}
	return stands, nil
}

func callback(s scope, x routing.X, a routing.Number) (*routing.Callback, error) {
	var c routing.Callback
	var until int64
	err := s.scan(`SELECT caller, until_at FROM callbacks WHERE x = $1 AND a = $2`, one(string(x), string(a)), &c.Caller, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the callback through %s: %w", x, err)
	}
	c.Until = instant(until)
	return &c, nil
}

// MostBlocked is how many callers the blacklist of an X has at most.
const MostBlocked = 5000

// Block puts callers on the blacklist of an X, or takes them off it, and
// returns X with its new version. ErrFull: it would grow to more than MostBlocked.
func (l *Ledger) Block(ctx context.Context, app string, x routing.X, callers []routing.Number, blocked bool, at time.Time) (number routing.XNumber, err error) {
	err = l.change(ctx, func(s scope) error {
		n, err := lockOwn(s, app, x)
		if err != nil {
			return err
		}
		var added int64
		for _, caller := range callers {
			if blocked {
				var one int64
				one, err = s.exec(`INSERT INTO blacklist (x, caller, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, string(x), string(caller), micros(at))
				added += one
			} else {
				_, err = s.exec(`DELETE FROM blacklist WHERE x = $1 AND caller = $2`, string(x), string(caller))
			}
			if err != nil {
				return err
			}
		}
		if added > 0 { // who is on a list that is too long stays
			var listed int
			if err := s.scan(`SELECT COUNT(*) FROM blacklist WHERE x = $1`, one(string(x)), &listed); err != nil {
				return err
			}
			if listed > MostBlocked {
				return ErrFull
			}
		}
		number = n.XNumber
		return owe(s, x, n.Version, at)
	})
	if err != nil {
		return routing.XNumber{}, fmt.Errorf("change the blacklist of %s: %w", x, err)
	}
	return number, nil
}

// Blacklist lists the callers on the blacklist of an X, by their numbers.
func (l *Ledger) Blacklist(ctx context.Context, x routing.X) ([]routing.Number, error) {
	callers, err := blacklist(l.read(ctx), x)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x, err)
	}
	return callers, nil
}

func blocked(s scope, x routing.X, n routing.Number) (bool, error) {
	var found int
	err := s.scan(`SELECT 1 FROM blacklist WHERE x = $1 AND caller = $2`, one(string(x), string(n)), &found)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the blacklist of %s: %w", x, err)
	}
	return true, nil
}
