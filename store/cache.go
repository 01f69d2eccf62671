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
//     could not be brought here or Redis is not the one that was known; an X
//     loaded in another epoch is missing.
package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"axgate/routing"
)

// Config says where Redis is and how to use it. Zero values mean the defaults.
type Config struct {
	Address  string // host:port
	Username string
	Password string
	DB       int
	Node     string // this node's name in busy marks; no blanks

	Timeout time.Duration // of one command; 200 ms
	Lease   time.Duration // how long a busy mark outlives its node, the same on all nodes; 30 s
	Pool    int           // connections; 0: go-redis decides

	// NewServer is asked for the epoch from which on the Redis behind the
	// address may be believed, when it is not the one that was known: it
	// was restarted, replaced or emptied. Until it returns, and if it fails,
	// no connection is used. The owner raises the epoch in the ledger and
	// returns it. nil: the epoch is raised in this process alone.
	NewServer func(ctx context.Context) (epoch int64, err error)

	Hooks []redis.Hook // see every command
	Log   zerolog.Logger
}

func (c *Config) check() error {
	if _, port, err := net.SplitHostPort(c.Address); err != nil || port == "" {
		return fmt.Errorf("the address %q is not host:port, such as 127.0.0.1:6379", c.Address)
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
	cfg     Config
	rdb     redis.UniversalClient
	scripts *scripts
	epoch   atomic.Int64
	marks   marks
	tickets func() string

	away     atomic.Bool   // the last command failed
	prepared atomic.Bool   // the server that is known has the scripts
	dealing  chan struct{} // one connection at a time deals with a new server

	stop  context.CancelFunc
	tends sync.WaitGroup
	after func() // ends what Open* began besides
	once  sync.Once
	err   error
}

// Open prepares a Redis server's use. It does not connect: the first command
// does, and Ping tells whether the server is there.
func Open(cfg Config) (*Cache, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("open the cache: %w", err)
	}
	c := &Cache{cfg: cfg, scripts: newScripts(), tickets: newTickets(), after: func() {}, dealing: make(chan struct{}, 1)}
	c.epoch.Store(1)
	c.marks.init()
	redis.SetLogger(silence{})
	c.rdb = redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: []string{cfg.Address}, Username: cfg.Username, Password: cfg.Password, DB: cfg.DB, PoolSize: cfg.Pool,
		Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true,
		MaxRetries:    -1, // a second try is the ledger's: it is quicker than waiting
		DialerRetries: 1,
		DialTimeout:   max(cfg.Timeout, 500*time.Millisecond), ReadTimeout: cfg.Timeout, WriteTimeout: cfg.Timeout,
		OnConnect: c.meet,
	})
	for _, h := range cfg.Hooks {
		c.rdb.AddHook(h)
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.tends.Go(func() { c.tend(ctx) })
	return c, nil
}

// silence is what go-redis logs itself: each failure is an error of the call
// that met it.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Close frees the busy marks that are still to be freed and hangs up.
func (c *Cache) Close() error {
	c.once.Do(func() {
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

// Ping tells whether Redis answers.
func (c *Cache) Ping(ctx context.Context) error {
	if err := c.rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("reach Redis at %s: %w", c.cfg.Address, err)
	}
	return nil
}

// SetEpoch tells the cache the epoch in the ledger. What was loaded in another
// one is missing. The epoch only rises: one that is told late changes nothing.
func (c *Cache) SetEpoch(epoch int64) {
	for {
		now := c.epoch.Load()
		if epoch <= now || c.epoch.CompareAndSwap(now, epoch) {
			return
		}
	}
}

// Epoch is the epoch that the cache was told last.
func (c *Cache) Epoch() int64 { return c.epoch.Load() }

// ErrStale tells that a load came too late: X was changed meanwhile.
var ErrStale = errors.New("the X was changed while it was being loaded")

// run performs a script on the keys of X.
func (c *Cache) run(ctx context.Context, what string, x routing.X, s *redis.Script, keys []string, args ...any) (any, error) {
	return c.perform(ctx, what+" "+string(x), s, keys, args...)
}

// perform runs a script: one round trip. It takes no longer than one command
// may, the wait for a connection included.
func (c *Cache) perform(ctx context.Context, what string, s *redis.Script, keys []string, args ...any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	v, err := s.Run(ctx, c.rdb, keys, args...).Result()
	if err != nil {
		c.away.Store(true)
		return nil, fmt.Errorf("%s in Redis: %w", what, err)
	}
	if c.away.Load() && c.away.Swap(false) {
		c.marks.renew()
	}
	return v, nil
}

// runFlag runs a script that answers with 0 or 1.
func (c *Cache) runFlag(ctx context.Context, what string, x routing.X, s *redis.Script, keys []string, args ...any) (bool, error) {
	v, err := c.run(ctx, what, x, s, keys, args...)
	return v == int64(1), err
}
