package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"axgate/events"
)

// How long after the last time entries may wait to be carried. Receivers are to
// hear of what happens within 200 ms; other readers of the ledger have time,
// and many entries at once cost it less than as many one by one.
const (
	promptly   = 100 * time.Millisecond
	atLeisure  = time.Second
	carryMost  = 512    // entries of one transaction
	memoryMost = 20_000 // entries that wait in memory; further ones are read back
	tryAgain   = 5 * time.Second
	carryMax   = 2 * time.Minute // a database that does not answer is asked again
)

// carrier takes what is on the disk into the ledger, in its order.
type carrier struct {
	dir    string
	ledger Ledger
	log    zerolog.Logger
	disk   *appender
	mark   *bookmark
	stop   context.CancelFunc
	ctx    context.Context
	ended  chan struct{}
	timer  *time.Timer // goes off when entries are due

	mu       sync.Mutex
	waiting  []entry       // what is on the disk from from on
	from     position      // before it only the disk knows
	until    position      // the end of what is on the disk
	carried  position      // how far the ledger has it
	moved    chan struct{} // closed when carried moves on
	asleep   bool
	hurried  int           // flushes that wait
	patience time.Duration // of the most urgent entry
	last     time.Time     // when entries were carried last
	due      time.Time     // when the timer goes off; zero: never
	since    time.Time     // when the oldest entry that is not carried was written, or earlier
	count    uint64        // entries that were carried

	refused atomic.Uint64 // entries
}

// entry is one that waits, with where it ends on the disk.
type entry struct {
	events.Entry
	end position
	at  time.Time // when it was on the disk
}

func newCarrier(cfg *Config, mark *bookmark, carried position, disk *appender) *carrier {
	c := &carrier{dir: cfg.Dir, ledger: cfg.Ledger, log: cfg.Log, disk: disk, mark: mark, ended: make(chan struct{}), timer: time.NewTimer(0),
		from: disk.end(), until: disk.end(), carried: carried, moved: make(chan struct{}), patience: promptly, since: time.Now()}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.timer.Stop()
	return c
}

// take is told of entries that are on the disk.
func (c *carrier) take(batch []*write, ends []position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	idle, now := c.carried == c.until, time.Now()
	if idle {
		c.since = now
	}
	if len(c.waiting)+len(batch) > memoryMost {
		c.waiting, c.from = nil, ends[len(ends)-1]
	} else {
		for i, w := range batch {
			c.waiting = append(c.waiting, entry{w.entry, ends[i], now})
		}
	}
	c.until = ends[len(ends)-1]
	patience := atLeisure
	for _, w := range batch {
		if w.prompt {
			patience = promptly
		}
	}
	if idle || patience < c.patience {
		c.patience = patience
	}
	c.rouse()
}

// rouse sees to it that the carrier wakes when entries are due.
func (c *carrier) rouse() {
	if !c.asleep || c.carried == c.until {
		return
	}
	due := c.dueAt()
	if c.due.IsZero() || due.Before(c.due) {
		c.due = due
		c.timer.Reset(time.Until(due))
	}
}

// dueAt is when entries are to be carried: at once if somebody waits, and if
// there are many.
func (c *carrier) dueAt() time.Time {
	if c.hurried > 0 || len(c.waiting) >= carryMost || c.carried.before(c.from) {
		return c.last
	}
	return c.last.Add(c.patience)
}

// flush waits until the ledger has everything before a position.
func (c *carrier) flush(ctx context.Context, p position) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hurried++
	defer func() { c.hurried-- }()
	for c.carried.before(p) {
		c.rouse()
		moved := c.moved
		c.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
		case <-c.ended:
		}
		c.mu.Lock()
		select {
		case <-c.ended:
			if c.carried.before(p) {
				return ErrClosed
			}
		default:
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// close ends the carrying, wherever it is.
func (c *carrier) close() error {
	c.stop()
	<-c.ended
	return c.mark.close()
}

func (c *carrier) run() {
	defer close(c.ended)
	r := &reader{dir: c.dir, log: c.log, at: c.carried, refuse: c.refuse}
	var failures int
	for c.wait() {
		err := c.carry(r)
		switch {
		case err == nil && failures > 0:
			c.log.Info().Msg("the journal is carried into the ledger again")
			failures = 0
		case err != nil && c.ctx.Err() == nil:
			if failures++; failures == 1 {
				c.log.Error().Err(err).Msg("the journal is not carried into the ledger: entries wait on this disk")
			}
			c.rest(min(promptly<<min(failures, 10), tryAgain))
		}
	}
}

// wait until entries are due; false: the carrier is to end.
func (c *carrier) wait() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.ctx.Err() == nil {
		if c.carried != c.until && !time.Now().Before(c.dueAt()) {
			return true
		}
		c.asleep, c.due = true, time.Time{}
		c.rouse()
		c.mu.Unlock()
		select {
		case <-c.timer.C:
		case <-c.ctx.Done():
		}
		c.mu.Lock()
		c.asleep = false
	}
	return false
}

// rest after a failure.
func (c *carrier) rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.ctx.Done():
	}
}

// carry takes the next entries into the ledger.
func (c *carrier) carry(r *reader) error {
	list, end, err := c.next(r)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		ctx, cancel := context.WithTimeout(c.ctx, carryMax)
		refused, err := c.ledger.Record(ctx, list)
		cancel()
		if err != nil {
			return err
		}
		for i, why := range refused {
			if errors.Is(why, events.ErrNotIts) { // as it has to be
				c.log.Info().Err(why).Str("session", list[i].Call.Session).Msg("an end that the journal brought late is left out")
				continue
			}
			text, err := json.Marshal(list[i])
			if err != nil {
				return fmt.Errorf("keep a refused entry: %w", err)
			}
			if err := c.refuse(text, why); err != nil {
				return err
			}
		}
	}
	err = errors.Join(c.mark.set(end), c.disk.carriedTo(end))
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(c.waiting) && !end.before(c.waiting[n].end) {
		n++
	}
	left := copy(c.waiting, c.waiting[n:])
	clear(c.waiting[left:])
	if c.waiting = c.waiting[:left]; !end.before(c.from) {
		c.from = end
	}
	c.carried, c.last = end, time.Now()
	c.count += uint64(len(list))
	if len(c.waiting) > 0 && !c.carried.before(c.from) { // else it is read back, and nobody knows its time
		c.since = c.waiting[0].at
	}
	close(c.moved)
	c.moved = make(chan struct{})
	return err
}

// next are the entries that come next, from memory or from the disk.
func (c *carrier) next(r *reader) ([]events.Entry, position, error) {
	c.mu.Lock()
	if c.carried.before(c.from) {
		at, until := c.carried, c.from
		c.mu.Unlock()
		if r.at != at {
			r.at, r.rest = at, nil
		}
		return r.next(until, carryMost)
	}
	defer c.mu.Unlock()
	n := min(len(c.waiting), carryMost)
	list := make([]events.Entry, n)
	for i := range list {
		list[i] = c.waiting[i].Entry
	}
	end := c.until
	if n > 0 {
		end = c.waiting[n-1].end
	}
	return list, end, nil
}

// refuse keeps an entry that the ledger will never have.
func (c *carrier) refuse(text []byte, why error) error {
	c.refused.Add(1)
	c.log.Error().Err(why).Str("file", refusedFile).Msg("an entry of the journal is refused by the ledger: it is kept in a file")
	return keepRefused(c.dir, text, why)
}
