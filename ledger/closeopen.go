package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/events"
	"axgate/routing"
)

// Repaired finds what is left of the recording of a call whose node died: its
// file and its size in bytes. RecordFile is the name that it was begun with.
// Not ok: nothing is left.
type Repaired func(c events.Call) (file string, bytes int64, ok bool)

// CloseOpen ends the calls of a node that has begun anew: those whose fee event
// is not written. Each ends at the last instant at which the node was alive,
// and gets one disconnect event, if it has none, and one fee event. It returns
// how many calls it closed; one that cannot be closed does not keep the others
// open. Without repaired no recording counts.
func (l *Ledger) CloseOpen(ctx context.Context, node string, repaired Repaired) (int, error) {
	alive, err := l.lastAlive(ctx, node)
	if err != nil {
		return 0, fmt.Errorf("close the calls of %s: %w", node, err)
	}
	var n int
	var after string
	var failed error
	for {
		const batch = 200
		open, err := l.openCalls(ctx, node, after, batch)
		if err != nil {
			return n, errors.Join(failed, fmt.Errorf("close the calls of %s: %w", node, err))
		}
		for _, session := range open {
			closed, err := l.closeCall(ctx, session, alive, repaired)
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("close call %s: %w", session, err))
			}
			if closed {
				n++
			}
		}
		if len(open) < batch || ctx.Err() != nil {
			return n, failed
		}
		after = open[len(open)-1]
	}
}

func (l *Ledger) lastAlive(ctx context.Context, node string) (time.Time, error) {
	var alive int64
	err := l.read(ctx).scan(`SELECT alive_at FROM nodes WHERE node = $1`, one(node), &alive)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("read when it was alive: %w", err)
	}
	return instant(alive), nil
}

func (l *Ledger) openCalls(ctx context.Context, node, after string, limit int) (sessions []string, err error) {
	rows, err := l.read(ctx).query(`SELECT session FROM calls WHERE node = $1 AND NOT closed AND session > $2 ORDER BY session LIMIT $3`, node, after, int64(limit))
	if err != nil {
		return nil, fmt.Errorf("list open calls: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var session string
		if err := rows.Scan(&session); err != nil {
			return nil, fmt.Errorf("read an open call: %w", err)
		}
		sessions = append(sessions, session)
	}
	return sessions, nil
}

// closeCall ends one call unless somebody has.
func (l *Ledger) closeCall(ctx context.Context, session string, alive time.Time, repaired Repaired) (closed bool, err error) {
	err = l.change(ctx, func(s scope) error {
		closed = false
		held, err := s.exec(`UPDATE calls SET closed = closed WHERE session = $1 AND NOT closed`, session)
		if err != nil || held == 0 {
			return err
		}
		call, _, err := readCall(scanner(func(dest ...any) error {
			return s.scan(`SELECT `+callColumns+` FROM calls WHERE session = $1`, one(session), dest...)
		}))
		if err != nil {
			return err
		}
		closed = true
		return writeEnd(s, call, alive, repaired)
	})
	if closed && err == nil {
		l.rouse()
	}
	return closed && err == nil, err
}

// writeEnd completes the state of a call and its events.
func writeEnd(s scope, call events.Call, alive time.Time, repaired Repaired) error {
	var seq, last int64
	var over int
	err := s.scan(`SELECT COALESCE(MAX(seq), 0), COALESCE(MAX(at), 0), COALESCE(SUM(CASE WHEN kind = 'disconnect' THEN 1 ELSE 0 END), 0) FROM events WHERE session = $1`,
		one(call.Session), &seq, &last, &over)
	if err != nil {
		return fmt.Errorf("read its events: %w", err)
	}
	if call.Ended.IsZero() {
		end := routing.EndNodeDied
		call.Ended = latest(alive, instant(last), call.In, call.Out, call.Alerting, call.Answered, call.Recording)
		call.StateCode, call.FailReason, call.EndWord = end.StateCode, end.FailReason, end.Word
		if call.Answered.IsZero() {
			call.SIPStatus = end.SIP
		}
	}
	if !call.Recording.IsZero() && call.RecordBytes == 0 {
		file, bytes, ok := "", int64(0), false
		if repaired != nil {
			file, bytes, ok = repaired(call)
		}
		if !ok {
			file, bytes, call.Recording = "", 0, time.Time{}
		}
		call.RecordFile, call.RecordBytes = file, bytes
	}
	next := int(seq)
	if over == 0 {
		next++
		e := events.NewCallEvent(call, next, events.Disconnect, call.Ended, "")
		if err := storeEvent(s, &e); err != nil {
			return err
		}
	}
	next++
	fee := events.NewFee(call, next)
	if err := storeEvent(s, &fee); err != nil {
		return err
	}
	return storeCall(s, &call, next, true)
}

func latest(times ...time.Time) time.Time {
	var t time.Time
	for _, other := range times {
		if other.After(t) {
			t = other
		}
	}
	return t
}
