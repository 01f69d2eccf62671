package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"axgate/ledger"
	"axgate/routing"
	"axgate/store"
)

// How long the cache and the other nodes may take to hear of a change.
const (
	cachePatience = 2 * time.Second
	nodePatience  = 12 * time.Second // a silent one is waited for once all others have heard
)

// backTime is how long after an outage of the ledger some nodes may go by the cache
// alone still.
const backTime = 3 * time.Second

// settle brings a change that the ledger has to the cache, or else makes the
// whole cache void, so that calls ask the ledger. Only then may the change be
// acknowledged. key names what is owed if neither can be done.
func (s *Service) settle(ctx context.Context, key string, x routing.X, version int64, bring func(context.Context) error) error {
	// The ledger has the change: a client that goes away must not stop it here.
	ctx = context.WithoutCancel(ctx)
	err := s.bring(ctx, bring)
	if errors.Is(err, store.ErrMoving) { // X as a whole can be told of all the same
		err = s.bring(ctx, func(ctx context.Context) error { return s.cache.Forget(ctx, x) })
	}
	if err != nil {
		err = s.voidCache(ctx, fmt.Sprintf("a change of %s could not be brought to the cache", x), err)
	}
	if err != nil {
		s.news.owe(key)
		s.log.Error().Err(err).Str("x", string(x)).Msg("a change is stored but not in force everywhere")
		return failed("the change is stored, but not in force everywhere yet: repeat the request", err)
	}
	s.news.settle(x, version)
	s.news.paid(key)
	return nil
}

func (s *Service) bring(ctx context.Context, bring func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, cachePatience)
	defer cancel()
	return bring(ctx)
}

// voidCache raises the cache's epoch and waits until every living node goes by
// the new one.
func (s *Service) voidCache(ctx context.Context, why string, cause error) error {
	ctx, cancel := context.WithTimeout(ctx, nodePatience)
	defer cancel()
	epoch, err := s.ledger.RaiseEpoch(ctx, why)
	if err != nil {
		return errors.Join(cause, err)
	}
	s.setEpoch(epoch)
	s.log.Warn().Err(cause).Int64("epoch", epoch).Msg("the cache is void: " + why)
	if err := s.ledger.AwaitNodes(ctx, epoch, s.node, s.known); err != nil {
		return errors.Join(cause, err)
	}
	return nil
}

// setEpoch never sets the cache back: two changes may come here in either
// order.
func (s *Service) setEpoch(epoch int64) {
	s.news.mu.Lock()
	defer s.news.mu.Unlock()
	if epoch > s.news.epoch {
		s.news.epoch = epoch
		s.cache.SetEpoch(epoch)
	}
}

// Run keeps things in order until ctx ends: bindings whose time has come are
// removed, X whose last change nobody brought to the cache are repaired, tasks of
// numbers are worked on, and cache and ledger are compared.
func (s *Service) Run(ctx context.Context) {
	var tasks sync.WaitGroup
	tasks.Go(func() { s.runTasks(ctx) })
	if s.rounds.pause > 0 {
		tasks.Go(func() { s.compareOn(ctx) })
	}
	defer tasks.Wait()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			done, cancel := context.WithTimeout(context.WithoutCancel(ctx), cachePatience)
			defer cancel()
			if err := s.Close(done); err != nil {
				s.log.Error().Err(err).Msg("note what the cache holds")
			}
			return
		case <-tick.C:
			if err := s.Tend(ctx); err != nil && ctx.Err() == nil {
				s.log.Error().Err(err).Msg("tend to bindings and cache")
			}
		}
	}
}

// Tend does once what Run does each second.
func (s *Service) Tend(ctx context.Context) error {
	err := errors.Join(s.Close(ctx), s.sweep(ctx))
	if ledger.Away(err) {
		s.news.lacks(time.Now())
	}
	if s.news.lacked() >= backTime { // else an X that is read anew would be refused
		err = errors.Join(err, s.repair(ctx))
	}
	return errors.Join(err, s.forgetRequests(ctx))
}

// Close notes in the ledger what the cache holds, so that nobody repairs it.
func (s *Service) Close(ctx context.Context) error {
	taken := s.news.take()
	if len(taken) == 0 {
		return nil
	}
	if err := s.ledger.Settled(ctx, taken); err != nil {
		for x, version := range taken {
			s.news.settle(x, version)
		}
		return err
	}
	return nil
}

// sweep removes bindings whose time has come. Their entries in the cache end
// by themselves; the count of X's bindings does not.
func (s *Service) sweep(ctx context.Context) error {
	const batch, rounds = 500, 20
	for range rounds {
		swept, err := s.ledger.Sweep(ctx, s.now(), batch)
		if err := s.drop(ctx, swept); err != nil {
			return err
		}
		if err != nil || len(swept) < batch {
			return err
		}
	}
	return nil
}

// sweepX is sweep for one X. It comes before another binding of it, so that the
// cache has nobody's old binding beside a count without it.
func (s *Service) sweepX(ctx context.Context, x routing.X, at time.Time) error {
	swept, err := s.ledger.SweepX(ctx, x, at)
	if err != nil {
		return failed("end bindings whose time has come", err)
	}
	return s.drop(ctx, swept)
}

// drop brings to the cache that bindings have ended.
func (s *Service) drop(ctx context.Context, ended []ledger.Removed) error {
	for _, r := range ended {
		err := s.settle(ctx, r.Binding.ID, r.Number.X, r.Number.Version, func(ctx context.Context) error {
			return s.cache.DropBinding(ctx, r.Number, r.Binding, r.Binding.VersionOf(r.Number.X))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// repair has X read anew whose change was not brought to the cache in time: who
// made it has died, or was told that it failed.
func (s *Service) repair(ctx context.Context) error {
	const batch, patience = 200, 10 * time.Second
	late, err := s.ledger.Unsettled(ctx, s.now().Add(-patience), batch)
	if err != nil {
		return err
	}
	for _, x := range late {
		if err := s.refresh(ctx, string(x), x); err != nil {
			return err
		}
		s.log.Warn().Str("x", string(x)).Msg("the cache was not told of a change: X is read anew")
	}
	return nil
}

// refresh has X read from the ledger before it is used again.
func (s *Service) refresh(ctx context.Context, key string, x routing.X) error {
	n, err := s.ledger.Number(ctx, x)
	if err != nil {
		return failed("read X", err)
	}
	return s.settle(ctx, key, x, n.Version, func(ctx context.Context) error { return s.cache.Forget(ctx, x) })
}
