package roster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"axgate/ledger"
)

// Beat has the ledger hear of this node. One that has no answer within the lease would
// tell nothing any more.
func (r *Roster) Beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Lease)
	defer cancel()
	mark := int64(ledger.NoCache)
	if of := r.mark.Load(); of != nil {
		mark = (*of)()
	}
	life, at := r.Life(), Now()
	state, err := r.cfg.Ledger.Beat(ctx, life, at.Clock, mark)
	if errors.Is(err, ledger.ErrLifeLost) {
		state, err = r.cfg.Ledger.RestoreLife(ctx, life, r.self())
	}
	if err != nil {
		return err
	}
	r.told(life, at, state)
	return nil
}

// told notes what a beat was told, unless one that began later was before it.
func (r *Roster) told(life Life, at Instant, state ledger.NodeState) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if last := r.heard.Load(); life != r.Life() || r.ended || last != nil && at.Before(*last) {
		return
	}
	r.heard.Store(&at)
	if was := r.state.Swap(&state); *was != state {
		r.tellDrained(state == ledger.NodeDraining)
	}
}

// unheard has the node hold no more, whatever beats are told that are under way.
func (r *Roster) unheard() {
	r.telling.Lock()
	defer r.telling.Unlock()
	r.ended = true
	r.heard.Store(nil)
}

func (r *Roster) tellDrained(drain bool) {
	r.cfg.Log.Info().Bool("drain", drain).Msg("this node is told whether it takes new calls")
	r.mu.Lock()
	all := slices.Clone(r.drained)
	r.mu.Unlock()
	for _, f := range all {
		f(drain)
	}
}

// beats beats until ctx ends or this life is over, which is the error. The next beat does
// not wait for the answer to one, whose connection may be dead.
func (r *Roster) beats(ctx context.Context, tick *time.Ticker, ill *bool) error {
	const most = 6 // under way
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan error, most)
	var under sync.WaitGroup
	defer under.Wait()
	defer cancel()
	for n, wanted := 0, false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			wanted = true
		case <-r.soon:
			wanted = true
		case err := <-answers:
			n--
			if over := r.answered(ctx, err, ill); over != nil || ctx.Err() != nil {
				return over
			}
		}
		if wanted && n < most {
			n, wanted = n+1, false
			under.Go(func() { answers <- r.Beat(ctx) })
		}
	}
}

// answered notes the answer to a beat; an error: this life is over.
func (r *Roster) answered(ctx context.Context, err error, ill *bool) error {
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, ledger.ErrDeclaredDead), errors.Is(err, ledger.ErrReplaced):
		return err
	case err == nil:
		r.rouse(r.looks)
		if *ill {
			r.cfg.Log.Info().Msg("the ledger hears of this node again")
		}
		*ill = false
	case !*ill && !r.Holds():
		r.cfg.Log.Error().Err(err).Msg("the ledger does not hear of this node: it goes on by itself")
		*ill = true
	}
	return nil
}
