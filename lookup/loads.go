package lookup

import (
	"context"
	"sync"
	"time"

	"axgate/routing"
	"axgate/store"
)

// loads brings X to the cache that it does not have, each once at a time in
// this process, however many calls ask for it. Calls do not wait: an emptied
// Redis has millions of bindings to come back, and the ledger answers meanwhile.
type loads struct {
	load      loader // for those who wait
	loadLater loader

	mu    sync.Mutex
	all   map[routing.X]*loading
	queue chan *loading
}

// loader loads an X. It is not loaded if Redis fails; an error is the ledger's.
type loader func(ctx context.Context, w wanted) (loaded bool, err error)

// wanted is an X that the cache does not have.
type wanted struct {
	x      routing.X
	at     time.Time // of the call
	ticket store.Ticket
}

// loading is an X that is to be loaded, or is being loaded.
type loading struct {
	wanted
	begun  bool
	again  *wanted // X was changed since it was begun, and is wanted again
	done   chan struct{}
	loaded bool
	err    error
}

const (
	mostLoads = 10_000 // that wait; X beyond are for a later call
	loaders   = 2      // at a time, besides those that somebody waits for
)

func newLoads(load, later loader) *loads {
	return &loads{load: load, loadLater: later, all: make(map[routing.X]*loading), queue: make(chan *loading, mostLoads)}
}

// run loads what is wanted later, until ctx ends. After each X a loader rests
// for as long as it took: half of its time is left to calls.
func (l *loads) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for range loaders {
		all.Go(func() {
			rest := time.NewTimer(0)
			defer rest.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-rest.C:
				}
				select {
				case <-ctx.Done():
					return
				case one := <-l.queue:
					begun := time.Now()
					l.perform(ctx, one, l.loadLater)
					rest.Reset(time.Since(begun))
				}
			}
		})
	}
}

// later has X loaded soon. A failure is not told: calls that meet it ask the
// ledger themselves.
func (l *loads) later(w wanted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch one := l.all[w.x]; {
	case one == nil:
		l.enqueue(w)
	case !one.begun: // the ticket may have been taken from the one that waits
		one.wanted = w
	case one.ticket != w.ticket:
		one.again = &w
	}
}

// enqueue is called with the lock held.
func (l *loads) enqueue(w wanted) {
	one := &loading{wanted: w, done: make(chan struct{})}
	select {
	case l.queue <- one:
		l.all[w.x] = one
	default:
	}
}

// now loads X, or waits for the load that is under way. It is not loaded if
// Redis fails; an error is the ledger's, or ctx has ended.
func (l *loads) now(ctx context.Context, w wanted) (loaded bool, err error) {
	l.mu.Lock()
	one := l.all[w.x]
	switch {
	case one == nil:
		one = &loading{wanted: w, done: make(chan struct{})}
		l.all[w.x] = one
	case !one.begun:
		one.wanted = w
	}
	l.mu.Unlock()
	if l.perform(ctx, one, l.load) {
		return one.loaded, one.err
	}
	select {
	case <-one.done:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if one.err != nil || one.ticket != w.ticket { // that of another one: its ctx may have ended, or X was changed since
		return l.load(ctx, w)
	}
	return one.loaded, nil
}

// perform loads X unless somebody else does, or did.
func (l *loads) perform(ctx context.Context, one *loading, load loader) (performed bool) {
	l.mu.Lock()
	if one.begun {
		l.mu.Unlock()
		return false
	}
	one.begun = true
	l.mu.Unlock()
	one.loaded, one.err = load(ctx, one.wanted) // nobody changes it any more
	l.mu.Lock()
	delete(l.all, one.x)
	if one.again != nil {
		l.enqueue(*one.again)
	}
	l.mu.Unlock()
	close(one.done)
	return true
}
