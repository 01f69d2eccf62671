package lookup_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/lookup"
	"axgate/provision"
	"axgate/routing"
	"axgate/store"
)

// jitter delays commands to Redis at random, so that those of different nodes
// arrive in another order than they were sent.
type jitter struct{}

func (jitter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (jitter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if rand.IntN(4) == 0 {
			time.Sleep(time.Duration(rand.IntN(8)) * time.Millisecond)
		}
		return next(ctx, cmd)
	}
}

func (jitter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// peer is a node: it changes, and it decides.
type peer struct {
	office *provision.Service
	router *lookup.Router
}

// fleet is some nodes on one Redis and one ledger, and their clock.
type fleet struct {
	t       *testing.T
	ctx     context.Context
	began   time.Time
	ahead   atomic.Int64 // of the true time, in ns
	ledger  *ledger.Ledger
	redis   *redisServer
	peers   []peer
	caches  []*store.Cache // of a fleet whose Redis changes
	running sync.WaitGroup
}

func (f *fleet) now() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }

// tick is an instant of the test, for what came before what.
func (f *fleet) tick() time.Duration { return time.Since(f.began) }

// onBothLedgers runs a test with two nodes on each kind of ledger.
func onBothLedgers(t *testing.T, test func(t *testing.T, f *fleet)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, newFleet(t, ledgertest.SQLite(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		if testing.Short() {
			t.Skip("-short: no PostgreSQL")
		}
		test(t, newFleet(t, ledgertest.Postgres(t)))
	})
}

func newFleet(t *testing.T, cfg ledger.Config) *fleet {
	f := &fleet{t: t, ctx: t.Context(), began: time.Now(), redis: startRedis(t)}
	var err error
	f.ledger, err = ledger.Open(f.ctx, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.ledger.Close()) })
	ctx, stop := context.WithCancel(context.Background())
	for _, node := range []string{"n1", "n2"} {
		f.peers = append(f.peers, f.open(ctx, node))
	}
	t.Cleanup(func() { stop(); f.running.Wait() })
	office := f.peers[0].office
	require.NoError(t, office.EnsureAccount(f.ctx, ledger.Account{SP: "demo"}))
	for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE} {
		_, err := office.CreateApp(f.ctx, ledger.App{App: routing.App{Key: string(mode), SP: "demo", Mode: mode, ExtDigits: 4}})
		require.NoError(t, err)
	}
	return f
}

func (f *fleet) open(ctx context.Context, node string) peer {
	cache, err := store.Open(store.Config{Address: f.redis.Addr, Node: node, Timeout: 5 * time.Second, Hooks: []redis.Hook{jitter{}}, Log: zerolog.Nop(),
		Registry: lookup.NewRegistry(f.ledger, node, nil)})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { require.NoError(f.t, cache.Close()) })
	epoch, err := f.ledger.Epoch(f.ctx)
	require.NoError(f.t, err)
	cache.SetEpoch(epoch)
	office, err := provision.New(provision.Config{Ledger: f.ledger, Cache: cache, Plan: routing.ChinaPlan(), Node: node, Now: f.now, Log: zerolog.Nop()})
	require.NoError(f.t, err)
	router, err := lookup.New(f.ctx, lookup.Config{Ledger: f.ledger, Cache: cache, Plan: routing.ChinaPlan(), Node: node, Roster: inRoster(f.t, f.ledger, node), Log: zerolog.Nop()})
	require.NoError(f.t, err)
	f.running.Go(func() { router.Run(ctx) })
	return peer{office, router}
}

func (f *fleet) number(x routing.X, mode routing.Mode) {
	_, err := f.peers[0].office.AddNumber(f.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: string(mode)}})
	require.NoError(f.t, err)
}

// trouble lets time pass, sweeps, empties Redis and raises the epoch of the
// cache until the function that it returns is called.
func (f *fleet) trouble(rng *rand.Rand) (end func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	every := func(pause time.Duration, do func() error) {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(pause):
				}
				if err := do(); err != nil {
					f.t.Errorf("trouble: %v", err)
				}
			}
		})
	}
	steps := rand.New(rand.NewPCG(rng.Uint64(), 0))
	every(20*time.Millisecond, func() error { f.ahead.Add(int64(steps.IntN(1500)) * int64(time.Millisecond)); return nil })
	every(50*time.Millisecond, func() error { return f.peers[0].office.Tend(f.ctx) })
	every(70*time.Millisecond, func() error { return f.peers[1].office.Tend(f.ctx) })
	every(300*time.Millisecond, func() error {
		return f.redis.do(func(c *redis.Client) error { return c.FlushAll(f.ctx).Err() })
	})
	every(700*time.Millisecond, func() error { _, err := f.ledger.RaiseEpoch(f.ctx, "the test"); return err })
	return func() { close(done); all.Wait() }
}

// seeded gives the test's random numbers; AXGATE_SEED repeats those of another
// run, though not how its goroutines took turns.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("AXGATE_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("AXGATE_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestAcknowledgedChangesHold: what was acknowledged before a call is placed
// holds for it, on whichever node, while others change the same X, Redis is
// emptied and bindings run out. What is under way meanwhile may hold or not.
func TestAcknowledgedChangesHold(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, f *fleet) {
		rng := seeded(t)
		var owners []*owner
		numbers := 0
		for mode, shape := range map[routing.Mode]struct{ numbers, owners int }{routing.AX: {4, 1}, routing.AXB: {2, 3}, routing.AXE: {2, 3}} {
			for range shape.numbers {
				numbers++
				x := routing.X(fmt.Sprintf("+8617010%06d", numbers))
				f.number(x, mode)
				for range shape.owners {
					owners = append(owners, newOwner(f, mode, x, len(owners), rng))
				}
			}
		}
		end := f.trouble(rng)
		var writers, callers sync.WaitGroup
		for _, o := range owners {
			writers.Go(func() {
				for range 60 {
					o.change()
				}
			})
		}
		done := make(chan struct{})
		calls := make([][]call, 8)
		for i := range calls {
			mine := rand.New(rand.NewPCG(rng.Uint64(), 0))
			callers.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						calls[i] = append(calls[i], place(f, owners[mine.IntN(len(owners))], mine))
					}
				}
			})
		}
		writers.Wait()
		close(done)
		callers.Wait()
		end()
		judge(t, slices.Concat(calls...), owners)
		report, err := f.peers[0].office.Verify(f.ctx, false)
		require.NoError(t, err)
		require.Zero(t, report.Differ, "%+v", report.Differences)
	})
}

// judge compares every call with what its owner's changes allow.
func judge(t *testing.T, calls []call, owners []*owner) {
	got := map[string]int{}
	wrong := 0
	for i := range calls {
		c := &calls[i]
		word := c.got
		if len(word) > 0 && word[0] == '+' {
			word = "put through"
		}
		got[word]++
		if want := c.allowed(); !slices.Contains(want, c.got) {
			if wrong++; wrong <= 5 {
				t.Errorf("a call was wrong:\n%s", c.story(want))
			}
		}
	}
	changes := 0
	for _, o := range owners {
		changes += len(o.moments) - 1
		for _, v := range o.violations {
			t.Error(v)
		}
	}
	t.Logf("%d violations; %d changes, %d calls: %v", wrong, changes, len(calls), got)
	for _, end := range []string{"put through", "no_binding_ax", "no_binding_axb", "direction", "collect", "wrong_extension"} {
		require.Positive(t, got[end], "no call ended with %s", end)
	}
}
