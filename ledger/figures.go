package ledger

import (
	"context"
	"fmt"
	"time"
)

// mostCounted bounds what is counted row by row: beyond it, it is that much.
const mostCounted = 100_000

// Owed is what the outbox owes.
type Owed struct {
	Events int           // at most 100,000 are counted
	Oldest time.Duration // how long ago the oldest of those happened; 0: none is owed
	Failed int           // of them, those that were refused at least once
}

// Owed counts what is still to be pushed.
func (o *Outbox) Owed(ctx context.Context) (Owed, error) {
	var owed Owed
	var at int64
	err := o.ledger.read(ctx).scan(`SELECT COUNT(*), COALESCE(SUM(CASE WHEN tries > 0 THEN 1 ELSE 0 END), 0), COALESCE(MIN(at), 0)
		FROM (SELECT at, tries FROM events WHERE due_at > 0 LIMIT $1) AS owed`, one(int64(mostCounted)), &owed.Events, &owed.Failed, &at)
	if err != nil {
		return owed, fmt.Errorf("count what is to be pushed: %w", err)
	}
	if at > 0 {
		owed.Oldest = max(0, time.Since(instant(at)))
	}
	return owed, nil
}

// Waiting is the texts that are not done.
type Waiting struct {
	Whole   int           // that wait for a try; at most 100,000 are counted, parts and all
	Parts   int           // that wait for their other parts
	Oldest  time.Duration // how long ago the oldest of those came; 0: none waits
	Retried int           // of the whole ones, those that were tried at least once
}

// WaitingTexts counts the texts that are not done.
func (l *Ledger) WaitingTexts(ctx context.Context) (Waiting, error) {
	var w Waiting
	var at int64
	err := l.read(ctx).scan(`SELECT COALESCE(SUM(CASE WHEN whole THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN whole THEN 0 ELSE 1 END), 0),
			COALESCE(SUM(CASE WHEN whole AND tries > 0 THEN 1 ELSE 0 END), 0), COALESCE(MIN(at), 0)
		FROM (SELECT whole, tries, at FROM messages WHERE due_at > 0 LIMIT $1) AS waiting`, one(int64(mostCounted)), &w.Whole, &w.Parts, &w.Retried, &at)
	if err != nil {
		return w, fmt.Errorf("count the texts that wait: %w", err)
	}
	if at > 0 {
		w.Oldest = max(0, time.Since(instant(at)))
	}
	return w, nil
}

// Stock is how much there is.
type Stock struct {
	Numbers   int64 // X
	Bindings  int64 // that stand on them
	Unsettled int64 // X of whose last change the cache has not confirmed within settlesWithin; at most 100,000 are counted
}

// settlesWithin is how long a change may wait for the cache's word where nothing is wrong: a
// second, or 10 s if whoever made it has died.
const settlesWithin = time.Minute

// Stock counts X and what is bound. It reads a row per X: in a system with
// millions of them, once in some minutes.
func (l *Ledger) Stock(ctx context.Context) (Stock, error) {
	var s Stock
	err := l.read(ctx).scan(`SELECT COUNT(*), COALESCE(SUM(bindings), 0), (SELECT COUNT(*) FROM (SELECT 1 FROM unsettled WHERE since < $2 LIMIT $1) AS unsettled) FROM numbers`,
		append(one(int64(mostCounted)), micros(l.Now().Add(-settlesWithin))), &s.Numbers, &s.Bindings, &s.Unsettled)
	if err != nil {
		return s, fmt.Errorf("count the bindings: %w", err)
	}
	return s, nil
}
