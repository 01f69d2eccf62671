package ledger

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Drop is a part of what is of the past and goes: the rows of an app between
// two instants, the oldest first. An empty app has those that no app has.
type Drop struct {
	App    string
	From   time.Time // where the part before ended; zero: at the beginning
	Before time.Time
	Most   int // rows, at most MostDropped

	// FilesBefore: a call whose recording was deleted later stays, so that its
	// files are known where they are. Zero: it does not.
	FilesBefore time.Time
}

// Dropped is what went.
type Dropped struct {
	Rows   int
	Events int       // that went with them
	Parts  int       // of texts, that went with them
	Last   time.Time // of the newest row that went; From of the next part
	More   bool      // there may be more
}

// MostDropped is how many rows go in one transaction.
const MostDropped = 200

func (d *Drop) files() int64 {
	if d.FilesBefore.IsZero() {
		return math.MaxInt64
	}
	return micros(d.FilesBefore)
}

func (d *Drop) most() int { return min(max(d.Most, 1), MostDropped) }

// DropCalls deletes calls that came in before an instant, with their events.
// Those that are open stay, as do those with a recording and those of which an
// event is owed.
func (l *Ledger) DropCalls(ctx context.Context, d Drop) (out Dropped, err error) {
	err = l.change(ctx, func(s scope) error {
		var ids []string
		ids, out, err = dropped(s, &d, dropCalls)
		if err == nil {
			out.Events, err = dropEventsOf(s, ids)
		}
		return err
	})
	if err != nil {
		return Dropped{}, fmt.Errorf("delete old calls: %w", err)
	}
	return out, nil
}

// DropTexts deletes texts that came before an instant, with their parts and
// events. Those that are not done stay, as do those of which an event is owed.
func (l *Ledger) DropTexts(ctx context.Context, d Drop) (out Dropped, err error) {
	err = l.change(ctx, func(s scope) error {
		var ids []string
		if ids, out, err = dropped(s, &d, dropTexts); err != nil || len(ids) == 0 {
			return err
		}
		parts, err := s.exec(`DELETE FROM message_parts WHERE message IN (`+parameters(1, MostDropped)+`)`, padded(ids)...)
		if err != nil {
			return fmt.Errorf("their parts: %w", err)
		}
		out.Parts = int(parts)
		out.Events, err = dropEventsOf(s, ids)
		return err
	})
	if err != nil {
		return Dropped{}, fmt.Errorf("delete old texts: %w", err)
	}
	return out, nil
}

// DropEvents deletes events from before an instant that are no call's or text's
// any more, or never were, unless they are owed.
func (l *Ledger) DropEvents(ctx context.Context, d Drop) (out Dropped, err error) {
	err = l.change(ctx, func(s scope) error {
		_, out, err = dropped(s, &d, dropEvents)
		return err
	})
	if err != nil {
		return Dropped{}, fmt.Errorf("delete old events: %w", err)
	}
	return out, nil
}

// DropBindings deletes bindings that ended before an instant.
func (l *Ledger) DropBindings(ctx context.Context, d Drop) (out Dropped, err error) {
	err = l.change(ctx, func(s scope) error {
		_, out, err = dropped(s, &d, dropBindings)
		return err
	})
	if err != nil {
		return Dropped{}, fmt.Errorf("delete bindings that ended long ago: %w", err)
	}
	return out, nil
}

// DropAudit deletes entries of the audit log from before an instant. They are
// written in the order of their time.
func (l *Ledger) DropAudit(ctx context.Context, before time.Time, most int) (out Dropped, err error) {
	d := Drop{Before: before, Most: most}
	err = l.change(ctx, func(s scope) error {
		n, err := s.exec(`DELETE FROM audit WHERE at < $1 AND seq IN (SELECT seq FROM audit ORDER BY seq LIMIT $2)`, micros(before), int64(d.most()))
		out = Dropped{Rows: int(n), More: int(n) == d.most()}
		return err
	})
	if err != nil {
		return Dropped{}, fmt.Errorf("delete old entries of the audit log: %w", err)
	}
	return out, nil
}

// The rows of app $1 from $2 on and before $3, $4 at most; of calls with a
// recording those that have had none since $5.
const (
	noneOwed  = `NOT EXISTS (SELECT 1 FROM events e WHERE e.session = old.`
	dropCalls = `DELETE FROM calls WHERE session IN (SELECT session FROM calls old WHERE app = $1 AND in_at >= $2 AND in_at < $3 AND closed
		AND (record_file = '' OR record_gone_at BETWEEN 1 AND $5 AND record_place = '') AND ` + noneOwed + `session AND e.due_at > 0) ORDER BY in_at LIMIT $4) RETURNING session, in_at`
	dropTexts = `DELETE FROM messages WHERE id IN (SELECT id FROM messages old WHERE app = $1 AND at >= $2 AND at < $3 AND due_at = 0 AND done_at > 0
		AND ` + noneOwed + `id AND e.due_at > 0) ORDER BY at LIMIT $4) AND due_at = 0 RETURNING id, at`
	dropEvents = `DELETE FROM events WHERE (session, seq) IN (SELECT session, seq FROM events old WHERE app = $1 AND at >= $2 AND at < $3 AND due_at = 0
		AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.session = old.session) AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = old.session)
		ORDER BY at LIMIT $4) AND due_at = 0 RETURNING session, at`
	dropBindings = `DELETE FROM bindings WHERE id IN (SELECT id FROM bindings WHERE app = $1 AND ended_at > 0 AND ended_at >= $2 AND ended_at < $3
		ORDER BY ended_at LIMIT $4) RETURNING id, ended_at`
)

// dropped runs one of these, and tells what went.
func dropped(s scope, d *Drop, query string) (ids []string, out Dropped, err error) {
	args := one(d.App, micros(d.From), micros(d.Before), int64(d.most()))
	if query == dropCalls {
		args = append(args, d.files())
	}
	rows, err := s.query(query, args...)
	if err != nil {
		return nil, out, err
	}
	defer closeRows(rows, &err)
	last := micros(d.From)
	for rows.Next() {
		var id string
		var at int64
		if err := rows.Scan(&id, &at); err != nil {
			return nil, out, err
		}
		ids, last = append(ids, id), max(last, at)
	}
	return ids, Dropped{Rows: len(ids), Last: instant(last), More: len(ids) == d.most()}, nil
}

// dropEventsOf deletes the events of calls or texts that are gone. One that
// became owed at this moment stays: it has all that is pushed.
func dropEventsOf(s scope, ids []string) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	n, err := s.exec(`DELETE FROM events WHERE due_at = 0 AND session IN (`+parameters(1, MostDropped)+`)`, padded(ids)...)
	if err != nil {
		return 0, fmt.Errorf("their events: %w", err)
	}
	return int(n), nil
}

// padded are ids as the arguments of a list of MostDropped: one text for any
// number of them.
func padded(ids []string) []any {
	args := make([]any, MostDropped)
	for i := range args {
		args[i] = ids[min(i, len(ids)-1)]
	}
	return args
}
