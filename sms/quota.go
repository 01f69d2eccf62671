package sms

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"axgate/routing"
)

// quota counts texts per sender and per X. While the count of all nodes cannot
// be had, this node counts alone.
type quota struct {
	limits Limits
	now    func() time.Time
	log    zerolog.Logger

	mu    sync.Mutex
	away  time.Time        // until then limits are not asked
	known map[string]tally // what this node counts
	swept time.Time        // when those that are over were forgotten
}

type tally struct {
	n     int
	until time.Time
}

// minute is what rates are per.
const minute = time.Minute

func newQuota(limits Limits, now func() time.Time, log zerolog.Logger) *quota {
	return &quota{limits: limits, now: now, log: log, known: map[string]tally{}}
}

// to counts a text to X and tells whether it may come, or else when to try
// again.
func (q *quota) to(ctx context.Context, x routing.X, most int) (after time.Duration, ok bool) {
	return q.takes(ctx, "to "+string(x), most, func(ctx context.Context) (int, time.Time, error) { return q.limits.CountTextTo(ctx, x, minute) })
}

// from is the same for a sender.
func (q *quota) from(ctx context.Context, n routing.Number, most int) (after time.Duration, ok bool) {
	return q.takes(ctx, "from "+string(n), most, func(ctx context.Context) (int, time.Time, error) { return q.limits.CountTextFrom(ctx, n, minute) })
}

// count asks all nodes' count.
type count func(ctx context.Context) (n int, until time.Time, err error)

func (q *quota) takes(ctx context.Context, who string, most int, of count) (after time.Duration, ok bool) {
	if most <= 0 {
		return 0, true
	}
	n, until, counted := q.together(ctx, of)
	if !counted {
		n, until = q.alone(who)
	}
	return min(max(time.Second, until.Sub(q.now())), minute), n <= most // until may be by another clock
}

// together counts with the other nodes, if that can be done. Where it failed it
// is not tried for a while: a Redis that hangs costs few texts their time.
func (q *quota) together(ctx context.Context, of count) (n int, until time.Time, ok bool) {
	const pause = time.Second
	q.mu.Lock()
	skip := q.limits == nil || q.now().Before(q.away)
	q.mu.Unlock()
	if skip {
		return 0, until, false
	}
	n, until, err := of(context.WithoutCancel(ctx))
	if err != nil {
		q.log.Debug().Err(err).Msg("the limits of texts go by what this node counts")
		q.mu.Lock()
		q.away = q.now().Add(pause)
		q.mu.Unlock()
	}
	return n, until, err == nil
}

// mostKnown bounds what this node counts: whoever comes when it is full shares
// one count.
const mostKnown = 100_000

// alone counts without the other nodes.
func (q *quota) alone(who string) (int, time.Time) {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Sub(q.swept) >= minute {
		for k, t := range q.known {
			if !now.Before(t.until) {
				delete(q.known, k)
			}
		}
		q.swept = now
	}
	t, ok := q.known[who]
	if !ok && len(q.known) >= mostKnown {
		who = ""
		t = q.known[who]
	}
	if !now.Before(t.until) {
		t = tally{until: now.Add(minute)}
	}
	t.n++
	q.known[who] = t
	return t.n, t.until
}
