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
	defer close(r.ran)
	tick := time.NewTicker(r.cfg.Pace)
	defer tick.Stop()
	ill := false
	for {
		life, end := context.WithCancel(ctx)
		var heir sync.WaitGroup
		heir.Go(func() { r.inherit(life) })
		heir.Go(func() { r.look(life) })
		err := r.beats(life, tick, &ill)
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

// inherit settles deaths until ctx ends, and once what came late of this node's own
// last life; when the node has ended to attend, it leaves them to others.
func (r *Roster) inherit(ctx context.Context) {
	swept := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.deaths:
		}
		if err := r.inheritOnce(ctx, &swept); err != nil && ctx.Err() == nil {
			r.cfg.Log.Error().Err(err).Msg("what a dead node left is not settled yet")
			const pause = time.Second
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			r.rouse(r.deaths)
		}
	}
}

func (r *Roster) inheritOnce(ctx context.Context, swept *bool) error {
	if !r.attends.enter() {
		return r.leaveDeaths(ctx)
	}
	defer r.attends.leave()
	err := r.settle(ctx)
	if !*swept && err == nil && r.attends.is() {
		*swept, err = r.sweep(ctx)
	}
	return err
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
		if !r.attends.is() {
			break
		}
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
	r.unheard()
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
	for again := false; ; again = true { // it may have begun: the answer is lost
		life, err := r.cfg.Ledger.RejoinNode(ctx, r.Life(), r.self(), again)
		if err == nil {
			r.begin(life)
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

// begin makes a life this node's own.
func (r *Roster) begin(life Life) {
	r.telling.Lock()
	defer r.telling.Unlock()
	r.life.Store(&life)
	r.ended = false
}
