// Package roster knows which nodes there are and whether this one is still
// itself. A node tells the ledger that it is alive; one that stays silent is
// declared dead by the others, of whom one becomes its heir. A node that finds
// itself declared dead lets go of its calls and begins another life.
package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"axgate/ledger"
)

// Life is a node between a start, or its being declared dead, and the next one.
type Life = ledger.Life

// Dead is a life that is over, and whose calls are this node's to take over or close.
type Dead = ledger.Dead

// Ledger is where nodes hear of each other.
type Ledger interface {
	Node(ctx context.Context, name string) (n ledger.Node, found bool, err error)
	Nodes(ctx context.Context) ([]ledger.Node, error)
	JoinNode(ctx context.Context, name, home string, seen ledger.Node) (Life, error)
	RejoinNode(ctx context.Context, was Life, me ledger.Self, again bool) (Life, error)
	RestoreLife(ctx context.Context, life Life, me ledger.Self) (ledger.NodeState, error)
	AnnounceNode(ctx context.Context, life Life, a ledger.Addresses) error
	Beat(ctx context.Context, life Life, at time.Time, epoch int64) (ledger.NodeState, error)
	LeaveNode(ctx context.Context, life Life) error
	DeclareDead(ctx context.Context, by Life, seen ledger.Node) (won bool, err error)
	Deaths(ctx context.Context, heir Life) ([]Dead, error)
	LeaveDeaths(ctx context.Context, heir Life) error
	SettleDeath(ctx context.Context, heir, dead Life) error
	LastLife(ctx context.Context, life Life) (d Dead, settled, found bool, err error)
}

var _ Ledger = (*ledger.Ledger)(nil)

// Config is what a Roster works with. Zero values mean their defaults.
type Config struct {
	Ledger Ledger
	Node   string // this node's name
	// Home is what the node proves with that it is the same as before, and no
	// second one of its name: nobody else has it. Who has it needs not wait until
	// its last life is found silent.
	Home  string
	Lease time.Duration // how long a node is itself after it was heard of; 2.5 s
	Pace  time.Duration // between two beats; a sixth of the lease
	Log   zerolog.Logger
}

// Roster is this node's place among the others. It is safe for use by many goroutines.
type Roster struct {
	cfg   Config
	life  atomic.Pointer[Life]
	heard atomic.Pointer[Instant] // when the beat began that the ledger heard last; nil: in this life none
	state atomic.Pointer[ledger.NodeState]
	mark  atomic.Pointer[func() int64] // of the cache
	soon  chan struct{}                // the next beat is wanted now
	over  chan error                   // another node of the name has begun

	telling sync.Mutex // holds what a beat was told
	ended   bool       // this life is over: beats tell nothing of it
	attends attendance
	looks   chan struct{} // the others are to be looked at
	deaths  chan struct{} // there may be some to settle, or to leave to others
	ran     chan struct{} // closed when Run has ended
	letGo   time.Time     // Run's own: when the last life ended that was declared over
	seen    atomic.Pointer[[]ledger.Node]

	mu      sync.Mutex
	at      ledger.Addresses // of this node
	died    []func(context.Context, Dead) error
	leaving []func(context.Context) error
	missed  []func()
	lost    []func(context.Context, Life)
	drained []func(drain bool)
}

// ErrAlive tells that another node of the same name is alive.
var ErrAlive = errors.New("another node of that name is alive: give each node a name of its own (node)")

func (c *Config) defaults() {
	if c.Lease <= 0 {
		c.Lease = 2500 * time.Millisecond
	}
	if c.Pace <= 0 {
		c.Pace = c.Lease / 6
	}
}

// Join begins this node's life. Run has to be called soon. ErrAlive: another node of the
// same name is alive.
func Join(ctx context.Context, cfg Config) (*Roster, error) {
	cfg.defaults()
	if cfg.Ledger == nil || cfg.Node == "" {
		return nil, errors.New("a roster needs a ledger and the node's name")
	}
	r := &Roster{cfg: cfg, soon: make(chan struct{}, 1), over: make(chan error, 1), deaths: make(chan struct{}, 1), looks: make(chan struct{}, 1), ran: make(chan struct{})}
	up := ledger.NodeUp
	r.state.Store(&up)
	life, err := r.join(ctx)
	if err != nil {
		return nil, err
	}
	r.life.Store(&life)
	return r, r.Beat(ctx)
}

// join waits until the last life of the name is over, or has been silent for so
// long that it is.
func (r *Roster) join(ctx context.Context) (Life, error) {
	seen, found, err := r.cfg.Ledger.Node(ctx, r.cfg.Node)
	if err != nil {
		return Life{}, fmt.Errorf("look for node %s: %w", r.cfg.Node, err)
	}
	if found && seen.State.Alive() && (seen.Home == "" || seen.Home != r.cfg.Home) {
		select {
		case <-time.After(r.silence()):
		case <-ctx.Done():
			return Life{}, fmt.Errorf("wait whether node %s is alive: %w", r.cfg.Node, ctx.Err())
		}
	}
	life, err := r.cfg.Ledger.JoinNode(ctx, r.cfg.Node, r.cfg.Home, seen)
	if errors.Is(err, ledger.ErrNodeMoved) {
		return Life{}, fmt.Errorf("begin as node %s: %w", r.cfg.Node, ErrAlive)
	}
	return life, err
}

// silence is how long a node is watched that is not heard of, before it is
// declared dead: a little longer than it believes itself.
func (r *Roster) silence() time.Duration { return r.cfg.Lease + r.cfg.Lease/8 }

// Life is who this node is now.
func (r *Roster) Life() Life { return *r.life.Load() }

// Incarnation is that of Life.
func (r *Roster) Incarnation() int64 { return r.life.Load().Incarnation }

// Holds tells whether this node is sure to be itself: that nobody has declared it
// dead. Without, it does nothing in the name of its calls until it knows. It is
// cheap enough to be asked for each message. While the ledger is away no node is
// sure, and none is declared dead: that alone ends no call.
func (r *Roster) Holds() bool {
	at := r.heard.Load()
	return at != nil && at.Age() < r.cfg.Lease
}

// Heard is the instant before which the ledger surely heard of this node last;
// nil: it has not yet.
func (r *Roster) Heard() *Instant { return r.heard.Load() }

// Mark sets what tells the mark of the cache that this node goes by, from the next
// beat on; before, it goes by none.
func (r *Roster) Mark(of func() int64) { r.mark.Store(&of) }

// Died adds a function that settles what a dead node leaves: it takes calls over,
// or closes them. Functions are called in the order in which they were added, one
// death at a time, until each has returned nil for it: they are called again
// after an error, when another node had been at it before, and once for the last life
// of this node itself, whose journal may have brought more since.
func (r *Roster) Died(f func(context.Context, Dead) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.died = append(r.died, f)
}

// Lost adds a function that lets go of all calls of a life that others have
// declared over: without a word to anybody. When all have returned, in their order,
// the next life begins; until then Holds is false.
func (r *Roster) Lost(f func(context.Context, Life)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = append(r.lost, f)
}

// Drained adds a function that is told whenever this node is to take nothing new,
// or to take it again.
func (r *Roster) Drained(f func(drain bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drained = append(r.drained, f)
}

// Missed adds a function that is told again and again as long as another node has missed
// two beats or more: it may be dead.
func (r *Roster) Missed(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missed = append(r.missed, f)
}

// Announce tells the others where this node is reached.
func (r *Roster) Announce(ctx context.Context, a ledger.Addresses) error {
	r.mu.Lock()
	r.at = a
	r.mu.Unlock()
	return r.cfg.Ledger.AnnounceNode(ctx, r.Life(), a)
}

// self is what the ledger is to know of this node.
func (r *Roster) self() ledger.Self {
	r.mu.Lock()
	defer r.mu.Unlock()
	return ledger.Self{Home: r.cfg.Home, Addresses: r.at, Drains: r.Draining()}
}

// Over yields an error once another node of this name has begun: this one is to end.
func (r *Roster) Over() <-chan error { return r.over }

// Draining tells whether this node is to take nothing new.
func (r *Roster) Draining() bool { return *r.state.Load() == ledger.NodeDraining }

// OthersUp tells whether there is another node that takes what this one does not.
func (r *Roster) OthersUp() bool { return len(r.Takers()) > 0 }

// Takers are the other nodes that take what this one does not.
func (r *Roster) Takers() (list []ledger.Node) {
	if all := r.seen.Load(); all != nil {
		for _, n := range *all {
			if n.State == ledger.NodeUp && n.Node != r.cfg.Node {
				list = append(list, n)
			}
		}
	}
	return list
}

// Others tells whether there is another node that would settle what this one leaves.
func (r *Roster) Others() bool {
	list := r.seen.Load()
	return list != nil && slices.ContainsFunc(*list, func(n ledger.Node) bool { return n.State.Alive() && n.Node != r.cfg.Node })
}

// Leave ends this node's life: nobody has to find it silent. Run has ended before.
func (r *Roster) Leave(ctx context.Context) error {
	r.unheard()
	return r.cfg.Ledger.LeaveNode(ctx, r.Life())
}

// Soon has the next beat follow at once.
func (r *Roster) Soon() { r.rouse(r.soon) }

func (r *Roster) rouse(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
