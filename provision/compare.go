package provision

import (
	"context"
	"sync"
	"time"
)

// rounds are the comparisons of cache and ledger that never end. They take a twentieth of
// one goroutine's time.
type rounds struct {
	pause time.Duration

	mu  sync.Mutex
	all Compared
}

// Compared is what the rounds have come to since the start.
type Compared struct {
	Rounds    uint64
	Decisions uint64        // that were compared
	Differed  uint64        // of them
	Repaired  uint64        // X that were read anew because of that
	Last      time.Duration // how long the last round took
}

// Compared tells what came of the comparisons of cache and ledger since the start.
func (s *Service) Compared() Compared {
	s.rounds.mu.Lock()
	defer s.rounds.mu.Unlock()
	return s.rounds.all
}

// compareOn compares and repairs until ctx ends.
func (s *Service) compareOn(ctx context.Context) {
	cache, ok := s.cache.(legible)
	if !ok {
		return
	}
	ill := false
	for restFor(ctx, s.rounds.pause) {
		err := s.compareOnce(ctx, cache)
		if err != nil && ctx.Err() == nil && !ill { // one line per outage
			s.log.Warn().Err(err).Msg("compare cache and ledger")
		}
		ill = err != nil
	}
}

// compareOnce is one round. An X that differs is repaired at once, not only when all who
// are bound on it have been compared: that can be a hundred thousand.
func (s *Service) compareOnce(ctx context.Context, cache legible) error {
	const share = 19 // it rests so many times as long as it works
	v := s.verifier(cache)
	v.tries = []time.Duration{0, 50 * time.Millisecond, time.Second}
	var told Report
	begun, worked := time.Now(), time.Now()
	v.step = func(ctx context.Context) error {
		if err := v.repair(ctx); err != nil {
			return err
		}
		s.noteCompared(&v.report, &told)
		if took := time.Since(worked) - v.waited; took > time.Millisecond { // a timer's worth
			restFor(ctx, share*took)
			worked, v.waited = time.Now(), 0
		}
		return ctx.Err()
	}
	err := v.numbers(ctx)
	if err == nil {
		err = v.strays(ctx)
	}
	if err == nil {
		s.rounds.mu.Lock()
		defer s.rounds.mu.Unlock()
		s.rounds.all.Rounds++
		s.rounds.all.Last = time.Since(begun)
	}
	return err
}

// noteCompared counts and tells what came to a report since it was told last.
func (s *Service) noteCompared(now, told *Report) {
	for _, d := range now.Differences[len(told.Differences):] {
		s.log.Error().Str("x", string(d.X)).Str("who", d.Who).Str("cache", d.Cache).Str("ledger", d.Ledger).
			Msg("cache and ledger differed: X is read anew")
	}
	s.rounds.mu.Lock()
	defer s.rounds.mu.Unlock()
	all := &s.rounds.all
	all.Decisions += uint64(now.Compared - told.Compared)
	all.Differed += uint64(now.Differ - told.Differ)
	all.Repaired += uint64(now.Repaired - told.Repaired)
	*told = *now
}

// restFor waits, and tells whether ctx goes on.
func restFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
