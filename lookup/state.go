package lookup

import (
	"slices"
	"time"
)

// State is how a router gets its answers at this moment.
type State struct {
	Outages  uint64        // of Redis servers, since the start
	Away     []string      // Redis servers that are not asked, because they do not answer or are slow
	Believed bool          // the cache is, because the ledger was heard of lately
	Heard    time.Duration // how long ago the ledger answered last
	Epoch    int64         // of the cache
	Apps     int           // that are known
}

// State looks at the router.
func (r *Router) State() State {
	s := State{Outages: r.outages.all.Load(), Believed: r.believes(), Epoch: r.cfg.Cache.Epoch(), Apps: len(r.settings.Load().apps)}
	for server := range r.outages.now() {
		if server == "" {
			server = r.cfg.Cache.Address()
		}
		s.Away = append(s.Away, server)
	}
	slices.Sort(s.Away)
	if heard := r.cfg.Roster.Heard(); heard != nil {
		s.Heard = max(heard.Age(), 0)
	}
	return s
}
