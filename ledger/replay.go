package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ReplayFilter selects events that are pushed once more. Empty fields select
// all, except that From and To must be set.
type ReplayFilter struct {
	App     string
	SP      string // account
	Session string
	From    time.Time
	To      time.Time // events before it
	Missed  bool      // only those that no receiver has taken
}

// Replay makes events due now, as if they had just been written, and tells how
// many. Those that are being pushed at this moment may be pushed twice.
func (l *Ledger) Replay(ctx context.Context, f ReplayFilter, now time.Time) (int, error) {
	if f.From.IsZero() || !f.To.After(f.From) {
		return 0, errors.New("replay events: the time range is empty: name its begin and an end after it")
	}
	after, n := replayed{at: micros(f.From)}, 0
	for {
		list, err := l.replayable(ctx, f, after, l.rowsAtOnce())
		if err != nil {
			return n, fmt.Errorf("replay events: %w", err)
		}
		if len(list) == 0 {
			return n, nil
		}
		if err := l.replay(ctx, list, now); err != nil {
			return n, fmt.Errorf("replay events: %w", err)
		}
		after, n = list[len(list)-1], n+len(list)
	}
}

type replayed struct {
	at, seq int64
	session string
}

// replayable lists events in the order of their times, so that those of a
// session become due in theirs.
func (l *Ledger) replayable(ctx context.Context, f ReplayFilter, after replayed, limit int) (list []replayed, err error) {
	var c conditions
	c.terms = append(c.terms, "target <> 'asked'") // the call does not wait any more
	c.add("at >= ?", after.at)
	c.add("at < ?", micros(f.To))
	c.args = append(c.args, after.at, after.session, after.seq)
	c.terms = append(c.terms, "(at, session, seq) > ($3, $4, $5)")
	if f.App != "" {
		c.add("app = ?", f.App)
	}
	if f.SP != "" {
		c.add("app IN (SELECT key FROM apps WHERE sp = ?)", f.SP)
	}
	if f.Session != "" {
		c.add("session = ?", f.Session)
	}
	if f.Missed {
		c.terms = append(c.terms, "done_at = 0")
	}
	rows, err := l.reads.QueryContext(ctx, "SELECT at, session, seq FROM events"+c.where()+fmt.Sprintf(" ORDER BY at, session, seq LIMIT %d", limit), c.args...)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var e replayed
		if err := rows.Scan(&e.at, &e.session, &e.seq); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// replayRows makes events due. The time of a recording goes on as if there were no further push.
var replayRows = newEventChange([]string{"session TEXT", "seq INTEGER", "now BIGINT"}, `events.session = r.session AND events.seq = r.seq`,
	`due_at = r.now, tries = 0, first_at = 0, done_at = 0, failure = '',
	kept_at = CASE WHEN kept_at > 0 THEN kept_at WHEN done_at > 0 THEN done_at WHEN due_at = 0 THEN at ELSE 0 END`, false)

func (l *Ledger) replay(ctx context.Context, list []replayed, now time.Time) error {
	args := make([]any, 0, len(list)*len(replayRows.columns))
	for _, e := range list {
		args = append(args, e.session, e.seq, micros(now))
	}
	err := l.change(ctx, func(s scope) error {
		_, err := replayRows.run(s, args)
		return err
	})
	if err == nil {
		l.rouse()
	}
	return err
}
