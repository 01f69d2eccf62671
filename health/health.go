// Package health tells how a node is: whether its process moves, whether it
// takes new calls, and what is not well, each with its reason and since when.
// It knows nobody: who has something to look at gives it a check.
package health

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// Level is how bad something is.
type Level int

// The levels.
const (
	OK       Level = iota
	Degraded       // calls go on; somebody has to look
	Down           // no new calls are taken here: others should be asked
	Stuck          // the process does not move: only another one helps
)

var words = [...]string{"ok", "degraded", "down", "stuck"}

// String is the level in a word.
func (l Level) String() string { return words[min(max(l, OK), Stuck)] }

// MarshalText is the level in a word.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a word; one that is not known is the worst.
func (l *Level) UnmarshalText(text []byte) error {
	*l = Stuck
	for i, w := range words {
		if string(text) == w {
			*l = Level(i)
		}
	}
	return nil
}

// Check looks at one thing. It must not wait: what takes its time is found out
// elsewhere, and told here.
type Check struct {
	Name string // one word
	// Look tells how it is, and if it is not OK why; no real numbers.
	Look func() (Level, string)
}

// Reason is something that is not well.
type Reason struct {
	Check string    `json:"check"`
	Level Level     `json:"level"`
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
}

// Report is how a node is.
type Report struct {
	Status  Level     `json:"status"` // the worst of all
	Node    string    `json:"node"`
	At      time.Time `json:"at"`
	Since   time.Time `json:"since"` // it is of this status
	Reasons []Reason  `json:"reasons"`
	Checks  []string  `json:"checks"` // all that is looked at
}

// Watch looks at all checks once a second.
type Watch struct {
	node   string
	log    zerolog.Logger
	checks []Check
	begun  time.Time
	turned atomic.Pointer[time.Time] // the end of the last round

	mu     sync.Mutex
	bad    map[string]Reason
	status Level
	since  time.Time
}

// New makes a watch of a node; it looks once at once, and Run goes on.
func New(node string, log zerolog.Logger, checks ...Check) *Watch {
	now := time.Now()
	w := &Watch{node: node, log: log, checks: checks, begun: now, bad: map[string]Reason{}, since: now.UTC()}
	w.look(now)
	return w
}

// pace is how often the checks are looked at, still how long a round may take
// before the process is taken for one that stands.
const (
	pace  = time.Second
	still = 15 * time.Second
)

// Run looks at the checks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(time.Now())
		}
	}
}

// look is one round.
func (w *Watch) look(now time.Time) {
	found := make(map[string]Reason, len(w.checks))
	worst := OK
	for _, c := range w.checks {
		if level, text := c.Look(); level != OK {
			found[c.Name] = Reason{Check: c.Name, Level: level, Text: text, Since: now.UTC()}
			worst = max(worst, level)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turned.Store(&now)
	for name, r := range found {
		before, was := w.bad[name]
		if was && before.Level == r.Level {
			r.Since = before.Since
			found[name] = r
			continue
		}
		w.log.Warn().Str("check", name).Stringer("level", r.Level).Str("why", r.Text).Msg("not well")
	}
	for name := range w.bad {
		if _, still := found[name]; !still {
			w.log.Info().Str("check", name).Dur("after", now.Sub(w.bad[name].Since)).Msg("well again")
		}
	}
	if w.bad = found; worst != w.status {
		w.status, w.since = worst, now.UTC()
	}
}

// Report is how the node was when it was looked at last.
func (w *Watch) Report() Report {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	r := Report{Status: w.status, Node: w.node, At: now.UTC(), Since: w.since, Reasons: []Reason{}, Checks: []string{}}
	for _, c := range w.checks {
		r.Checks = append(r.Checks, c.Name)
		if bad, is := w.bad[c.Name]; is {
			r.Reasons = append(r.Reasons, bad)
		}
	}
	if last := *w.turned.Load(); now.Sub(last) > still {
		r.Status, r.Since = Stuck, last.UTC()
		r.Reasons = append(r.Reasons, Reason{Check: "checks", Level: Stuck, Text: "nobody has looked since then", Since: last.UTC()})
	}
	return r
}
