package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"axgate/ledger"
)

// Run beats until ctx ends, declares nodes dead that stay silent, and settles
// what they leave.
func (r *Roster) Run(ctx context.Context) {
	tick := time.NewTicker(r.cfg.Pace)
	defer tick.Stop()
	ill := false
	for {
		life, end := context.WithCancel(ctx)
		var heir sync.WaitGroup
		heir.Go(func() { r.inherit(life) })
		err := r.live(life, tick, &ill)
		end()
		heir.Wait()
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, ledger.ErrReplaced) {
			r.end(ctx)
			r.over <- fmt.Errorf("node %s ends: %w", r.Life(), err)
			return
		}
		if !r.revive(ctx) {
			return
		}
	}
}

// live goes on until ctx ends or this life is over, which is the error.
func (r *Roster) live(ctx context.Context, tick *time.Ticker, ill *bool) error {
	r.watch = watch{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.soon:
		}
		err := r.step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ledger.ErrDeclaredDead), errors.Is(err, ledger.ErrReplaced):
			return err
		case err != nil && !*ill:
			r.cfg.Log.Error().Err(err).Msg("the ledger does not hear of this node: it goes on by itself")
		case err == nil && *ill:
			r.cfg.Log.Info().Msg("the ledger hears of this node again")
		}
		*ill = err != nil
	}
}

// step is one beat, and a look at the others.
func (r *Roster) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, max(2*r.cfg.Lease, 5*time.Second))
	defer cancel()
	if err := r.Beat(ctx); err != nil {
		return err
	}
	nodes, err := r.cfg.Ledger.Nodes(ctx)
	if err != nil {
		return err
	}
	r.seen.Store(&nodes)
	if !r.attends.Load() {
		return nil
	}
	for _, n := range r.watch.silent(nodes, r.Life().Node, r.silence(), Now()) {
		won, err := r.cfg.Ledger.DeclareDead(ctx, r.Life(), n)
		if err != nil {
			return err
		}
		if won {
			r.cfg.Log.Warn().Stringer("dead", n.Life).Time("heard", n.HeardAt).Msg("a node is silent: it is declared dead, and its calls are this node's")
		}
	}
	r.rouse(r.deaths)
	return nil
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

// inherit settles deaths until ctx ends, and once what came late of this node's own
// last life.
func (r *Roster) inherit(ctx context.Context) {
	swept := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.deaths:
		}
		if !r.attends.Load() {
			continue
		}
		err := r.settle(ctx)
		if !swept && err == nil {
			swept, err = r.sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			r.cfg.Log.Error().Err(err).Msg("what a dead node left is not settled yet")
			const pause = time.Second
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}

// settle goes through the deaths that this node is heir of.
func (r *Roster) settle(ctx context.Context) error {
	list, err := r.cfg.Ledger.Deaths(ctx, r.Life())
	if err != nil {
		return err
	}
	r.mu.Lock()
	died := slices.Clone(r.died)
	r.mu.Unlock()
	var failed error
	for _, d := range list {
		if err := settleOne(ctx, d, died); err != nil {
			failed = errors.Join(failed, fmt.Errorf("settle %s: %w", d.Life, err))
			continue
		}
		failed = errors.Join(failed, r.cfg.Ledger.SettleDeath(ctx, r.Life(), d.Life))
	}
	return failed
}

// sweep settles, after whoever was the heir, what this node's journal has brought of
// its last life since; false: the heir is still at it.
func (r *Roster) sweep(ctx context.Context) (done bool, err error) {
	d, settled, found, err := r.cfg.Ledger.LastLife(ctx, r.Life())
	if err != nil || !found {
		return !found, err
	}
	if !settled {
		return false, nil
	}
	d.LetGo = r.letGo
	r.mu.Lock()
	died := slices.Clone(r.died)
	r.mu.Unlock()
	if err := settleOne(ctx, d, died); err != nil {
		return false, fmt.Errorf("settle what was left of %s: %w", d.Life, err)
	}
	return true, nil
}

func settleOne(ctx context.Context, d Dead, died []func(context.Context, Dead) error) error {
	for _, f := range died {
		if err := f(ctx, d); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// end lets go of what this life had.
func (r *Roster) end(ctx context.Context) {
	r.heard.Store(nil)
	r.letGo = time.Now()
	r.mu.Lock()
	lost := slices.Clone(r.lost)
	r.mu.Unlock()
	for _, f := range lost {
		f(ctx, r.Life())
	}
}

// revive ends a life that was declared over and begins the next one; false: ctx ended,
// or another node of the name has begun.
func (r *Roster) revive(ctx context.Context) bool {
	r.cfg.Log.Error().Stringer("life", r.Life()).Msg("others have declared this node dead: it lets go of its calls, which are theirs, and begins anew")
	r.end(ctx)
	for {
		life, err := r.cfg.Ledger.RejoinNode(ctx, r.Life())
		if err == nil {
			r.life.Store(&life)
			r.cfg.Log.Info().Stringer("life", life).Msg("this node is alive again")
			r.Soon()
			return true
		}
		if errors.Is(err, ledger.ErrReplaced) {
			r.over <- fmt.Errorf("node %s ends: %w", r.Life(), err)
			return false
		}
		if ctx.Err() == nil {
			r.cfg.Log.Error().Err(err).Msg("this node cannot begin anew yet")
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(r.cfg.Pace):
		}
	}
}
