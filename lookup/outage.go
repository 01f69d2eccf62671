package lookup

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"axgate/routing"
	"axgate/store"
)

// outages are the times in which a server of the cache does not answer, or so slowly
// that the ledger is quicker. Calls do not try it then: a probe does, and closes the
// outage once the server answers as it should. In a cluster each server has its own.
type outages struct {
	mu   sync.Mutex
	by   map[string]*outage // by server: those that answer as they should are not in it
	open atomic.Int32       // outages that last
	all  atomic.Uint64      // that there were
}

type outage struct {
	lasts bool
	slow  int       // answers in a row
	x     routing.X // one that the server has
}

const (
	probePause = 250 * time.Millisecond
	slowMost   = 5 // slow answers in a row are an outage
)

// at is the state of a server; with the lock held.
func (o *outages) at(server string) *outage {
	if o.by == nil {
		o.by = map[string]*outage{}
	}
	one := o.by[server]
	if one == nil {
		one = &outage{}
		o.by[server] = one
	}
	return one
}

// lasts tells whether the server is not to be asked.
func (o *outages) lasts(server string) bool {
	if o.open.Load() == 0 {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.by[server]
	return one != nil && one.lasts
}

// any tells whether one lasts.
func (o *outages) any() bool { return o.open.Load() > 0 }

// begin tells whether that is a change.
func (o *outages) begin(server string, x routing.X) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.at(server)
	one.x = x
	if one.lasts {
		return false
	}
	one.lasts, one.slow = true, 0
	o.open.Add(1)
	o.all.Add(1)
	return true
}

// answered notes an answer; slow: another way would have been quicker. It tells
// whether there were so many that an outage is to begin.
func (o *outages) answered(server string, slow bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slow {
		if one := o.by[server]; one != nil && !one.lasts {
			delete(o.by, server)
		}
		return false
	}
	one := o.at(server)
	one.slow++
	return one.slow >= slowMost
}

func (o *outages) end(server string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if one := o.by[server]; one != nil && one.lasts {
		delete(o.by, server)
		o.open.Add(-1)
	}
}

// now are the outages that last: an X of each server.
func (o *outages) now() map[string]routing.X {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := map[string]routing.X{}
	for server, one := range o.by {
		if one.lasts {
			all[server] = one.x
		}
	}
	return all
}

// lost notes that the server of X failed. The log is told once per outage, not per
// call. What only waits for a slot that moves is no outage, nor is a call that ended.
func (r *Router) lost(ctx context.Context, x routing.X, err error) {
	if errors.Is(err, store.ErrMoving) || errors.Is(context.Cause(ctx), context.Canceled) {
		return
	}
	server := r.cfg.Cache.Place(x)
	if r.outages.begin(server, x) {
		r.cfg.Log.Error().Err(err).Str("redis", server).Msg("the cache does not answer: the ledger does until it is back")
	}
}

// found notes that it answered, and after what time.
func (r *Router) found(x routing.X, took time.Duration) {
	server := r.cfg.Cache.Place(x)
	if r.outages.answered(server, took > r.cfg.Cache.Slow()) && r.outages.begin(server, x) {
		r.cfg.Log.Error().Dur("took", took).Str("redis", server).Msg("the cache does not answer in time: the ledger does until it is quicker")
	}
}

// probe asks servers that are in an outage whether they answer again, until ctx ends.
func (r *Router) probe(ctx context.Context) {
	tick := time.NewTicker(probePause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !r.outages.any() {
			continue
		}
		var all sync.WaitGroup
		for server, x := range r.outages.now() {
			all.Go(func() {
				begun := time.Now()
				if err := r.cfg.Cache.Probe(ctx, x); err == nil && time.Since(begun) <= r.cfg.Cache.Slow() {
					r.outages.end(server)
					r.cfg.Log.Info().Str("redis", server).Msg("the cache answers again")
				}
			})
		}
		all.Wait()
	}
}
