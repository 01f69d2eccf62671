package ledger

import (
	"context"
	"errors"
	"fmt"

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
		n, err = s.exec(`UPDATE events SET due_at = $1, holder = '' WHERE due_at > 0 AND holder = $2`, micros(l.Now()), dead.String())
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

// Finish stores outcomes in one transaction. An event that is done with, one
// way or the other, lets those behind it be due: all that are parked, but not
// those that the same pusher has in hand.
func (o *Outbox) Finish(ctx context.Context, outcomes []events.Outcome) error {
	err := o.ledger.change(ctx, func(s scope) error {
		for i := range outcomes {
			if err := finish(s, &outcomes[i]); err != nil {
				return fmt.Errorf("event %d of %s: %w", outcomes[i].Seq, outcomes[i].Session, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store the outcomes of pushes: %w", err)
	}
	return nil
}

func finish(s scope, e *events.Outcome) error {
	held, err := s.exec(`UPDATE events SET due_at = $1, tries = $2, first_at = $3, done_at = $4, failure = $5, holder = '' WHERE session = $6 AND seq = $7 AND due_at = $8`,
		micros(e.Due), int64(e.Tries), micros(e.First), micros(e.Done), e.Failure, e.Session, int64(e.Seq), micros(e.Lease))
	if err != nil || held == 0 || !e.Due.IsZero() || e.Kind == events.Fee {
		return err
	}
	_, err = s.exec(`UPDATE events SET due_at = $1 WHERE session = $2 AND target <> 'fee' AND seq > $3 AND due_at > $1 AND due_at <> $4`,
		micros(e.At), e.Session, int64(e.Seq), micros(e.Lease))
	return err
}
