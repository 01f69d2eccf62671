package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Job is work that comes again and again, and that one process of a system
// does at a time.
type Job struct {
	Name   string
	Holder string    // who does it, or did it last
	Lease  time.Time // until then the job is its holder's alone
	Due    time.Time // when it is to be done next
	Done   time.Time // when it was done last; zero: never
	By     string    // who did
	Result string    // what came of it, in words of who did it
}

// ErrJobHeld tells that the job is another one's, or not due.
var ErrJobHeld = errors.New("another one does the job, or it is not due")

// TakeJob gives a job to holder until the lease ends if it is due at now and
// nobody has it; ErrJobHeld if not. Due or not does not count with early.
func (l *Ledger) TakeJob(ctx context.Context, name, holder string, now, lease time.Time, early bool) error {
	// A look first: usually there is nothing to do, and nothing to be written.
	j, err := l.Job(ctx, name)
	if err != nil {
		return err
	}
	if j.Lease.After(now) && j.Holder != holder || j.Due.After(now) && !early {
		return ErrJobHeld
	}
	err = l.change(ctx, func(s scope) error {
		n, err := s.exec(`INSERT INTO jobs (name, holder, lease_until, due_at, done_at, done_by, result) VALUES ($1, $2, $3, 0, 0, '', '')
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
			WHERE (jobs.lease_until <= $4 OR jobs.holder = excluded.holder) AND (jobs.due_at <= $4 OR $5)`,
			name, holder, micros(lease), micros(now), early)
		if err == nil && n == 0 {
			return ErrJobHeld
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("take the job %s: %w", name, err)
	}
	return nil
}

// KeepJob prolongs the lease of a job; ErrJobHeld if another one has it by now.
func (l *Ledger) KeepJob(ctx context.Context, name, holder string, lease time.Time) error {
	return l.holdJob(ctx, `UPDATE jobs SET lease_until = $3 WHERE name = $1 AND holder = $2`, name, holder, micros(lease))
}

// FinishJob notes what came of a job, and when it is due again; ErrJobHeld if
// another one has it by now.
func (l *Ledger) FinishJob(ctx context.Context, j Job) error {
	return l.holdJob(ctx, `UPDATE jobs SET lease_until = 0, due_at = $3, done_at = $4, done_by = $5, result = $6 WHERE name = $1 AND holder = $2`,
		j.Name, j.Holder, micros(j.Due), micros(j.Done), j.By, j.Result)
}

func (l *Ledger) holdJob(ctx context.Context, query, name string, args ...any) error {
	err := l.change(ctx, func(s scope) error {
		n, err := s.exec(query, append([]any{name}, args...)...)
		if err == nil && n == 0 {
			return ErrJobHeld
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("hold the job %s: %w", name, err)
	}
	return nil
}

// Job reads a job; one that nobody has done yet is due.
func (l *Ledger) Job(ctx context.Context, name string) (Job, error) {
	j := Job{Name: name}
	var lease, due, done int64
	err := l.read(ctx).scan(`SELECT holder, lease_until, due_at, done_at, done_by, result FROM jobs WHERE name = $1`, one(name),
		&j.Holder, &lease, &due, &done, &j.By, &j.Result)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return j, fmt.Errorf("read the job %s: %w", name, err)
	}
	j.Lease, j.Due, j.Done = instant(lease), instant(due), instant(done)
	return j, nil
}
