package roster

import (
	"context"
	"slices"
	"time"

	"axgate/ledger"
)

// look looks at the others after beats, until ctx ends, and declares dead who is silent. No
// beat waits for it.
func (r *Roster) look(ctx context.Context) {
	var w watch
	ill := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.looks:
		}
		err := r.lookOnce(ctx, &w)
		if err != nil && !ill && ctx.Err() == nil {
			r.cfg.Log.Error().Err(err).Msg("this node does not see how the others are")
		}
		ill = err != nil
	}
}

func (r *Roster) lookOnce(ctx context.Context, w *watch) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Lease)
	defer cancel()
	nodes, err := r.cfg.Ledger.Nodes(ctx)
	if err != nil {
		return err
	}
	r.seen.Store(&nodes)
	dead := w.silent(nodes, r.Life().Node, r.silence(), Now())
	if w.missed(2 * r.cfg.Pace) {
		r.tellMissed()
	}
	if !r.attends.enter() {
		return nil
	}
	defer r.rouse(r.deaths) // also when this node has ended to attend meanwhile
	defer r.attends.leave()
	for _, n := range dead {
		won, err := r.cfg.Ledger.DeclareDead(ctx, r.Life(), n)
		if err != nil {
			return err
		}
		if won {
			r.cfg.Log.Warn().Stringer("dead", n.Life).Time("heard", n.HeardAt).Msg("a node is silent: it is declared dead, and its calls are this node's")
		}
	}
	return nil
}

func (r *Roster) tellMissed() {
	r.mu.Lock()
	all := slices.Clone(r.missed)
	r.mu.Unlock()
	for _, f := range all {
		f()
	}
}

// watch is how long other nodes have been silent, of the time in which this one
// was not.
type watch struct {
	last  Instant // the last look
	since map[Life]sight
}

type sight struct {
	heard time.Time // as the ledger had it
	quiet time.Duration
}

// silent lists nodes that were not heard of for longer than they may be. Only
// time counts in which this node itself was heard of regularly: who could not
// write to the ledger knows nothing of others who could not either.
func (w *watch) silent(nodes []ledger.Node, me string, limit time.Duration, now Instant) (list []ledger.Node) {
	passed := now.run - w.last.run
	if steady := limit / 2; w.last == (Instant{}) || max(passed, now.Clock.Sub(w.last.Clock)) > steady {
		w.since, passed = nil, 0
	}
	w.last = now
	next := make(map[Life]sight, len(nodes))
	for _, n := range nodes {
		if n.Node == me || !n.State.Alive() {
			continue
		}
		s, known := w.since[n.Life]
		if !known || !s.heard.Equal(n.HeardAt) {
			s = sight{heard: n.HeardAt}
		} else {
			s.quiet += passed
		}
		next[n.Life] = s
		if s.quiet >= limit {
			list = append(list, n)
		}
	}
	w.since = next
	return list
}

// missed tells whether a node was silent for so long at the last look.
func (w *watch) missed(d time.Duration) bool {
	for _, s := range w.since {
		if s.quiet >= d {
			return true
		}
	}
	return false
}
