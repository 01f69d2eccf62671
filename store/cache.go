// Package store keeps in Redis what calls need at once: the binding cache and
// the busy marks of running calls; and what the nodes count together. Every key
// and every Lua script is here.
//
// The ledger is the truth. X is loaded from it as a whole, behind a first call,
// into the number's hash and one entry per way to find a binding; from then on
// each change in the ledger is brought here too. Three things keep an old
// state from coming back:
//
//   - Every entry has the version of X that it belongs to. A later one is
//     never replaced by an earlier one, and a removed entry leaves its version
//     behind for a while.
//   - Every load has an id, the ticket, that its entries carry. What another
//     load left is not seen. A change while X is being loaded takes the ticket
//     away, and the load has to begin again.
//   - The whole cache has an epoch. It is raised in the ledger when a change
//     could not be brought here; an X loaded in another epoch is missing.
//
// Two more keep servers apart, of which there may be several (a cluster), and any of
// which may be another one from one moment to the next:
//
//   - Every X has the term of the server that it was loaded on (Server). A replica
//     that took over, a server that was restarted, and one that a slot was moved to
//     have other terms: what they have of X is missing.
//   - Every answer is signed with the term of the server that gave it, and counts only
//     if the ledger names that term by now (Registry). Before it names a new one,
//     all nodes have heard that the old one counts no more.
package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// Config says where Redis is and how to use it. Zero values mean the defaults.
type Config struct {
	Address  string   // host:port
	Cluster  []string // host:port of some nodes of a cluster; in place of Address
	Sentinel Sentinel // in place of Address
	Username string   // of the ACL of the Redis servers
	Password string
	DB       int
	TLS      func() *tls.Config // of a new connection, sentinels' too; without a name in it, certificates are to have the host's. nil: no TLS
	Node     string             // this node's name in busy marks; no blanks

	Timeout time.Duration // of one command; 200 ms
	Lease   time.Duration // how long a busy mark outlives its node, the same on all nodes; 30 s
	Pool    int           // connections; 0: go-redis decides

	// Registry says which servers are believed. nil: this process alone does.
	Registry Registry

	// Holds tells whether this node is known to be alive by others, who else may have its
	// calls, and their busy marks. nil: always.
	Holds func() bool

	Hooks []redis.Hook // see every command
	Log   zerolog.Logger
}

func (c *Config) check() error {
	if err := c.checkAddresses(); err != nil {
		return err
	}
	if c.Node == "" {
		c.Node = "node"
	}
	if strings.ContainsAny(c.Node, " \t\r\n") {
		return fmt.Errorf("the node name %q has blanks", c.Node)
	}
	for _, d := range []struct {
		what  string
		v     *time.Duration
		least time.Duration
		usual time.Duration
	}{{"timeout", &c.Timeout, time.Millisecond, 200 * time.Millisecond}, {"lease", &c.Lease, 100 * time.Millisecond, 30 * time.Second}} {
		if *d.v == 0 {
			*d.v = d.usual
		}
		if *d.v < d.least {
			return fmt.Errorf("the %s of %s is too short: use %s or more", d.what, *d.v, d.least)
		}
	}
	return nil
}

// Cache is the binding cache and the busy marks of this process. It is safe
// for use by many goroutines.
type Cache struct {
	cfg      Config
	rdb      redis.UniversalClient
	where    string // Redis is, in words
	scripts  *scripts
	registry Registry
	marks    marks
	doubt    doubt
	tickets  func() string

	view      atomic.Pointer[View]
	viewing   sync.Mutex // while it is changed
	admission admission
	reached   atomic.Bool // a server has answered
	away      atomic.Bool // the last command failed

	life   context.Context // of what goes on in the background
	stop   context.CancelFunc
	ending sync.Mutex
	ended  bool
	tends  sync.WaitGroup
	after  func() // ends what Open* began besides
	once   sync.Once
	err    error
}

// Open prepares a Redis's use. It does not connect: the first command does, and
// Ping tells whether it is there.
func Open(cfg Config) (*Cache, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("open the cache: %w", err)
	}
	c := &Cache{cfg: cfg, scripts: newScripts(), registry: cfg.Registry, tickets: newTickets(), after: func() {}}
	if c.registry == nil {
		c.registry = newAlone()
	}
	c.view.Store(&View{Epoch: 1})
	c.admission.one = make(chan struct{}, 1)
	c.marks.init()
	c.doubt = doubt{holds: cfg.Holds, patience: min(doubtPatience, cfg.Lease/3)}
	redis.SetLogger(silence{})
	c.connect()
	c.life, c.stop = context.WithCancel(context.Background())
	c.tends.Go(func() { c.tend(c.life) })
	return c, nil
}

// silence is what go-redis logs itself: each failure is an error of the call
// that met it.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// begin counts another goroutine in that Close waits for, unless it waits already.
func (c *Cache) begin() bool {
	c.ending.Lock()
	defer c.ending.Unlock()
	if !c.ended {
		c.tends.Add(1)
	}
	return !c.ended
}

// Close frees the busy marks that are still to be freed and hangs up.
func (c *Cache) Close() error {
	c.once.Do(func() {
		c.ending.Lock()
		c.ended = true
		c.ending.Unlock()
		c.stop()
		c.tends.Wait()
		c.err = c.rdb.Close()
		c.after()
	})
	if c.err != nil {
		return fmt.Errorf("close the cache: %w", c.err)
	}
	return nil
}

// Ping tells whether Redis answers, in a cluster every master, and may be used:
// servers that are not known are met.
func (c *Cache) Ping(ctx context.Context) error {
	if err := c.admit(ctx, ""); err != nil {
		return fmt.Errorf("reach Redis at %s: %w", c.where, err)
	}
	return nil
}

// ErrStale tells that a load came too late: X was changed meanwhile.
var ErrStale = errors.New("the X was changed while it was being loaded")
