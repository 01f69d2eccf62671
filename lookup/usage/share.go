package usage

import (
	"context"
	"maps"
	"slices"
	"time"

	"axgate/store"
)

const (
	pace  = time.Second            // of rounds
	haste = 100 * time.Millisecond // between two rounds if a subject is new
	renew = 5 * time.Second        // of what has not changed
	lease = 15 * time.Second       // how long the calls of a node count that is silent
	batch = 200                    // shares that are told in one round trip
)

// Run tells the other nodes of this one's use, and hears of theirs, until ctx
// ends.
func (b *Book) Run(ctx context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	var hurry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			b.round(last)
			return
		case <-b.fresh:
			if hurry == nil {
				hurry = time.After(haste)
			}
			continue
		case <-hurry:
		case <-tick.C:
		}
		hurry = nil
		b.round(ctx)
	}
}

// round tells of all that is due. What fails is due again.
func (b *Book) round(ctx context.Context) {
	due := b.due()
	var err error
	for len(due) > 0 && err == nil {
		n := min(len(due), batch)
		err = b.share(ctx, due[:n])
		due = due[n:]
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil && !b.alone {
		b.cfg.Log.Warn().Err(err).Msg("what accounts and numbers use is not shared: this node keeps their limits alone")
	}
	b.alone = err != nil
}

// due are the subjects to be told of. Those without calls are left alone, and
// forgotten if nothing is lost by that.
func (b *Book) due() []*subject {
	b.mu.Lock()
	defer b.mu.Unlock()
	var due []*subject
	for i, s := range slices.Collect(maps.Keys(b.hot)) {
		if i%batch == batch-1 { // calls do not wait for all of it
			b.mu.Unlock()
			b.mu.Lock()
		}
		now := b.cfg.now()
		s.roll(now)
		used := s.calls > 0 || s.begun > 0
		switch {
		case s.shared && (s.changed || used && now.Sub(s.told) >= renew || s.kind == account && s.talking > 0):
			due = append(due, s)
		case !used:
			delete(b.hot, s)
		}
	}
	b.sweep(b.cfg.now())
	return due
}

// sweep forgets what is void, of some subjects at a time.
func (b *Book) sweep(now time.Time) {
	const looks = 1000
	n := 0
	for key, s := range b.subjects {
		if n++; n > looks {
			return
		}
		if _, hot := b.hot[s]; hot {
			continue
		}
		if s.roll(now); s.void() {
			delete(b.subjects, key)
		}
	}
}

// share tells of some subjects, and hears what the others have of them.
func (b *Book) share(ctx context.Context, some []*subject) error {
	shares := make([]store.UseShare, len(some))
	b.mu.Lock()
	now := b.cfg.now()
	for i, s := range some {
		s.roll(now)
		shares[i] = store.UseShare{Key: s.key, Owner: s.owner, Keep: s.keep(),
			Use: store.Use{Calls: s.calls, Minute: s.minute, Begun: s.begun, Day: s.day, Talk: s.talk}}
		s.changed = false
	}
	b.mu.Unlock()
	others, err := b.cfg.Cache.ShareUse(ctx, shares, lease)
	b.mu.Lock()
	defer b.mu.Unlock()
	now = b.cfg.now()
	for i, s := range some {
		s.roll(now)
		if err != nil {
			s.changed = true
			continue
		}
		s.told, s.heard = now, now
		s.others.Calls = others[i].Calls
		if others[i].Minute == s.minute {
			s.others.Begun = others[i].Begun
		}
		if others[i].Day == s.day {
			s.others.Talk = others[i].Talk
		}
	}
	return err
}
