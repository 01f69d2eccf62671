package ledger

import (
	"context"
	"errors"
	"fmt"

	"axgate/routing"
)

// Facts is what a call needs to know, for when the cache does not answer. Busy
// and Held are left false.
func (l *Ledger) Facts(ctx context.Context, q routing.Question) (f routing.Facts, err error) {
	err = l.view(ctx, func(s scope) (err error) {
		f, err = facts(s, q)
		return err
	})
	if err != nil {
		return f, fmt.Errorf("look up %s: %w", q.X, err)
	}
	return f, nil
}

func facts(s scope, q routing.Question) (routing.Facts, error) {
	f, mode, err := numberFacts(s, q)
	if err != nil || !f.Known {
		return f, err
	}
	if mode == routing.AX {
		return axFacts(s, q, f)
	}
	if q.Caller == "" {
		return f, nil
	}
	if f.ByCaller, err = holder(s, q.X, numberSlot(q.Caller)); err != nil || f.ByCaller == nil {
		return f, err
	}
	callee := f.ByCaller.A
	if (mode == routing.AXB || mode == routing.AXYB) && q.Caller == f.ByCaller.A {
		callee = f.ByCaller.B
	}
	if mode == routing.AXYB {
		f.ByCaller = new(f.ByCaller.Seen(q.X))
	}
	if mode == routing.AXE {
		if f.Callback, err = callback(s, q.X, q.Caller); err != nil {
			return f, err
		}
		callee = f.ByCaller.CallbackNum
		if f.Callback.Valid(q.At) {
			callee = f.Callback.Caller
		}
	}
	f.CalleeBlacklisted, err = blocked(s, q.X, callee)
	return f, err
}

func axFacts(s scope, q routing.Question, f routing.Facts) (routing.Facts, error) {
	var err error
	if f.ToX, err = holder(s, q.X, slotAX); err != nil || f.ToX == nil {
		return f, err
	}
	callee := f.ToX.A
	if q.Caller != "" && q.Caller == f.ToX.A {
		f.ByCaller = f.ToX
		if f.Temporary, err = temporary(s, q.X); err != nil || f.Temporary == nil {
			return f, err
		}
		callee = f.Temporary.Callee
	}
	f.CalleeBlacklisted, err = blocked(s, q.X, callee)
	return f, err
}

// FactsByExtension is Facts for an extension that the caller typed: ToX is the
// binding that has it.
func (l *Ledger) FactsByExtension(ctx context.Context, q routing.Question, ext routing.Extension) (f routing.Facts, err error) {
	err = l.view(ctx, func(s scope) (err error) {
		f, err = extensionFacts(s, q, ext)
		return err
	})
	if err != nil {
		return f, fmt.Errorf("look up an extension of %s: %w", q.X, err)
	}
	return f, nil
}

func extensionFacts(s scope, q routing.Question, ext routing.Extension) (routing.Facts, error) {
	f, _, err := numberFacts(s, q)
	if err != nil || !f.Known {
		return f, err
	}
	if f.ToX, err = holder(s, q.X, extSlot(ext)); err != nil || f.ToX == nil {
		return f, err
	}
	f.CalleeBlacklisted, err = blocked(s, q.X, f.ToX.A)
	return f, err
}

func numberFacts(s scope, q routing.Question) (routing.Facts, routing.Mode, error) {
	n, err := number(s, q.X)
	if errors.Is(err, ErrUnknownX) {
		return routing.Facts{}, "", nil
	}
	if err != nil {
		return routing.Facts{}, "", err
	}
	f := routing.Facts{Known: true, App: n.App, Status: n.Status, AreaCode: n.AreaCode, SMS: n.SMS, Bindings: n.Bindings}
	if q.Caller != "" {
		f.Blacklisted, err = blocked(s, q.X, q.Caller)
	}
	return f, n.Mode, err
}

// Ours tells which of two numbers are X of ours, none of them returned. An
// empty number is none.
func (l *Ledger) Ours(ctx context.Context, a, b routing.Number) (ofA, ofB bool, err error) {
	rows, err := l.read(ctx).query(`SELECT x FROM numbers WHERE x IN ($1, $2) AND status <> $3`, string(a), string(b), string(routing.StatusReturned))
	if err != nil {
		return false, false, fmt.Errorf("tell real numbers from X: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var x routing.Number
		if err := rows.Scan(&x); err != nil {
			return false, false, fmt.Errorf("tell real numbers from X: %w", err)
		}
		ofA, ofB = ofA || x == a, ofB || x == b
	}
	return ofA, ofB, nil
}

// Dossier is everything about an X at one version; ErrUnknownX if it is not
// ours.
func (l *Ledger) Dossier(ctx context.Context, x routing.X) (d routing.Dossier, err error) {
	err = l.view(ctx, func(s scope) (err error) {
		d, err = dossier(s, x)
		return err
	})
	if err != nil {
		return d, fmt.Errorf("read all of %s: %w", x, err)
	}
	return d, nil
}

func dossier(s scope, x routing.X) (d routing.Dossier, err error) {
	n, err := number(s, x)
	if err != nil {
		return d, err
	}
	d.Number = n.XNumber
	if d.Bindings, err = listBindings(s, `WHERE b.x = $1 AND b.ended_at = 0 ORDER BY b.id`, string(x)); err != nil {
		return d, err
	}
	switch n.Mode {
	case routing.AXYB:
		if err = addRelations(s, &d); err != nil {
			return d, err
		}
	case routing.AX:
		if d.Temporary, err = temporary(s, x); err != nil {
			return d, err
		}
	case routing.AXE:
		if d.Callbacks, err = callbacks(s, x); err != nil {
			return d, err
		}
	}
	d.Blocked, err = blacklist(s, x)
	return d, err
}

func callbacks(s scope, x routing.X) (all map[routing.Number]routing.Callback, err error) {
	rows, err := s.query(`SELECT a, caller, until_at FROM callbacks WHERE x = $1`, string(x))
	if err != nil {
		return nil, fmt.Errorf("list callbacks: %w", err)
	}
	defer closeRows(rows, &err)
	all = map[routing.Number]routing.Callback{}
	for rows.Next() {
		var a routing.Number
		var c routing.Callback
		var until int64
		if err := rows.Scan(&a, &c.Caller, &until); err != nil {
			return nil, fmt.Errorf("read a callback: %w", err)
		}
		c.Until = instant(until)
		all[a] = c
	}
	return all, nil
}

func blacklist(s scope, x routing.X) (callers []routing.Number, err error) {
	rows, err := s.query(`SELECT caller FROM blacklist WHERE x = $1 ORDER BY caller`, string(x))
	if err != nil {
		return nil, fmt.Errorf("list the blacklist: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var n routing.Number
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("read the blacklist: %w", err)
		}
		callers = append(callers, n)
	}
	return callers, nil
}
