package lookup

import (
	"sync"
	"time"
)

// outage is a time in which Redis does not answer. Calls must not all wait for
// it: one in a while tries, the others go to the ledger at once.
type outage struct {
	mu   sync.Mutex
	on   bool
	next time.Time // when the next call may try
}

const retry = 500 * time.Millisecond

// mayTry tells whether Redis is to be asked.
func (o *outage) mayTry() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.on {
		return true
	}
	now := time.Now()
	if now.Before(o.next) {
		return false
	}
	o.next = now.Add(retry)
	return true
}

func (o *outage) lasts() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.on
}

// set tells whether that is a change.
func (o *outage) set(on bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	changed := o.on != on
	o.on = on
	if on {
		o.next = time.Now().Add(retry)
	}
	return changed
}

// lost and found tell of Redis once per outage, not per call.
func (r *Router) lost(err error) {
	if r.outage.set(true) {
		r.cfg.Log.Error().Err(err).Msg("the cache does not answer: the ledger does until it is back")
	}
}

func (r *Router) found() {
	if r.outage.lasts() && r.outage.set(false) {
		r.cfg.Log.Info().Msg("the cache answers again")
	}
}

// trust is how long the cache is believed without the ledger: less than the
// time after which others no longer wait for a silent node when they make the
// cache void (provision: five seconds).
const trust = 4 * time.Second

// believes tells whether this node has heard from the ledger lately, so that
// it knows which cache is void. What it heard counts only if the ledger had
// heard of the node before: else nobody waited for it.
func (r *Router) believes() bool {
	age := time.Since(time.UnixMicro(r.trusted.Load()))
	return age >= 0 && age < trust
}
