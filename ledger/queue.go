package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrClosed tells that the ledger is closed.
var ErrClosed = errors.New("the ledger is closed")

// queue holds what waits for the writer, who takes it all together. Every job
// says how long after the last commit it may be taken: thus what comes after a
// silence is written at once, and what comes in a crowd together.
type queue struct {
	most  int           // jobs
	timer *time.Timer   // the writer's: it goes off when the jobs are due
	room  chan struct{} // holds a token once there is room again

	mu       sync.Mutex
	jobs     []*job
	patience time.Duration // of the most impatient job
	last     time.Time     // when the last batch was written
	asleep   bool          // the writer waits for the timer
	due      time.Time     // when it goes off; zero: never
	closed   bool
}

func newQueue(most int) *queue {
	q := &queue{most: most, timer: time.NewTimer(0), room: make(chan struct{}, 1)}
	q.timer.Stop()
	return q
}

// offer queues a job without waiting, or tells why it cannot.
func (q *queue) offer(j *job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case len(q.jobs) >= q.most:
		return fmt.Errorf("%w: %d writes wait already", ErrJournalFull, q.most)
	}
	if q.jobs = append(q.jobs, j); len(q.jobs) == 1 || j.patience < q.patience {
		q.patience = j.patience
	}
	q.rouse()
	return nil
}

// enter queues a job as soon as there is room.
func (q *queue) enter(ctx context.Context, j *job) error {
	for {
		err := q.offer(j)
		if !errors.Is(err, ErrJournalFull) {
			if err == nil {
				q.hint() // somebody else may have waited, too
			}
			return err
		}
		select {
		case <-q.room:
		case <-ctx.Done():
			return fmt.Errorf("wait for the ledger's writer: %w", ctx.Err())
		}
	}
}

// hint wakes one who waits for room, if there is any.
func (q *queue) hint() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) < q.most {
		select {
		case q.room <- struct{}{}:
		default:
		}
	}
}

// hurry makes all that is queued due so long after the last commit.
func (q *queue) hurry(patience time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) > 0 && patience < q.patience {
		q.patience = patience
		q.rouse()
	}
}

// rouse sees to it that the writer wakes when the jobs are due.
func (q *queue) rouse() {
	if !q.asleep {
		return
	}
	due := q.last.Add(q.patience)
	if q.closed || len(q.jobs) >= batchMost {
		due = q.last
	}
	if q.due.IsZero() || due.Before(q.due) {
		q.due = due
		q.timer.Reset(time.Until(due))
	}
}

// batchMost is how many jobs one transaction takes.
const batchMost = 512

// next waits until jobs are due and moves them to batch; none come after close.
// The batch before is written by then.
func (q *queue) next(batch []*job) []*job {
	q.mu.Lock()
	q.last = time.Now()
	for {
		n := len(q.jobs)
		if n == 0 && q.closed {
			q.mu.Unlock()
			return nil
		}
		if n > 0 && (q.closed || n >= batchMost || !time.Now().Before(q.last.Add(q.patience))) {
			break
		}
		q.asleep, q.due = true, time.Time{}
		if n > 0 {
			q.rouse()
		}
		q.mu.Unlock()
		<-q.timer.C
		q.mu.Lock()
		q.asleep = false
	}
	n := min(len(q.jobs), batchMost)
	batch = append(batch, q.jobs[:n]...)
	left := copy(q.jobs, q.jobs[n:])
	clear(q.jobs[left:])
	q.jobs = q.jobs[:left]
	q.mu.Unlock()
	q.hint()
	return batch
}

// close refuses new jobs; what is queued is due.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		q.rouse()
	}
}
