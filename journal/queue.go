package journal

import (
	"fmt"
	"sync"
	"time"

	"axgate/events"
)

// How long after the last sync an entry may wait for others to be synced with
// it.
const (
	waitedFor = 20 * time.Millisecond // somebody waits (Hurry)
	noted     = 50 * time.Millisecond // nobody does, but a process that dies would not know it
)

// write is an entry that is not on the disk yet.
type write struct {
	entry  events.Entry
	text   []byte
	prompt bool       // somebody is to be told of it at once
	done   chan error // buffered
}

// queue holds what waits for the writer, who takes it all together: thus what
// comes after a silence is written at once, and what comes in a crowd together.
type queue struct {
	most  int         // writes
	timer *time.Timer // the writer's: it goes off when the writes are due

	mu       sync.Mutex
	writes   []*write
	patience time.Duration
	offered  uint64    // writes, ever
	last     time.Time // when the last batch was written
	asleep   bool      // the writer waits for the timer
	due      time.Time // when it goes off; zero: never
	closed   bool
}

func newQueue(most int) *queue {
	q := &queue{most: most, timer: time.NewTimer(0)}
	q.timer.Stop()
	return q
}

// offer queues a write, or tells why it cannot.
func (q *queue) offer(w *write) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case len(q.writes) >= q.most:
		return fmt.Errorf("%w: %d writes wait already", ErrFull, q.most)
	}
	q.offered++
	if q.writes = append(q.writes, w); len(q.writes) == 1 {
		q.patience = noted
	}
	q.rouse()
	return nil
}

// hurry makes all that is queued due sooner.
func (q *queue) hurry() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.writes) > 0 {
		q.patience = waitedFor
		q.rouse()
	}
}

// all is how many writes were ever queued.
func (q *queue) all() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.offered
}

// rouse sees to it that the writer wakes when the writes are due.
func (q *queue) rouse() {
	if !q.asleep {
		return
	}
	due := q.last.Add(q.patience)
	if q.closed || len(q.writes) >= batchMost {
		due = q.last
	}
	if q.due.IsZero() || due.Before(q.due) {
		q.due = due
		q.timer.Reset(time.Until(due))
	}
}

// batchMost is how many writes are synced together.
const batchMost = 512

// next waits until writes are due and moves them to batch; none come after
// close. The batch before is written by then.
func (q *queue) next(batch []*write) []*write {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last = time.Now()
	for {
		n := len(q.writes)
		if n == 0 && q.closed {
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
	n := min(len(q.writes), batchMost)
	batch = append(batch, q.writes[:n]...)
	left := copy(q.writes, q.writes[n:])
	clear(q.writes[left:])
	q.writes = q.writes[:left]
	return batch
}

// close refuses new writes; what is queued is due.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		q.rouse()
	}
}
