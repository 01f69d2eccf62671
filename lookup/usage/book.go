// Package usage keeps what every account and every X uses now - calls that are
// up, calls begun in this minute, talk of this day - so that the limits of toll
// fraud hold over all nodes. A call costs a few map accesses under a short lock:
// the nodes tell each other of it about once a second, in the background.
package usage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"axgate/routing"
	"axgate/store"
)

// Config is what a Book works with.
type Config struct {
	Limits routing.Limits
	Jump   Jump
	Node   string // its name among the others; no blanks
	Cache  Sharer
	Log    zerolog.Logger

	// Of tests; zero values mean the usual ones.
	now   func() time.Time
	learn time.Duration
	most  int
}

// Sharer brings shares to the other nodes, and theirs here.
type Sharer interface {
	// ShareUse returns for each share what the others have; the calls of a share
	// count for a lease. An error means that none may have come there.
	ShareUse(ctx context.Context, shares []store.UseShare, lease time.Duration) ([]store.Use, error)
}

var _ Sharer = (*store.Cache)(nil)

// mostSubjects are kept at a time while they have no calls.
const mostSubjects = 100_000

// Book is the use that one node knows. It is safe for use by many goroutines.
type Book struct {
	cfg   Config
	start time.Time
	owner string // of its shares: the node since this start
	fresh chan struct{}

	mu       sync.Mutex
	calls    map[string]*call // by session
	subjects map[string]*subject
	hot      map[*subject]struct{} // those to be told of, or to be looked after
	made     uint64                // subjects so far
	alarms   alarms
	alone    bool // the last round failed
}

// call is one that was put through.
type call struct {
	of       [2]*subject // account and X; nil: it is not counted
	answered bool
}

// New makes an empty book. Run has to be called for as long as it is used.
func New(cfg Config) *Book {
	if cfg.now == nil {
		cfg.now = time.Now
	}
	if cfg.learn == 0 {
		cfg.learn = learning
	}
	if cfg.most == 0 {
		cfg.most = mostSubjects
	}
	now := cfg.now()
	return &Book{cfg: cfg, start: now, owner: fmt.Sprintf("%s/%x", cfg.Node, now.UnixMicro()), fresh: make(chan struct{}, 1),
		calls: map[string]*call{}, subjects: map[string]*subject{}, hot: map[*subject]struct{}{}}
}

// Enter counts a call of an account to X that is to be put through, unless that
// would be beyond a limit. It counts until Leave. Once ctx is done it is an error
// and counts nothing: whoever ends ctx before Leave leaves nothing behind.
func (b *Book) Enter(ctx context.Context, session, sp string, x routing.X) (routing.Excess, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return routing.Within, fmt.Errorf("count the call: %w", err)
	}
	b.leave(session)
	now := b.cfg.now()
	c := &call{of: [2]*subject{b.subject(account, sp, now), b.subject(number, string(x), now)}}
	if c.of == [2]*subject{} {
		return routing.Within, nil
	}
	if e := b.cfg.Limits.Excess(now, c.of[account].use(now), c.of[number].use(now)); e != routing.Within {
		b.refused(c.of[kindOf(e)], e, now)
		return e, nil
	}
	for _, s := range c.of {
		if s != nil {
			s.calls++
			s.begun++
			s.changed = true
			b.jumped(s, now)
		}
	}
	b.calls[session] = c
	return routing.Within, nil
}

// Answered tells that the talk of a call has begun.
func (b *Book) Answered(session string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[session]
	if c == nil || c.answered {
		return
	}
	c.answered = true
	now := b.cfg.now()
	for _, s := range c.of {
		if s != nil {
			s.roll(now)
			s.talking++
			s.changed = true
		}
	}
}

// Carry counts a talk that another node began, whatever the limits are.
func (b *Book) Carry(session, sp string, x routing.X) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leave(session)
	now := b.cfg.now()
	c := &call{of: [2]*subject{b.subject(account, sp, now), b.subject(number, string(x), now)}, answered: true}
	if c.of == [2]*subject{} {
		return
	}
	for _, s := range c.of {
		if s != nil {
			s.roll(now)
			s.calls++
			s.talking++
			s.changed = true
		}
	}
	b.calls[session] = c
}

// Leave tells that a call is over. One that is not counted is none.
func (b *Book) Leave(session string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leave(session)
}

func (b *Book) leave(session string) {
	c := b.calls[session]
	if c == nil {
		return
	}
	delete(b.calls, session)
	now := b.cfg.now()
	for _, s := range c.of {
		if s == nil {
			continue
		}
		s.roll(now)
		s.calls--
		if c.answered {
			s.talking--
		}
		s.changed = true
		b.hot[s] = struct{}{}
	}
}

// subject is an account or X, up to date; nil: it is not counted.
func (b *Book) subject(k kind, name string, now time.Time) *subject {
	limit := &b.cfg.Limits.Account
	if k == number {
		limit = &b.cfg.Limits.X
	}
	shared := !limit.None()
	if !shared && b.cfg.Jump.Factor == 0 {
		return nil
	}
	key := store.AccountUse(name)
	if k == number {
		key = store.XUse(routing.X(name))
	}
	s := b.subjects[key]
	if s == nil {
		if len(b.subjects) >= b.cfg.most {
			b.makeRoom()
		}
		b.made++
		s = &subject{kind: k, name: name, key: key, owner: fmt.Sprintf("%s.%x", b.owner, b.made), limit: limit, shared: shared, night: &b.cfg.Limits.Night, at: now}
		b.subjects[key] = s
	}
	s.roll(now)
	if shared && !b.alone && now.Sub(s.heard) >= lease { // what the others have is not known
		b.rouse()
	}
	b.hot[s] = struct{}{}
	return s
}

// makeRoom forgets an X without calls of which the other nodes know, of a few
// that it looks at. Accounts are not that many.
func (b *Book) makeRoom() {
	const looks = 32
	n := 0
	for key, s := range b.subjects {
		if s.kind == number && s.calls == 0 && (!s.shared || !s.changed || b.alone) {
			delete(b.subjects, key)
			delete(b.hot, s)
			return
		}
		if n++; n == looks {
			return
		}
	}
}

func (b *Book) rouse() {
	select {
	case b.fresh <- struct{}{}:
	default:
	}
}
