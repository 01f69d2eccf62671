// Package provision is the one place where apps, numbers, bindings and prompts
// are changed: each operation checks the rules (behaviour sections 1 and 2),
// changes the ledger and brings the change to the cache.
package provision

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"axgate/ledger"
	"axgate/routing"
)

// Cache is the binding cache. A change is brought to it before it is
// acknowledged; n is always X as it is after the change, with its version.
type Cache interface {
	// PutBinding brings a binding that was made or modified.
	PutBinding(ctx context.Context, n routing.XNumber, b routing.Binding) error
	// DropBinding brings that the binding, in the state given, is gone since version.
	DropBinding(ctx context.Context, n routing.XNumber, b routing.Binding, version int64) error
	// PutNumber brings a change of the number itself.
	PutNumber(ctx context.Context, n routing.XNumber) error
	// PutTemporary brings the temporary callee that A of an AX binding was given.
	PutTemporary(ctx context.Context, n routing.XNumber, t routing.TemporaryCallee, version int64) error
	// Forget has X read from the ledger anew before it is used again.
	Forget(ctx context.Context, x routing.X) error
	// ForgetAll is Forget for many X.
	ForgetAll(ctx context.Context, xs []routing.X) error
	// SetEpoch makes everything that was loaded in an earlier epoch missing.
	SetEpoch(epoch int64)
}

// Config is what a Service works with.
type Config struct {
	Ledger  *ledger.Ledger
	Cache   Cache
	Plan    routing.Plan
	Prompts PromptFiles      // nil: prompts can be neither uploaded nor read
	Node    string           // the node in this process; empty if it carries no calls
	Known   func() bool      // the silent nodes know of this one (ledger.AwaitNodes); nil: they do not
	Now     func() time.Time // nil: time.Now
	Compare time.Duration    // pause between two rounds of Run that compare cache and ledger; 0: there are none
	Log     zerolog.Logger
}

// Service changes what is stored. It is safe for use by many goroutines.
type Service struct {
	ledger *ledger.Ledger
	cache  Cache
	files  PromptFiles
	plan   routing.Plan
	node   string
	known  func() bool
	now    func() time.Time
	log    zerolog.Logger
	news   news
	rounds rounds
	tasks  chan struct{} // a task was made here
}

// New makes a service. Run has to be called for as long as it is used, or
// Close after the last operation.
func New(cfg Config) (*Service, error) {
	if cfg.Ledger == nil || cfg.Cache == nil {
		return nil, errors.New("provisioning needs a ledger and a cache")
	}
	if err := cfg.Plan.Validate(); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Service{ledger: cfg.Ledger, cache: cfg.Cache, files: cfg.Prompts, plan: cfg.Plan, node: cfg.Node, known: cfg.Known, now: cfg.Now, log: cfg.Log, tasks: make(chan struct{}, 1)}
	s.news.reset()
	s.rounds.pause = cfg.Compare
	return s, nil
}

// app finds the app of a request and whether it may make it.
func (s *Service) app(ctx context.Context, key string, mode routing.Mode) (ledger.App, error) {
	a, err := s.ledger.App(ctx, key)
	switch {
	case errors.Is(err, ledger.ErrUnknownApp):
		return a, resultUnknownApp.refuse("", "there is no app of that key")
	case err != nil:
		return a, failed("read the app", err)
	case a.Paused:
		return a, resultAppPaused.refuse("", "the app is paused")
	case a.Mode != mode:
		return a, resultWrongMode.refuse("", "the app is of mode %s, not %s", a.Mode, mode)
	}
	return a, nil
}

// changer is app for a request that changes bindings, which an account in
// arrears may not.
func (s *Service) changer(ctx context.Context, key string, mode routing.Mode) (ledger.App, error) {
	a, err := s.app(ctx, key, mode)
	if err == nil && a.Frozen {
		return a, resultFrozen.refuse("", "the account is frozen")
	}
	return a, err
}

// news is what this process knows about changes and the cache that the ledger
// does not know yet.
type news struct {
	mu      sync.Mutex
	settled map[routing.X]int64 // held by the cache at this version
	owed    map[string]bool     // ids of bindings, or X, whose change was not acknowledged
	epoch   int64               // the highest given to the cache
	away    time.Time           // when the ledger was away last
}

func (n *news) reset() {
	n.settled, n.owed = map[routing.X]int64{}, map[string]bool{}
}

// lacks notes that the ledger was away, lacked tells how long ago that was.
func (n *news) lacks(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.away = at
}

func (n *news) lacked() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.away)
}

func (n *news) settle(x routing.X, version int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settled[x] = max(n.settled[x], version)
}

// take hands over what was settled.
func (n *news) take() map[routing.X]int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.settled
	n.settled = map[routing.X]int64{}
	return taken
}

// owe notes that a change was made but not acknowledged.
func (n *news) owe(key string) {
	const most = 10_000 // a client that repeats does so soon
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.owed) >= most {
		clear(n.owed)
	}
	n.owed[key] = true
}

func (n *news) owes(key string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.owed[key]
}

func (n *news) paid(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.owed, key)
}
