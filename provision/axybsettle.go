package provision

import (
	"context"
	"errors"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// settleAll is settle for a change of several numbers: all of them are brought
// to the cache before any of it is acknowledged. Of the numbers X and Version
// count.
func (s *Service) settleAll(ctx context.Context, key string, numbers []routing.XNumber, bring func(context.Context) error) error {
	if len(numbers) == 0 {
		return nil
	}
	first := numbers[0]
	if err := s.settle(ctx, key, first.X, first.Version, bring); err != nil {
		return err
	}
	for _, n := range numbers[1:] {
		s.news.settle(n.X, n.Version)
	}
	return nil
}

// dropXY brings to the cache that AXYB bindings have ended. A number that loses
// many is read anew instead.
func (s *Service) dropXY(ctx context.Context, ended *ledger.Ended) error {
	const many = 20
	on := map[routing.X][]*routing.Binding{}
	for i := range ended.Bindings {
		b := &ended.Bindings[i]
		on[b.X] = append(on[b.X], b)
		if b.Y != "" {
			on[b.Y] = append(on[b.Y], b)
		}
	}
	for _, n := range ended.Numbers {
		if len(on[n.X]) > many {
			if err := s.cache.Forget(ctx, n.X); err != nil {
				return err
			}
			continue
		}
		for _, b := range on[n.X] {
			if err := s.cache.DropBinding(ctx, n, *b, b.VersionOf(n.X)); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetEnded is forget for a number that has lost bindings: those of AXYB were
// on other numbers too.
func (s *Service) forgetEnded(ctx context.Context, n routing.XNumber, ended []routing.Binding) error {
	numbers := []routing.XNumber{n}
	seen := map[routing.X]bool{n.X: true}
	for i := range ended {
		for _, x := range []routing.X{ended[i].X, ended[i].Y} {
			if x != "" && !seen[x] {
				seen[x] = true
				numbers = append(numbers, routing.XNumber{X: x, Version: ended[i].VersionOf(x)})
			}
		}
	}
	return s.settleAll(ctx, string(n.X), numbers, func(ctx context.Context) error { return s.forgetThese(ctx, numbers) })
}

func (s *Service) forgetThese(ctx context.Context, numbers []routing.XNumber) error {
	for _, n := range numbers {
		if err := s.cache.Forget(ctx, n.X); err != nil {
			return err
		}
	}
	return nil
}

// goneXY is gone for an AXYB binding or a relation of it: the refusal, unless
// the request under key repeats one that could not be acknowledged. Before
// either the cache knows all numbers of the binding as they are.
func (s *Service) goneXY(ctx context.Context, app, key, id string, refusal error) error {
	b, err := s.ledger.Binding(ctx, id, s.now())
	var ended *ledger.EndedError
	switch {
	case errors.As(err, &ended):
		b = ended.Binding
	case errors.Is(err, ledger.ErrNoBinding):
		return refusal
	case err != nil:
		return failed("find the binding", err)
	}
	if b.App != app {
		return refusal
	}
	repeats := s.news.owes(key)
	if err := s.refreshXY(ctx, id, !repeats); err != nil {
		return err
	}
	if !repeats {
		return refusal
	}
	s.news.paid(key)
	return nil
}

// refreshXY has the numbers of an AXYB binding read from the ledger before they
// are used again: all, or with owed those of which nobody said that the cache
// knows them. id is that of any part.
func (s *Service) refreshXY(ctx context.Context, id string, owed bool) error {
	list, err := s.ledger.NumbersOf(ctx, id, owed)
	if err != nil {
		return failed("list the numbers of the binding", err)
	}
	for _, x := range list {
		if err := s.refresh(ctx, id, x); err != nil {
			return err
		}
	}
	return nil
}

// sweepXY is sweepX for a number of an AXYB app, as X and as Y.
func (s *Service) sweepXY(ctx context.Context, n routing.X, at time.Time) error {
	swept, err := s.ledger.SweepXY(ctx, n, at)
	if err != nil {
		return failed("end bindings whose time has come", err)
	}
	return s.drop(ctx, swept)
}

// orSwept binds, and once more if only bindings whose time has come may be in
// the way: an X or a Y is free, and an A has room for an X, once they are ended.
func (s *Service) orSwept(ctx context.Context, bind func() (routing.Binding, error)) (routing.Binding, error) {
	b, err := bind()
	if code := Code(err); code != resultNoX.code && code != resultAXTooMany.code {
		return b, err
	}
	if err := s.sweep(ctx); err != nil {
		return b, failed("end bindings whose time has come", err)
	}
	return bind()
}
