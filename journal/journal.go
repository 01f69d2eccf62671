// Package journal is a node's own record of its calls: an append-only log on
// its disk, durable in groups, that is carried into the ledger in bulk. A call
// waits for this disk and for nobody else; while the ledger is away, entries
// wait here. What is carried twice changes nothing.
package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"axgate/events"
)

// Why an entry is not taken.
var (
	ErrClosed = errors.New("the journal is closed")
	ErrFull   = errors.New("the journal is full")
)

// Ledger is where entries are carried.
type Ledger interface {
	// Record stores entries, in one transaction if it can. An entry that is
	// there already changes nothing. refused tells, by their index, of entries
	// that it will never take; all others are stored. An error means that
	// nothing may have been stored, and that the same entries are to be tried
	// again.
	Record(ctx context.Context, entries []events.Entry) (refused map[int]error, err error)
}

// Config says where the journal is. Zero values mean their defaults.
type Config struct {
	Dir    string // its directory, of this node alone; made if it is missing
	Ledger Ledger
	// Prompt tells of events that somebody is to hear of at once; their entries
	// are carried within 100 ms, others within a second. nil: of all.
	Prompt func(events.Lane) bool
	Queue  int   // writes that may wait for the disk; 10,000
	Size   int64 // bytes of segments that may wait for the ledger; 4 GiB
	Log    zerolog.Logger
}

// Journal is an open journal. It is safe for use by many goroutines.
type Journal struct {
	cfg     Config
	queue   *queue
	log     *appender
	carrier *carrier
	copier  atomic.Pointer[copier] // nil: nobody is to have copies
	written atomic.Uint64          // entries
	handled atomic.Uint64          // writes that are on the disk, or failed
	shut    sync.Once
	shutErr error
}

// Open opens the journal. What an earlier process has left in it is carried
// before what is new; Flush waits for that.
func Open(cfg Config) (*Journal, error) {
	if cfg.Queue <= 0 {
		cfg.Queue = 10_000
	}
	if cfg.Size <= 0 {
		cfg.Size = 4 << 30
	}
	if cfg.Prompt == nil {
		cfg.Prompt = func(events.Lane) bool { return true }
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the journal: %w", err)
	}
	j := &Journal{cfg: cfg, queue: newQueue(cfg.Queue)}
	mark, carried, err := openBookmark(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if j.log, err = openAppender(&cfg, carried); err != nil {
		return nil, errors.Join(err, mark.close())
	}
	j.carrier = newCarrier(&j.cfg, mark, carried, j.log)
	go j.carrier.run()
	go j.write()
	return j, nil
}

// Write queues a call's state, as of its last event, and its events. The
// channel yields one error, nil once both are on the disk. Of a kind that a
// call has only once (disconnect, fee) the first counts, and an event that was
// written before stays as it is, so that a write may be repeated. If nothing
// can be queued the error is there at once: ErrFull, ErrClosed. A call that
// begins is refused with ErrFull when the disk has no room for what follows it; one that ends
// has its room, though its beginning be written with it.
func (j *Journal) Write(call events.Call, evs ...events.Event) <-chan error {
	e := events.Entry{Call: call, Events: evs}
	for i := range evs {
		if evs[i].Session != call.Session {
			return failed(fmt.Errorf("write to the journal: an event of session %q came with the call %q", evs[i].Session, call.Session))
		}
	}
	if begins(evs) {
		if err := j.log.room(); err != nil {
			return failed(fmt.Errorf("write to the journal: %w", err))
		}
	}
	return j.offer(e)
}

// begins tells whether more is to come of a call that is written for the first time.
func begins(evs []events.Event) bool {
	return len(evs) > 0 && evs[0].Seq == 1 && !slices.ContainsFunc(evs, func(e events.Event) bool { return e.Kind == events.Fee })
}

// Asked notes what became of a question, in the order of its session.
func (j *Journal) Asked(a events.Inquiry) <-chan error { return j.offer(events.Entry{Asked: &a}) }

// Hurry tells that somebody waits for what was written: it is synced at once,
// or, when much is written, with what else comes within 20 ms.
func (j *Journal) Hurry() { j.queue.hurry() }

// Flush waits until the ledger has everything that was written before.
func (j *Journal) Flush(ctx context.Context) error {
	const step = 5 * time.Millisecond
	for all := j.queue.all(); j.handled.Load() < all; j.queue.hurry() {
		select {
		case <-time.After(step):
		case <-ctx.Done():
			return fmt.Errorf("write the journal: %w", ctx.Err())
		}
	}
	if err := j.carrier.flush(ctx, j.log.end()); err != nil {
		return fmt.Errorf("carry the journal into the ledger: %w", err)
	}
	return nil
}

// Close writes what is queued, and carries it until ctx ends; what is left then
// is carried after the next Open.
func (j *Journal) Close(ctx context.Context) error {
	j.shut.Do(func() {
		j.queue.close()
		<-j.log.ended
		err := j.Flush(ctx)
		if err != nil {
			j.cfg.Log.Warn().Err(err).Msg("the rest of the journal is carried after the next start")
		}
		j.shutErr = errors.Join(j.carrier.close(), j.log.close())
	})
	return j.shutErr
}

func (j *Journal) offer(e events.Entry) <-chan error {
	text, err := e.AppendText(nil)
	switch {
	case err != nil:
		return failed(fmt.Errorf("write to the journal: %w", err))
	case len(text) > mostText:
		return failed(fmt.Errorf("write to the journal: an entry of %d bytes of %s is too long: at most %d", len(text), e.Session(), mostText))
	}
	w := &write{entry: e, text: text, prompt: j.prompt(&e), done: make(chan error, 1)}
	if err := j.queue.offer(w); err != nil {
		w.done <- fmt.Errorf("write to the journal: %w", err)
	}
	return w.done
}

func (j *Journal) prompt(e *events.Entry) bool {
	for i := range e.Events {
		if ev := &e.Events[i]; ev.Target() != events.Asked && j.cfg.Prompt(events.Lane{App: ev.App, Target: ev.Target()}) {
			return true
		}
	}
	return false
}

func failed(err error) <-chan error {
	done := make(chan error, 1)
	done <- err
	return done
}

// write is the goroutine that puts what is queued on the disk.
func (j *Journal) write() {
	defer close(j.log.ended)
	for batch := j.queue.next(nil); batch != nil; batch = j.queue.next(batch[:0]) {
		at, err := j.log.append(batch)
		if err == nil {
			j.written.Add(uint64(len(batch)))
			j.carrier.take(batch, at)
			if c := j.copier.Load(); c != nil {
				c.take(batch, at)
			}
		}
		j.handled.Add(uint64(len(batch)))
		for _, w := range batch {
			w.done <- err
		}
		clear(batch)
	}
}
