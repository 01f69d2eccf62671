// Package lookup answers a call's question: what is stored about X and the
// caller - the cache first, the ledger if the cache is cold or gone - and what
// the rules make of it.
package lookup

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"axgate/events"
	"axgate/ledger"
	"axgate/lookup/usage"
	"axgate/roster"
	"axgate/routing"
	"axgate/store"
)

// Journal keeps what became of a question, in the order of its session.
type Journal interface {
	Asked(a events.Inquiry) <-chan error
}

// Roster has the ledger hear that this node is alive, and which state of the cache
// it goes by.
type Roster interface {
	// Mark sets what tells that state, from the next beat on.
	Mark(of func() int64)
	// Beat tells the ledger now. It does so by itself, too.
	Beat(ctx context.Context) error
	// Heard is the instant before which the ledger surely heard of this node
	// last; nil: it has not yet.
	Heard() *roster.Instant
}

var _ Roster = (*roster.Roster)(nil)

// Config is what a Router works with.
type Config struct {
	Ledger *ledger.Ledger
	Cache  *store.Cache
	Plan   routing.Plan
	Node   string // this node's name in the ledger
	Roster Roster
	Log    zerolog.Logger

	// Journal keeps what became of questions. nil: nobody.
	Journal Journal

	// Watch is told how long Redis took to answer a question, and of each
	// failure; it must not block. nil: nobody is.
	Watch func(took time.Duration, err error)

	// Settings is told, at the beginning and after each change, that apps,
	// accounts or prompts may be others than before. nil: nobody wants to know.
	Settings func(ctx context.Context) error

	// Witnesses are those of the node's changes of bindings too. nil: there are none
	// of them.
	Witnesses *Witnesses

	// Guessing bounds wrong extensions (AXE). The zero value does not.
	Guessing store.Guessing

	// Use bounds what accounts and numbers may do; its Cache, Node and Log are
	// those above. The zero value does not.
	Use usage.Config

	// Upkeep is the pause between two rounds through all X, which load what the cache
	// lacks and repair what has missed a change. 0: there are none.
	Upkeep time.Duration

	// X mode: who asks the apps' servers (nil: one is made), how long an answer
	// may take where the app does not say (0: 5 s), and whether a prompt file can
	// be played for an app (nil: every one can).
	Asker    *events.Asker
	AnswerIn time.Duration
	Playable func(app *routing.App, file string) bool

	// TextAnswerIn is the same as AnswerIn for texts that an app's server is
	// asked about. 0: 5 s.
	TextAnswerIn time.Duration
}

// nobody is a journal that keeps nothing.
type nobody struct{}

func (nobody) Asked(events.Inquiry) <-chan error {
	done := make(chan error, 1)
	done <- nil
	return done
}

func (c *Config) defaults() {
	if c.Journal == nil {
		c.Journal = nobody{}
	}
	if c.Watch == nil {
		c.Watch = func(time.Duration, error) {}
	}
	if c.Witnesses == nil {
		c.Witnesses = &Witnesses{}
	}
	if c.Asker == nil {
		c.Asker = events.NewAsker(events.AskConfig{})
	}
	if c.AnswerIn <= 0 {
		c.AnswerIn = answerIn
	}
	if c.TextAnswerIn <= 0 {
		c.TextAnswerIn = answerIn
	}
	if c.Playable == nil {
		c.Playable = func(*routing.App, string) bool { return true }
	}
}

// Router decides about calls. It is safe for use by many goroutines.
type Router struct {
	cfg      Config
	settings atomic.Pointer[settings]
	beaten   int64                          // Run's: the mark that the ledger has heard of
	trusted  atomic.Pointer[roster.Instant] // when the ledger heard of this node, of the last time that was before the epoch was read
	vouched  atomic.Pointer[roster.Instant] // from when on other nodes vouch for what this one has heard; nil: they do not
	alive    atomic.Pointer[[]string]       // nodes of which the ledger had heard lately
	ledger   word                           // whether the ledger answers
	outages  outages
	guesses  guesses
	use      *usage.Book
	loads    *loads
	upkeep   upkeep
}

// New makes a router; the apps are read at once, and the ledger hears of the
// node. Run has to be called for as long as the router is used: without it the
// cache is not believed for long.
func New(ctx context.Context, cfg Config) (*Router, error) {
	if cfg.Ledger == nil || cfg.Cache == nil || cfg.Node == "" || cfg.Roster == nil {
		return nil, errors.New("a router needs a ledger, a cache, the node's name and its roster")
	}
	if err := cfg.Plan.Validate(); err != nil {
		return nil, err
	}
	cfg.defaults()
	cfg.Use.Cache, cfg.Use.Node, cfg.Use.Log = cfg.Cache, cfg.Node, cfg.Log
	r := &Router{cfg: cfg, beaten: -1, use: usage.New(cfg.Use)}
	r.loads = newLoads(r.load, r.loadLater)
	r.settings.Store(&settings{mark: -1})
	cfg.Roster.Mark(cfg.Cache.Mark)
	if err := r.beat(ctx); err != nil {
		return nil, err
	}
	return r, r.follow(ctx)
}

// Decide applies the rules to a call to X: one round trip to Redis. Where the
// mode allows one call at a time, X is reserved for the session. An X that the
// cache does not have is loaded behind the call, which the ledger answers.
func (r *Router) Decide(ctx context.Context, q routing.Question) (routing.Decision, error) {
	d, _, err := r.decide(ctx, r.byNumber(q, r.cfg.Cache.Facts), q)
	return d, err
}

// DecideExtension applies the rules to an extension that the caller typed: one
// more round trip. The extension is reserved for the session.
func (r *Router) DecideExtension(ctx context.Context, q routing.Question, ext routing.Extension) (routing.Decision, error) {
	d, f, err := r.decide(ctx, r.byExtension(q, ext), q)
	if err == nil && d.End.Word == routing.EndWrongExt.Word {
		r.guesses.wrong(&r.cfg, q, f)
	}
	return d, err
}

// Peek tells what Decide would decide, and reserves nothing. It waits for an X
// that has to be loaded: who has it now, Redis alone knows.
func (r *Router) Peek(ctx context.Context, q routing.Question) (routing.Decision, error) {
	ask := r.byNumber(q, r.cfg.Cache.Peek)
	ask.waits = true
	d, _, err := r.ask(ctx, ask)
	return d, err
}

// Release frees what the session reserved, and counts its call no more. It does
// not wait.
func (r *Router) Release(session string) {
	r.cfg.Cache.Release(session)
	r.use.Leave(session)
}

// question is one way to ask cache, ledger and rules.
type question struct {
	x      routing.X
	at     time.Time
	waits  bool // for an X that has to be loaded; else the ledger answers
	cache  func(context.Context) (routing.Facts, store.Ticket, error)
	ledger func(context.Context) (routing.Facts, error)
	rules  func(*routing.App, routing.Facts) routing.Decision
}

func (r *Router) byNumber(q routing.Question, look func(context.Context, routing.Question) (routing.Facts, store.Ticket, error)) question {
	return question{
		x: q.X, at: q.At,
		cache:  func(ctx context.Context) (routing.Facts, store.Ticket, error) { return look(ctx, q) },
		ledger: func(ctx context.Context) (routing.Facts, error) { return r.cfg.Ledger.Facts(ctx, q) },
		rules: func(app *routing.App, f routing.Facts) routing.Decision {
			return routing.Decide(&r.cfg.Plan, app, q, f)
		},
	}
}

func (r *Router) byExtension(q routing.Question, ext routing.Extension) question {
	return question{
		x: q.X, at: q.At, waits: true, // wrong extensions are counted in Redis
		cache: func(ctx context.Context) (routing.Facts, store.Ticket, error) {
			return r.cfg.Cache.FactsByExtension(ctx, q, ext, r.cfg.Guessing)
		},
		ledger: func(ctx context.Context) (routing.Facts, error) { return r.guesses.alone(ctx, &r.cfg, q, ext) },
		rules: func(app *routing.App, f routing.Facts) routing.Decision {
			return routing.DecideExtension(&r.cfg.Plan, app, q, f, ext)
		},
	}
}

// decide asks, and settles who has the place on X. What was reserved for a
// call that is not put through is free again at once.
func (r *Router) decide(ctx context.Context, ask question, q routing.Question) (routing.Decision, routing.Facts, error) {
	d, f, err := r.ask(ctx, ask)
	if err != nil {
		r.Release(q.Session)
		return d, f, err
	}
	if d.Step == routing.Dial && !f.Held && d.Binding.OneCall() {
		if !r.reserve(ctx, q.Session, d.Binding) {
			f.Busy = true
			d = ask.rules(d.App, f)
		}
	}
	d, err = r.count(ctx, q, d, f, ask.rules)
	if d.Step != routing.Dial || err != nil {
		r.Release(q.Session)
	}
	return d, f, err
}

// reserve gets the place of a binding whose facts came from the ledger. While
// Redis is away only this node's calls are seen.
func (r *Router) reserve(ctx context.Context, session string, b *routing.Binding) bool {
	ext := routing.Extension("")
	if b.Mode == routing.AXE {
		ext = b.Ext
	}
	if r.outages.lasts(r.cfg.Cache.Place(b.X)) {
		return r.cfg.Cache.ReserveHere(session, b.X, ext)
	}
	held, err := r.cfg.Cache.Reserve(ctx, session, b.X, ext)
	if err != nil {
		r.lost(ctx, b.X, err)
	}
	return held
}

// ask finds the facts and applies the rules.
func (r *Router) ask(ctx context.Context, ask question) (routing.Decision, routing.Facts, error) {
	f, err := r.facts(ctx, ask)
	if err != nil {
		return routing.Decision{}, f, err
	}
	var app *routing.App
	if f.Known {
		if app, err = r.app(ctx, f.App); err != nil {
			return routing.Decision{}, f, err
		}
	}
	return ask.rules(app, f), f, nil
}

// tries is how often a question that waits has X loaded, when it changes all
// the time, before the ledger answers alone.
const tries = 3

// facts asks the cache, and has X loaded into it where it is missing. The ledger
// answers if Redis does not, or may not be believed, or does not have X.
func (r *Router) facts(ctx context.Context, ask question) (routing.Facts, error) {
	if r.believes() && !r.outages.lasts(r.cfg.Cache.Place(ask.x)) {
		f, found, err := r.cached(ctx, ask)
		if found || err != nil && !ledger.Away(err) {
			return f, err
		}
	}
	if r.ledger.hears(ctx) {
		return routing.Facts{}, fmt.Errorf("neither cache nor ledger answers: %w", routing.ErrAway)
	}
	f, err := ask.ledger(ctx)
	if ledger.Away(err) {
		err = fmt.Errorf("%w: %w", routing.ErrAway, err)
	}
	if err != nil {
		return f, fmt.Errorf("neither cache nor ledger answers: %w", err)
	}
	return f, nil
}

// cached is not found if Redis fails, does not have X, or X changes all the
// time. An error is the ledger's, from which X was to be loaded.
func (r *Router) cached(ctx context.Context, ask question) (f routing.Facts, found bool, err error) {
	for range tries {
		begun := time.Now()
		f, ticket, err := ask.cache(ctx)
		r.cfg.Watch(time.Since(begun), err)
		if err != nil {
			r.lost(ctx, ask.x, err)
			return f, false, nil
		}
		r.found(ask.x, time.Since(begun))
		if !r.believes() { // it stood still meanwhile, or asked long ago: nobody waits for it any more
			return f, false, nil
		}
		if !ticket.Miss() {
			return f, true, nil
		}
		want := wanted{ask.x, ask.at, ticket}
		if !ask.waits {
			r.loads.later(want)
			return f, false, nil
		}
		if found, err := r.loads.now(ctx, want); !found || err != nil {
			return f, false, err
		}
	}
	return f, false, nil
}

// loadLater is load for an X that has waited. Its ticket may have run out; or another
// node has loaded it, and to read all of it from the ledger costs a hundred times as much
// as to ask for that.
func (r *Router) loadLater(ctx context.Context, w wanted) (loaded bool, err error) {
	_, ticket, err := r.cfg.Cache.Peek(ctx, routing.Question{Session: "load", X: w.x, At: w.at})
	switch {
	case err != nil: // of which load tells
	case !ticket.Miss():
		return true, nil
	default:
		w.ticket = ticket
	}
	return r.load(ctx, w)
}

// load fills the cache with all about X as the ledger has it now. It is not
// loaded if Redis fails; an error is the ledger's.
func (r *Router) load(ctx context.Context, w wanted) (loaded bool, err error) {
	d, err := r.cfg.Ledger.Dossier(ctx, w.x)
	switch {
	case errors.Is(err, ledger.ErrUnknownX):
		err = r.cfg.Cache.FillUnknown(ctx, w.ticket, w.x, w.at)
	case err != nil:
		return false, err
	default:
		err = r.cfg.Cache.Fill(ctx, w.ticket, d)
	}
	if err != nil && !errors.Is(err, store.ErrStale) { // that one is for the next look
		r.lost(ctx, w.x, err)
		return false, nil
	}
	return true, nil
}
