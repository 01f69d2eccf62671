package lookup

import "time"

// trust is how long the cache is believed without the ledger: less than the
// time after which others no longer wait for a silent node when they make the
// cache void (provision: five seconds).
const trust = 4 * time.Second

// believes tells whether this node has heard from the ledger lately, so that
// it knows which cache is void. What it heard counts only if the ledger had
// heard of the node before: else nobody waited for it.
func (r *Router) believes() bool {
	heard := r.trusted.Load()
	return heard != nil && heard.Age() < trust
}
