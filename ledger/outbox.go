package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"axgate/events"
)

// Outbox is the pusher's view of the events table (events.Outbox). A claim is
// the row's due_at moved to the end of the lease: it shows who has the row, and
// lets it be due again by itself if the pusher is gone.
type Outbox struct {
	ledger *Ledger
	holder func() Life // who claims; nil: nobody of whom others would know that he is dead
}

var _ events.Outbox = (*Outbox)(nil)

// Outbox is where the pusher finds the events that are owed.
func (l *Ledger) Outbox() *Outbox { return &Outbox{ledger: l} }

// Held is the outbox as the lives of a node claim from it: what one that is over holds
// others can have at once (FreeClaims).
func (o *Outbox) Held(by func() Life) *Outbox { return &Outbox{o.ledger, by} }

// FreeClaims makes due what a life that is over had claimed and not finished, and
// tells how much that was.
func (l *Ledger) FreeClaims(ctx context.Context, dead Life) (n int64, err error) {
	err = l.change(ctx, func(s scope) (err error) {
		freed, err := freeRows.run(s, one(dead.String(), micros(l.Now())))
		n = int64(len(freed))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("free what %s was about to push: %w", dead, err)
	}
	if n > 0 {
		l.rouse()
	}
	return n, nil
}

// Wake tells that events were written that may be due. It has one listener.
func (o *Outbox) Wake() <-chan struct{} { return o.ledger.due }

// Settings is the mark of apps and accounts.
func (o *Outbox) Settings(ctx context.Context) (int64, error) {
	m, err := o.ledger.Marks(ctx)
	return m.Settings, err
}

// Receiver reads where an app's events go; nowhere if there is no such app.
func (o *Outbox) Receiver(ctx context.Context, key string) (events.Receiver, error) {
	a, err := o.ledger.App(ctx, key)
	if errors.Is(err, ErrUnknownApp) {
		return events.Receiver{}, nil
	}
	if err != nil {
		return events.Receiver{}, err
	}
	return a.Receiver(), nil
}

// settleRows stores outcomes of rows that are still held.
var settleRows = newEventChange([]string{"session TEXT", "seq INTEGER", "lease BIGINT", "due BIGINT", "tries INTEGER", "first BIGINT", "done BIGINT", "failure TEXT"},
	`events.session = r.session AND events.seq = r.seq AND events.due_at = r.lease`,
	`due_at = r.due, tries = r.tries, first_at = r.first, done_at = r.done, failure = r.failure, holder = ''`, false)

// letGoRows makes due what is parked behind a row, but not what the same pusher has in hand. Nobody
// parks behind a row that is locked: if one behind it is, somebody has other plans with that one, which count.
var letGoRows = newEventChange([]string{"session TEXT", "seq INTEGER", "now BIGINT", "lease BIGINT"},
	`events.session = r.session AND events.target <> 'fee' AND events.seq > r.seq AND events.due_at > r.now AND events.due_at <> r.lease`,
	`due_at = r.now`, true)

// freeRows makes due what somebody holds.
var freeRows = newEventChange([]string{"holder TEXT", "now BIGINT"}, `events.due_at > 0 AND events.holder = r.holder`, `due_at = r.now, holder = ''`, false)

// Finish stores outcomes. An event that is done with, one way or the other, lets those behind
// it be due: all that are parked. To a server that is far away each statement takes long:
// there are as many of them for many outcomes as for two.
func (o *Outbox) Finish(ctx context.Context, outcomes []events.Outcome) error {
	for part := range slices.Chunk(outcomes, o.ledger.rowsAtOnce()) {
		part = newest(part)
		if err := o.ledger.change(ctx, func(s scope) error { return finish(s, part) }); err != nil {
			return fmt.Errorf("store the outcomes of pushes: %w", err)
		}
	}
	return nil
}

// newest are outcomes in the order of their events; of one that was claimed again
// after its lease only the last claim can count.
func newest(outcomes []events.Outcome) (list []events.Outcome) {
	sorted := slices.Clone(outcomes)
	slices.SortFunc(sorted, func(a, b events.Outcome) int {
		return cmp.Or(cmp.Compare(a.Session, b.Session), cmp.Compare(a.Seq, b.Seq), a.Lease.Compare(b.Lease))
	})
	for i, o := range sorted {
		if i+1 == len(sorted) || sorted[i+1].Session != o.Session || sorted[i+1].Seq != o.Seq {
			list = append(list, o)
		}
	}
	return list
}

func finish(s scope, outcomes []events.Outcome) error {
	all := make([]any, 0, len(outcomes)*len(settleRows.columns))
	for i := range outcomes {
		e := &outcomes[i]
		all = append(all, e.Session, int64(e.Seq), micros(e.Lease), micros(e.Due), int64(e.Tries), micros(e.First), micros(e.Done), e.Failure)
	}
	held, err := settleRows.run(s, all)
	if err != nil {
		return fmt.Errorf("%d, %d of %s the first: %w", len(outcomes), outcomes[0].Seq, outcomes[0].Session, err)
	}
	if _, err := letGoRows.run(s, behind(outcomes, held)); err != nil {
		return fmt.Errorf("let go what waits: %w", err)
	}
	return nil
}

// behind tells behind which rows the others of their sessions do not wait any more: if the
// last of a session is to be pushed again, they go on to wait for that.
func behind(outcomes []events.Outcome, held map[eventKey]bool) (rows []any) {
	last := map[string]*events.Outcome{}
	for i := range outcomes {
		if e := &outcomes[i]; e.Kind != events.Fee && held[eventKey{e.Session, e.Seq}] {
			last[e.Session] = e
		}
	}
	for i := range outcomes {
		if e := &outcomes[i]; last[e.Session] == e && e.Due.IsZero() {
			rows = append(rows, e.Session, int64(e.Seq), micros(e.At), micros(e.Lease))
		}
	}
	return rows
}
