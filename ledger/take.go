package ledger

import (
	"context"
	"fmt"

	"axgate/events"
)

// Those who look for what is due come to the same rows. What one of them has locked, others leave
// to it: nobody waits.

// moveRows gives rows that still are as they were seen another time to be due, and who has them.
var moveRows = newEventChange([]string{"session TEXT", "seq INTEGER", "seen BIGINT", "due BIGINT", "holder TEXT"},
	`events.session = r.session AND events.seq = r.seq AND events.due_at = r.seen`, `due_at = r.due, holder = r.holder`, true)

// lockRows locks rows that still are as they were seen.
var lockRows = newEventChange([]string{"session TEXT", "seq INTEGER", "seen BIGINT"},
	`events.session = r.session AND events.seq = r.seq AND events.due_at = r.seen`, "", true)

// take claims and parks in one transaction.
func (o *Outbox) take(ctx context.Context, lease int64, runs []run) (taken []events.Claimed, err error) {
	holder := ""
	if o.holder != nil {
		holder = o.holder().String()
	}
	err = o.ledger.change(ctx, func(s scope) (err error) {
		if taken, err = claim(s, runs, lease, holder); err != nil {
			return fmt.Errorf("claim them: %w", err)
		}
		if err := park(s, runs, lease); err != nil {
			return fmt.Errorf("park what waits for others: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// claim takes of each run what stands before the first row that is not as it was seen, or that
// somebody else has locked: that one was faster there. What was got behind it is put back.
func claim(s scope, runs []run, lease int64, holder string) (taken []events.Claimed, err error) {
	var all, back []any
	for _, r := range runs {
		for _, e := range r.rows {
			if r.head == nil {
				all = append(all, e.Session, int64(e.Seq), e.due, lease, holder)
			}
		}
	}
	got, err := moveRows.run(s, all)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if r.head != nil {
			continue
		}
		whole := true
		for _, e := range r.rows {
			mine := got[eventKey{e.Session, e.Seq}]
			whole = whole && mine
			switch {
			case whole:
				e.Lease = instant(lease)
				taken = append(taken, e.Claimed)
			case mine:
				back = append(back, e.Session, int64(e.Seq), lease, e.due, "")
			}
		}
	}
	if _, err := moveRows.run(s, back); err != nil {
		return nil, err
	}
	return taken, nil
}

// park makes rows due after the one that they wait for, unless that one has moved on, or is
// about to. Its row is locked, so that whoever finishes it finds them parked.
func park(s scope, runs []run, lease int64) error {
	var heads, rows []any
	for _, r := range runs {
		if r.head != nil {
			heads = append(heads, r.head.Session, int64(r.head.Seq), r.head.due)
		}
	}
	waits, err := lockRows.run(s, heads)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.head == nil || !waits[eventKey{r.head.Session, r.head.Seq}] {
			continue
		}
		for _, e := range r.rows {
			rows = append(rows, e.Session, int64(e.Seq), e.due, max(r.head.due, lease)+1, "")
		}
	}
	_, err = moveRows.run(s, rows)
	return err
}
