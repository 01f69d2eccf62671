package lookup

import "time"

// trust is how long the cache is believed without the ledger: less than the
// time after which others no longer wait for a silent node when they make the
// cache void (provision: five seconds).
const trust = 4 * time.Second

// instant is one by the clock of the machine, which may be set, and by how long the
// process has run, which stands still while the machine sleeps.
type instant struct {
	clock time.Time // without the latter
	run   time.Duration
}

var started = time.Now()

func thisInstant() instant {
	now := time.Now()
	return instant{now.Round(0), now.Sub(started)}
}

// believes tells whether this node has heard from the ledger lately, so that
// it knows which cache is void. What it heard counts only if the ledger had
// heard of the node before: else nobody waited for it.
func (r *Router) believes() bool {
	heard, now := r.trusted.Load(), thisInstant()
	return heard != nil && max(now.clock.Sub(heard.clock), now.run-heard.run) < trust
}
