package lookup

import (
	"context"
	"sync"
	"time"

	"axgate/routing"
)

// guesses is what this node knows of callers who guess extensions. The counts
// are Redis's; here are those of an outage, and the alarm.
type guesses struct {
	mu      sync.Mutex
	known   map[guesser]wrongs // counted while Redis was away
	swept   time.Time
	refused uint64 // extensions that were not looked up, since the start
	callers uint64 // guessers that the log was to be told of, since the start
	unsaid  uint64 // of these, not in the log yet
	said    time.Time
}

type guesser struct {
	x      routing.X
	caller routing.Number
}

type wrongs struct {
	n     int
	until time.Time
}

const (
	mostGuessers = 100_000          // counted at a time; more share one count
	guessStep    = 10 * time.Second // between two lines of the log
)

// alone is what the ledger knows of an extension while Redis is away: this node
// counts alone, by the same limits.
func (g *guesses) alone(ctx context.Context, cfg *Config, q routing.Question, ext routing.Extension) (routing.Facts, error) {
	most := cfg.Guessing.Most
	n := 0
	if most > 0 {
		n = g.count(cfg, q, 0)
	}
	guessed := most > 0 && n >= most
	if guessed {
		ext = "" // nobody has it
	}
	f, err := cfg.Ledger.FactsByExtension(ctx, q, ext)
	if err != nil || !f.Known {
		return f, err
	}
	if most > 0 && !guessed && (f.ToX == nil || f.ToX.Ended(q.At)) {
		n = g.count(cfg, q, 1)
	}
	f.Wrong, f.Guessed = n, guessed
	return f, nil
}

// count adds to the caller's count, which stands for a span from its last.
func (g *guesses) count(cfg *Config, q routing.Question, add int) int {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil {
		g.known = map[guesser]wrongs{}
	}
	if now.Sub(g.swept) >= cfg.Guessing.Within {
		for k, w := range g.known {
			if !now.Before(w.until) {
				delete(g.known, k)
			}
		}
		g.swept = now
	}
	who := guesser{q.X, q.Caller}
	w, ok := g.known[who]
	if !ok && len(g.known) >= mostGuessers {
		who = guesser{}
		w = g.known[who]
	}
	if !now.Before(w.until) {
		w = wrongs{until: now.Add(cfg.Guessing.Within)}
	}
	if add == 0 {
		return w.n
	}
	if w.n += add; w.n >= cfg.Guessing.Most {
		w.until = now.Add(cfg.Guessing.Within)
	}
	g.known[who] = w
	return w.n
}

// wrong notes a wrong extension, and tells the log of a caller with whom the
// limit is reached: once per span, and of several at most every ten seconds.
func (g *guesses) wrong(cfg *Config, q routing.Question, f routing.Facts) {
	most := cfg.Guessing.Most
	if most <= 0 || f.Wrong < most {
		return
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.Guessed {
		g.refused++
		return
	}
	g.callers++
	g.unsaid++
	if now.Sub(g.said) < guessStep {
		return
	}
	cfg.Log.Warn().Str("caller", q.Caller.Masked()).Str("x", string(q.X)).Int("wrong", f.Wrong).Uint64("callers", g.unsaid).Dur("for", cfg.Guessing.Within).
		Msg("a caller guesses extensions: none is looked up for it any more")
	g.unsaid, g.said = 0, now
}

// Guesses counts, since the start, the callers of this node that typed as many
// wrong extensions as they may, and the extensions of theirs that were not
// looked up after that.
func (r *Router) Guesses() (callers, refused uint64) {
	r.guesses.mu.Lock()
	defer r.guesses.mu.Unlock()
	return r.guesses.callers, r.guesses.refused
}
