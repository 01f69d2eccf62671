package resolve

import (
	"context"
	"errors"
	"time"
)

// Bounds of what is kept and done.
const (
	maxEntries = 1024
	maxWatched = 512       // of these
	maxLookups = 16        // at once
	keep       = time.Hour // in which a hop has to be asked for to be renewed
	tick       = time.Second
)

var (
	errClosed = errors.New("the resolver is closed")
	errBusy   = errors.New("too many names are looked up at once")
)

// entry is what is known of a hop. The resolver's lock is over it.
type entry struct {
	services []service // the last good answer; nil: none
	pointers []pointer // what NAPTR said last; nil: nothing
	err      error     // why there is none
	until    time.Time // until then this counts without a question
	renew    time.Time // from then on DNS is asked before a call needs it
	stale    time.Time // until then services count while DNS fails
	used     time.Time
	watched  bool
	failing  bool          // that was said in the log
	done     chan struct{} // closed when the lookup that is under way ends; nil: none is
}

// found is what is known of a hop, after a lookup if that is no longer good.
func (r *Resolver) found(ctx context.Context, h Hop) ([]service, error) {
	e, done, err := r.begin(h)
	if err != nil {
		return nil, err
	}
	if done != nil {
		var patience <-chan time.Time
		if r.old(e) {
			t := time.NewTimer(r.cfg.Patience)
			defer t.Stop()
			patience = t.C
		}
		select {
		case <-done:
		case <-patience:
		case <-ctx.Done():
			if !r.old(e) {
				return nil, ctx.Err()
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.services != nil {
		return e.services, nil
	}
	return nil, e.err
}

// begin finds or makes the entry of a hop. If its time is over, a lookup is
// started, and done is closed when it ends.
func (r *Resolver) begin(h Hop) (e *entry, done <-chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil, errClosed
	}
	now := r.now()
	e = r.entries[h]
	if e == nil {
		if len(r.entries) >= maxEntries && !r.evict() {
			return nil, nil, errBusy
		}
		e = new(entry)
		r.entries[h] = e
	}
	e.used = now
	if now.Before(e.until) {
		return e, nil, nil
	}
	if !now.Before(e.stale) {
		e.services = nil
	}
	r.start(h, e)
	return e, e.done, nil
}

// old tells whether there is an answer to fall back on.
func (r *Resolver) old(e *entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return e.services != nil
}

// evict drops the entry that was not asked for the longest.
func (r *Resolver) evict() bool {
	var oldest *entry
	var of Hop
	for h, e := range r.entries {
		if e.done == nil && !e.watched && (oldest == nil || e.used.Before(oldest.used)) {
			oldest, of = e, h
		}
	}
	delete(r.entries, of)
	return oldest != nil
}

// start looks a hop up, unless that is being done. The lookup is the
// resolver's: it goes on when the request that wanted it has been given up.
func (r *Resolver) start(h Hop, e *entry) {
	if e.done != nil || r.closed {
		return
	}
	done, last := make(chan struct{}), e.pointers
	e.done = done
	r.wait.Go(func() {
		defer close(done)
		select {
		case r.places <- struct{}{}:
			defer func() { <-r.places }()
		case <-r.ctx.Done():
		}
		services, pointers, ttl, err := r.look(h, last)
		r.mu.Lock()
		defer r.mu.Unlock()
		e.done, e.pointers = nil, pointers
		r.learn(h, e, services, ttl, err)
	})
}

// look asks the hosts file and DNS; last is what NAPTR said the last time. ttl
// is how long the answer counts, also if there is none.
func (r *Resolver) look(h Hop, last []pointer) (services []service, pointers []pointer, ttl time.Duration, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, lookupTime)
	defer cancel()
	l := r.newLookup(ctx, last)
	services, err = l.find(h, r.transport(h))
	ttl = min(max(l.ttl, r.cfg.MinTTL), r.cfg.MaxTTL)
	switch {
	case l.partial, err != nil && !errors.Is(err, errNone):
		ttl = r.cfg.MinTTL
	case err != nil:
		ttl = min(ttl, max(r.cfg.Negative, r.cfg.MinTTL))
	}
	return services, l.pointers, ttl, err
}

// learn takes in what a lookup came to.
func (r *Resolver) learn(h Hop, e *entry, services []service, ttl time.Duration, err error) {
	now := r.now()
	e.until = now.Add(ttl)
	e.renew = now.Add(ttl * 4 / 5)
	e.err = err
	switch {
	case err == nil:
		e.services = services
		e.stale = e.until.Add(r.cfg.Stale)
	case errors.Is(err, errNone): // it is an answer: there is no such host any more
		e.services = nil
	case e.services != nil && e.until.After(e.stale):
		e.until = e.stale
	}
	failing := err != nil && (e.services != nil || e.watched) // of others the caller hears
	switch {
	case r.ctx.Err() != nil:
	case failing && !e.failing:
		r.log.Warn().Str("host", h.String()).Bool("old_answer", e.services != nil).Err(err).Msg("a host cannot be found in DNS")
	case e.failing && err == nil:
		r.log.Info().Str("host", h.String()).Msg("a host is found in DNS again")
	}
	e.failing = failing
}

// tend renews and forgets until the resolver is closed.
func (r *Resolver) tend() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		r.renew()
		select {
		case <-t.C:
		case <-r.ctx.Done():
			return
		}
	}
}

// renew starts the lookups of hops that are in use and whose time is nearly
// over, and forgets those that say nothing any more.
func (r *Resolver) renew() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for h, e := range r.entries {
		wanted := e.watched || e.services != nil && now.Sub(e.used) < keep
		switch {
		case e.done != nil:
		case wanted && !now.Before(e.renew):
			r.start(h, e)
		case !e.watched && !now.Before(e.until) && !now.Before(e.stale):
			delete(r.entries, h)
		}
	}
}
