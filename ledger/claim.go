package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"axgate/events"
)

// owed is a row that is to be pushed.
type owed struct {
	events.Claimed
	due int64 // as it was read
}

const owedColumns = `session, seq, app, kind, at, body, due_at, tries, first_at, failure`

func listOwed(s scope, query string, args ...any) (list []owed, err error) {
	rows, err := s.query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("read what is owed: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var e owed
		var at, first int64
		var body string
		if err := rows.Scan(&e.Session, &e.Seq, &e.App, &e.Kind, &at, &body, &e.due, &e.Tries, &first, &e.Failure); err != nil {
			return nil, fmt.Errorf("read what is owed: %w", err)
		}
		e.At, e.First, e.Body = instant(at), instant(first), json.RawMessage(body)
		list = append(list, e)
	}
	return list, nil
}

// run is what is claimed or parked together: rows of one session in their
// order, or one fee event.
type run struct {
	rows []owed
	head *owed // parks rows behind it; nil: rows are claimed
}

// Claim takes events that are due, lane by lane. It looks without a lock and
// then claims each row only if it still is as it was seen.
func (o *Outbox) Claim(ctx context.Context, now, lease time.Time, room func(events.Lane) int) (taken []events.Claimed, more bool, err error) {
	const most = 200 // rows of one transaction: the journal writes beside it
	var runs []run
	rows := 0
	take := func() error {
		got, err := o.take(ctx, micros(lease), runs)
		taken = append(taken, got...)
		runs, rows = nil, 0
		return err
	}
	err = o.eachLane(ctx, micros(now), func(l events.Lane) error {
		n := min(room(l), most)
		if n <= 0 {
			return nil
		}
		found, full, err := o.find(ctx, l, micros(now), n)
		if err != nil {
			return err
		}
		more = more || full
		for _, r := range found {
			runs, rows = append(runs, r), rows+len(r.rows)
			if rows >= most {
				if err := take(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil && len(runs) > 0 {
		err = take()
	}
	if err != nil {
		return taken, more, fmt.Errorf("claim events to push: %w", err)
	}
	return taken, more, nil
}

// eachLane goes through the lanes that have something due: one step in the
// index for each that has anything pending.
func (o *Outbox) eachLane(ctx context.Context, now int64, each func(events.Lane) error) error {
	var l events.Lane
	for {
		list, err := o.lanesAfter(ctx, l)
		if err != nil || len(list) == 0 {
			return err
		}
		l = list[0].Lane
		if list[0].due > now {
			continue
		}
		if err := each(l); err != nil {
			return err
		}
	}
}

type dueLane struct {
	events.Lane
	due int64
}

func (o *Outbox) lanesAfter(ctx context.Context, l events.Lane) (list []dueLane, err error) {
	rows, err := o.ledger.read(ctx).query(`SELECT app, target, due_at FROM events WHERE due_at > 0 AND (app, target) > ($1, $2)
		ORDER BY app, target, due_at LIMIT 1`, l.App, string(l.Target))
	if err != nil {
		return nil, fmt.Errorf("list what is owed to whom: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var d dueLane
		if err := rows.Scan(&d.App, &d.Target, &d.due); err != nil {
			return nil, fmt.Errorf("read what is owed to whom: %w", err)
		}
		list = append(list, d)
	}
	return list, nil
}

// find looks for n fee events or sessions that are due. full: there may be
// more.
func (o *Outbox) find(ctx context.Context, l events.Lane, now int64, n int) (runs []run, full bool, err error) {
	s := o.ledger.read(ctx)
	due, err := listOwed(s, `SELECT `+owedColumns+` FROM events WHERE app = $1 AND target = $2 AND due_at > 0 AND due_at <= $3 ORDER BY due_at LIMIT $4`,
		l.App, string(l.Target), now, int64(n))
	if err != nil {
		return nil, false, err
	}
	seen := map[string]bool{}
	for _, e := range due {
		if l.Target == events.ToFee {
			runs = append(runs, run{rows: []owed{e}})
			continue
		}
		if seen[e.Session] {
			continue
		}
		seen[e.Session] = true
		pending, err := listOwed(s, `SELECT `+owedColumns+` FROM events WHERE session = $1 AND target <> 'fee' AND due_at > 0 ORDER BY seq`, e.Session)
		if err != nil {
			return nil, false, err
		}
		if r, ok := divide(pending, l, now); ok {
			runs = append(runs, r)
		}
	}
	return runs, len(due) == n, nil
}

// divide finds what of a session's pending events can be claimed for a lane:
// those at the beginning that are due. If there are none, due events behind
// the first are parked, so that nobody looks at them before it is their turn.
func divide(pending []owed, l events.Lane, now int64) (run, bool) {
	n := 0
	for n < len(pending) && pending[n].due <= now && pending[n].Lane() == l {
		n++
	}
	if n > 0 || len(pending) == 0 {
		return run{rows: pending[:n]}, n > 0
	}
	r := run{head: &pending[0]}
	for _, e := range pending[1:] {
		if e.due <= now {
			r.rows = append(r.rows, e)
		}
	}
	return r, len(r.rows) > 0
}

// take claims and parks in one transaction.
func (o *Outbox) take(ctx context.Context, lease int64, runs []run) (taken []events.Claimed, err error) {
	holder := ""
	if o.holder != nil {
		holder = o.holder().String()
	}
	err = o.ledger.change(ctx, func(s scope) error {
		taken = nil
		for _, r := range runs {
			if r.head != nil {
				if err := park(s, r, lease); err != nil {
					return err
				}
				continue
			}
			for _, e := range r.rows {
				n, err := s.exec(`UPDATE events SET due_at = $1, holder = $2 WHERE session = $3 AND seq = $4 AND due_at = $5`, lease, holder, e.Session, int64(e.Seq), e.due)
				if err != nil {
					return fmt.Errorf("claim event %d of %s: %w", e.Seq, e.Session, err)
				}
				if n == 0 {
					break // somebody else was faster
				}
				e.Lease = instant(lease)
				taken = append(taken, e.Claimed)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// park makes rows due after the one that they wait for, unless that one has
// moved on. Its row is locked, so that whoever finishes it finds them parked.
func park(s scope, r run, lease int64) error {
	waits, err := s.exec(`UPDATE events SET due_at = due_at WHERE session = $1 AND seq = $2 AND due_at = $3`, r.head.Session, int64(r.head.Seq), r.head.due)
	if err != nil {
		return fmt.Errorf("look at event %d of %s: %w", r.head.Seq, r.head.Session, err)
	}
	if waits == 0 {
		return nil
	}
	for _, e := range r.rows {
		_, err := s.exec(`UPDATE events SET due_at = $1 WHERE session = $2 AND seq = $3 AND due_at = $4`, max(r.head.due, lease)+1, e.Session, int64(e.Seq), e.due)
		if err != nil {
			return fmt.Errorf("park event %d of %s: %w", e.Seq, e.Session, err)
		}
	}
	return nil
}
