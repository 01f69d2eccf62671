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

// CloseOpen ends the calls that a dead node has left open, in the life that is over
// or one before, and that nobody has taken over. Each ends at the last instant at which the
// life that it is of was alive - one that this one took later, while it did not know that it was
// dead, when it let go of it - and gets one disconnect event, if it has none, and one fee event.
// carried tells that the node's journal is in the ledger; if it is not, the numbers
// of the events leave room for those that it may bring (heirSeq). It returns the
// calls that were closed; one that cannot be closed does not keep the others
// open. Without repaired no recording counts.
func (l *Ledger) CloseOpen(ctx context.Context, d Dead, carried bool, repaired Repaired) (all []events.Call, err error) {
	var after string
	var failed error
	for {
		const batch = 200
		open, err := l.openCalls(ctx, d.Life, after, batch)
		if err != nil {
			return all, errors.Join(failed, fmt.Errorf("close the calls of %s: %w", d.Life, err))
		}
		for _, session := range open {
			call, closed, err := l.closeCall(ctx, session, d, carried, repaired)
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("close call %s: %w", session, err))
			} else if closed {
				all = append(all, call)
			}
		}
		if len(open) < batch || ctx.Err() != nil {
			return all, errors.Join(failed, ctx.Err())
		}
		after = open[len(open)-1]
	}
}

// openCalls lists the calls that a life, or one before of the same node, has left open.
func (l *Ledger) openCalls(ctx context.Context, of Life, after string, limit int) (sessions []string, err error) {
	rows, err := l.read(ctx).query(`SELECT session FROM calls WHERE node = $1 AND incarnation <= $2 AND NOT closed AND session > $3 ORDER BY session LIMIT $4`,
		of.Node, of.Incarnation, after, int64(limit))
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

// closeCall ends one call unless somebody has, or has taken it over.
func (l *Ledger) closeCall(ctx context.Context, session string, d Dead, carried bool, repaired Repaired) (call events.Call, closed bool, err error) {
	err = l.change(ctx, func(s scope) error {
		closed = false
		if err := l.limit(s, notSoLong); err != nil {
			return err
		}
		held, err := s.exec(`UPDATE calls SET closed = closed WHERE session = $1 AND node = $2 AND incarnation <= $3 AND NOT closed`, session, d.Node, d.Incarnation)
		if err != nil || held == 0 {
			return err
		}
		var known int
		call, known, err = readCall(scanner(func(dest ...any) error {
			return s.scan(`SELECT `+callColumns+` FROM calls WHERE session = $1`, one(session), dest...)
		}))
		if err != nil {
			return err
		}
		closed = true
		end, err := aliveUntil(s, call, d)
		if err != nil {
			return err
		}
		return writeEnd(s, call, known, end, carried, repaired)
	})
	if closed && err == nil {
		l.rouse()
	}
	return call, closed, err
}

// aliveUntil is the last instant at which the life that a call is of was alive: of one before
// the life that is over the ledger knows its own.
func aliveUntil(s scope, call events.Call, d Dead) (time.Time, error) {
	if call.Incarnation < d.Incarnation {
		var alive int64
		err := s.scan(`SELECT alive_at FROM node_lives WHERE node = $1 AND incarnation = $2 AND ended_at > 0`, one(call.Node, call.Incarnation), &alive)
		if err == nil {
			return instant(alive), nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return time.Time{}, fmt.Errorf("read until when %s was alive: %w", Life{call.Node, call.Incarnation}, err)
		}
	}
	if call.In.After(d.AliveAt) && d.LetGo.After(d.AliveAt) {
		return d.LetGo, nil
	}
	return d.AliveAt, nil
}

// heirSeq is by how much the number of the first event that an heir writes of a call is above
// those that are known: the events between them may still come, from the journal of the dead node.
const heirSeq = 100

// writeEnd completes the state of a call and its events. known is the number of the last event
// that its state knows of: that may not be here yet, and heirs begin above it.
func writeEnd(s scope, call events.Call, known int, alive time.Time, carried bool, repaired Repaired) error {
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
	next := max(int(seq), known)
	if !carried {
		next += heirSeq - 1
	}
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
