package auth

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// flow holds apps to their rates. While the other nodes' counts cannot be had,
// this node counts alone.
type flow struct {
	usual  int    // requests per minute; 0: no limit
	counts Counts // nil: this node counts alone
	now    func() time.Time
	log    zerolog.Logger

	mu   sync.Mutex
	away time.Time        // until then counts are not asked
	apps map[string]tally // those that exist, so that their number is bounded
}

type tally struct {
	n     int
	until time.Time
}

// minute is what rates are per.
const minute = time.Minute

// takes counts a request and tells whether the app may make it.
func (f *flow) takes(ctx context.Context, app string, rate int) bool {
	if rate == 0 {
		rate = f.usual
	}
	if rate <= 0 {
		return true
	}
	if n, ok := f.together(ctx, app); ok {
		return n <= rate
	}
	return f.alone(app) <= rate
}

// together counts with the other nodes, if that can be done. Where it failed it
// is not tried for a while: a Redis that hangs costs few requests their time.
func (f *flow) together(ctx context.Context, app string) (n int, ok bool) {
	const pause = time.Second
	f.mu.Lock()
	skip := f.counts == nil || f.now().Before(f.away)
	f.mu.Unlock()
	if skip {
		return 0, false
	}
	n, err := f.counts.Request(context.WithoutCancel(ctx), app, minute)
	if err != nil {
		f.log.Debug().Err(err).Msg("flow control goes by what this node counts")
		f.mu.Lock()
		f.away = f.now().Add(pause)
		f.mu.Unlock()
	}
	return n, err == nil
}

// alone counts without the other nodes.
func (f *flow) alone(app string) int {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.apps[app]
	if !now.Before(t.until) {
		t = tally{until: now.Add(minute)}
	}
	t.n++
	f.apps[app] = t
	return t.n
}
