package lookup

import "time"

// trust is how long the cache is believed without the ledger: less than the
// time after which others no longer wait for a silent node when they make the
// cache void (provision: five seconds).
const trust = 4 * time.Second

// believes tells whether this node knows which cache is void: it has heard from the
// ledger lately, or all others vouch for that it has missed nothing (Witnesses). What it
// heard counts only if the ledger had heard of the node before: else nobody waited
// for it.
func (r *Router) believes() bool {
	heard := r.trusted.Load()
	if heard == nil {
		return false
	}
	if heard.Age() < trust {
		return true
	}
	vouched := r.vouched.Load()
	return vouched != nil && vouched.Age() < trust && heard.Age() < isolationMost
}
