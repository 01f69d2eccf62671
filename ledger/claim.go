package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"axgate/events"
)

// owed is a row that is to be pushed.
type owed struct {
	events.Claimed
	due int64 // as it was read
}

const owedColumns = `session, seq, app, kind, at, body, due_at, tries, first_at, failure`

func listOwed(s scope, query string, args []any) (list []owed, err error) {
	rows, err := s.query(query, s.afresh(args)...)
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

// Claim takes events that are due. It looks without a lock and then claims each row only if
// it still is as it was seen. To a server that is far away each statement takes long: there
// are as many of them for much as for little.
func (o *Outbox) Claim(ctx context.Context, now, lease time.Time, room func(events.Lane) int) (taken []events.Claimed, more bool, err error) {
	runs, more, err := o.look(ctx, micros(now), room)
	for err == nil && len(runs) > 0 {
		var got []events.Claimed
		n := upTo(o.ledger.rowsAtOnce(), runs)
		got, err = o.take(ctx, micros(lease), runs[:n])
		taken, runs = append(taken, got...), runs[n:]
	}
	if err != nil {
		return taken, more, fmt.Errorf("claim events to push: %w", err)
	}
	return taken, more, nil
}

// upTo is how many runs have so many rows together, or one more run than that.
func upTo(rows int, runs []run) (n int) {
	for n < len(runs) && rows > 0 {
		rows -= len(runs[n].rows)
		n++
	}
	return n
}

// look finds what the lanes that are due have room for. more: there may be more.
func (o *Outbox) look(ctx context.Context, now int64, room func(events.Lane) int) (runs []run, more bool, err error) {
	const most = 200 // of a lane
	lanes, err := o.dueLanes(ctx, now)
	if err != nil {
		return nil, false, err
	}
	var looked []dueLane
	for _, l := range lanes {
		if n := min(room(l), most); n > 0 {
			looked = append(looked, dueLane{l, n})
		}
	}
	due, err := o.due(ctx, now, looked)
	if err != nil {
		return nil, false, err
	}
	pending, err := o.pending(ctx, due)
	if err != nil {
		return nil, false, err
	}
	for _, l := range looked {
		rows := due[l.Lane]
		runs, more = append(runs, runsOf(l.Lane, now, rows, pending)...), more || len(rows) == l.most
	}
	return runs, more, nil
}

// dueLanes are those that have something due: a few steps in the index for each that has
// anything pending, however much.
func (o *Outbox) dueLanes(ctx context.Context, now int64) (list []events.Lane, err error) {
	rows, err := o.ledger.read(ctx).query(dueLanes, now)
	if err != nil {
		return nil, fmt.Errorf("list what is owed to whom: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var l events.Lane
		if err := rows.Scan(&l.App, &l.Target); err != nil {
			return nil, fmt.Errorf("read what is owed to whom: %w", err)
		}
		list = append(list, l)
	}
	return list, nil
}

// The next lane is another of the same app, or the first of the next app. By (app, target) > (...)
// SQLite would go through all that is pending of a lane.
const (
	nextTarget = `(SELECT e.target FROM events e WHERE e.due_at > 0 AND e.app = lane.app AND e.target > lane.target ORDER BY e.target LIMIT 1)`
	nextApp    = ` FROM events e WHERE e.due_at > 0 AND e.app > lane.app ORDER BY e.app, e.target LIMIT 1)`
	dueLanes   = `WITH RECURSIVE lane (app, target) AS (
		SELECT * FROM (SELECT app, target FROM events WHERE due_at > 0 ORDER BY app, target LIMIT 1) AS first
		UNION ALL SELECT CASE WHEN ` + nextTarget + ` IS NULL THEN (SELECT e.app` + nextApp + ` ELSE lane.app END, COALESCE(` + nextTarget + `, (SELECT e.target` + nextApp + `)
			FROM lane WHERE lane.app IS NOT NULL)
		SELECT app, target FROM lane WHERE app IS NOT NULL
		AND (SELECT e.due_at FROM events e WHERE e.app = lane.app AND e.target = lane.target AND e.due_at > 0 ORDER BY e.due_at LIMIT 1) <= $1`
)

// dueLane is a lane of which so many fee events or sessions are looked for.
type dueLane struct {
	events.Lane
	most int
}

// due are the rows that are due first.
func (o *Outbox) due(ctx context.Context, now int64, lanes []dueLane) (due map[events.Lane][]owed, err error) {
	due = make(map[events.Lane][]owed, len(lanes))
	s := o.ledger.read(ctx)
	const most = 100 // a server thinks about each of them
	for len(lanes) > 0 {
		part := lanes[:s.rowsOfText(min(most, len(lanes)))]
		lanes = lanes[len(part):]
		var texts []string
		var args []any
		for i, l := range part {
			texts = append(texts, fmt.Sprintf(`SELECT * FROM (SELECT `+owedColumns+` FROM events
				WHERE app = $%d AND target = $%d AND due_at > 0 AND due_at <= $%d ORDER BY due_at LIMIT $%d) AS lane%d`, 4*i+1, 4*i+2, 4*i+3, 4*i+4, i))
			args = append(args, l.App, string(l.Target), now, int64(l.most))
		}
		list, err := listOwed(s, strings.Join(texts, " UNION ALL "), args)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			due[e.Lane()] = append(due[e.Lane()], e)
		}
	}
	return due, nil
}

// pending is all that is owed, but for fee events, of sessions that have something due.
func (o *Outbox) pending(ctx context.Context, due map[events.Lane][]owed) (pending map[string][]owed, err error) {
	var sessions []any
	pending = map[string][]owed{}
	for l, rows := range due {
		for _, e := range rows {
			if _, ok := pending[e.Session]; !ok && l.Target != events.ToFee {
				pending[e.Session], sessions = nil, append(sessions, e.Session)
			}
		}
	}
	s := o.ledger.read(ctx)
	for len(sessions) > 0 {
		part := sessions[:s.rowsOfText(len(sessions))]
		sessions = sessions[len(part):]
		list, err := listOwed(s, `SELECT `+owedColumns+` FROM events WHERE session IN (`+parameters(1, len(part))+`) AND target <> 'fee' AND due_at > 0
			ORDER BY session, seq`, part)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			pending[e.Session] = append(pending[e.Session], e)
		}
	}
	return pending, nil
}

// runsOf are what of a lane can be claimed or parked, by the rows of it that are due.
func runsOf(l events.Lane, now int64, due []owed, pending map[string][]owed) (runs []run) {
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
		if r, ok := divide(pending[e.Session], l, now); ok {
			runs = append(runs, r)
		}
	}
	return runs
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
