package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/sms"
)

// ClaimTexts takes texts that are due (sms.Store). It looks without a lock and
// then claims each only if it still is as it was seen; to PostgreSQL many are
// claimed by one statement.
func (l *Ledger) ClaimTexts(ctx context.Context, now, lease time.Time, room func(app string) int) (taken []sms.Text, more bool, err error) {
	var due []dueText
	err = l.eachTexting(ctx, micros(now), func(app string) error {
		n := room(app)
		if n <= 0 {
			return nil
		}
		found, err := l.dueTexts(ctx, app, micros(now), n)
		due, more = append(due, found...), more || len(found) == n
		return err
	})
	if len(due) > 0 {
		var failed error
		if taken, failed = l.takeTexts(ctx, due, micros(lease)); failed != nil {
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		return taken, more, fmt.Errorf("claim texts to send: %w", err)
	}
	return taken, more, nil
}

// eachTexting goes through the apps that have a text due: one step in the index
// for each that has any which is not done.
func (l *Ledger) eachTexting(ctx context.Context, now int64, each func(app string) error) error {
	app := ""
	for {
		var due int64
		err := l.read(ctx).scan(nextTexting, one(app), &app, &due)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list the apps with texts: %w", err)
		}
		if due > now {
			continue
		}
		if err := each(app); err != nil {
			return err
		}
	}
}

// nextTexting is the app after $1 that has a text which is not done, with the
// one that is due first.
const nextTexting = `SELECT app, due_at FROM messages WHERE due_at > 0 AND app > $1 ORDER BY app, due_at LIMIT 1`

// textsDue are texts of app $1 that are due at $2 and wait for no earlier one.
const textsDue = `SELECT id, due_at FROM messages m WHERE app = $1 AND due_at > 0 AND due_at <= $2
	AND NOT EXISTS (SELECT 1 FROM messages e WHERE e.x = m.x AND e.sender = m.sender AND e.due_at > 0 AND e.ahead AND (e.at, e.id) < (m.at, m.id))
	ORDER BY due_at LIMIT $3`

// dueText is a text as it was seen.
type dueText struct {
	id  string
	due int64
}

// dueTexts looks for texts of an app that are due and wait for no earlier one of
// their sender to X.
func (l *Ledger) dueTexts(ctx context.Context, app string, now int64, n int) (list []dueText, err error) {
	rows, err := l.read(ctx).query(textsDue, app, now, int64(n))
	if err != nil {
		return nil, fmt.Errorf("look for texts that are due: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var d dueText
		if err := rows.Scan(&d.id, &d.due); err != nil {
			return nil, fmt.Errorf("read a text that is due: %w", err)
		}
		list = append(list, d)
	}
	return list, nil
}

// takeRows holds texts that still are as they were seen until a lease ends. Those that somebody else
// has locked are that one's.
var takeRows = newRowChange(rowChange{table: "messages", key: []string{"id"}, columns: []string{"name TEXT", "seen BIGINT", "lease BIGINT"},
	which: `messages.id = r.name AND messages.due_at = r.seen`, set: `due_at = r.lease`, returning: messageColumns, aside: true})

// takeTexts takes, in their order, those that nobody else was faster to take.
func (l *Ledger) takeTexts(ctx context.Context, due []dueText, lease int64) (taken []sms.Text, err error) {
	args := make([]any, 0, len(due)*len(takeRows.columns))
	for _, d := range due {
		args = append(args, d.id, d.due, lease)
	}
	mine := make(map[string]sms.Text, len(due))
	err = l.change(ctx, func(s scope) error {
		clear(mine)
		return takeRows.run(s, args, func(r row) error {
			t, err := readMessage(r)
			mine[t.ID] = t
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	for _, d := range due {
		if t, ok := mine[d.id]; ok {
			taken = append(taken, t)
		}
	}
	return taken, nil
}
