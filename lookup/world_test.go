package lookup_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
	"axgate/lookup"
	"axgate/provision"
	"axgate/roster"
	"axgate/routing"
	"axgate/store"
	"axgate/store/redistest"
)

func TestMain(m *testing.M) {
	// A sequence over a real Redis takes longer than rapid's usual case: fewer
	// of them, unless the command line says otherwise.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	// A pool whose server was away looks a second after its end whether it was closed.
	pgtest.Main(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

const (
	xAX   routing.X = "+8617010000001"
	xAXB  routing.X = "+8617010000002"
	xAXE  routing.X = "+8617010000003"
	xAXYB routing.X = "+8617010000004"

	anna = "+8613800000001"
	bert = "+8613800000002"
	carl = "+8613800000003"
	dora = "+8613800000004"
)

// redisServer is a real redis-server of the test's own.
type redisServer struct{ *redistest.Server }

func startRedis(t testing.TB) *redisServer {
	t.Helper()
	return &redisServer{redistest.Start(t)}
}

// do talks to the server past the cache.
func (s *redisServer) do(work func(*redis.Client) error) error {
	c := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	defer c.Close()
	return work(c)
}

// trips counts what was sent to Redis and waited for, but for what a new
// connection begins with, and how many pipelines of
// scripts were at most under way at once, each of which takes at least so long.
type trips struct {
	n         atomic.Int64
	takes     atomic.Int64 // ns
	slow      atomic.Int64 // how long a command by itself takes at least, in ns
	now, most atomic.Int64
}

func (h *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.n.Add(1)
		time.Sleep(time.Duration(h.slow.Load()))
		return next(ctx, cmd)
	}
}

func (h *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		switch cmds[0].Name() {
		case "evalsha", "hdel":
			h.n.Add(1)
		}
		if cmds[0].Name() != "evalsha" {
			return next(ctx, cmds)
		}
		if now := h.now.Add(1); now > h.most.Load() {
			h.most.Store(now)
		}
		defer h.now.Add(-1)
		time.Sleep(time.Duration(h.takes.Load()))
		return next(ctx, cmds)
	}
}

// lines is a log that tests read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// recorder writes to the ledger at once.
type recorder struct{ ledger *ledger.Ledger }

func (r recorder) Asked(a events.Inquiry) <-chan error {
	done := make(chan error, 1)
	_, err := r.ledger.Record(context.Background(), []events.Entry{{Asked: &a}})
	done <- err
	return done
}

// world is a node's lookup with everything beneath it.
type world struct {
	t       testing.TB
	ctx     context.Context
	redis   *redisServer
	address string
	path    string
	ledger  *ledger.Ledger
	cache   *store.Cache
	office  *provision.Service
	router  *lookup.Router
	trips   trips
	log     lines
	upkeep  time.Duration
	timeout time.Duration // of a command of Redis; 0.5 s
}

// newWorld makes an app with one X per mode.
func newWorld(t testing.TB) *world {
	t.Helper()
	s := startRedis(t)
	return newWorldOn(t, s, s.Addr)
}

// newWorldOn reaches Redis at an address.
func newWorldOn(t testing.TB, s *redisServer, address string) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), redis: s, address: address, path: ledgertest.SQLite(t).Path}
	w.begin()
	return w
}

// begin opens everything and makes the apps.
func (w *world) begin() {
	t := w.t
	t.Helper()
	w.open()
	require.NoError(t, w.office.EnsureAccount(w.ctx, ledger.Account{SP: "demo"}))
	for mode, x := range map[routing.Mode]routing.X{routing.AX: xAX, routing.AXB: xAXB, routing.AXE: xAXE, routing.AXYB: xAXYB} {
		_, err := w.office.CreateApp(w.ctx, ledger.App{App: routing.App{Key: string(mode), SP: "demo", Mode: mode, ExtDigits: 4}})
		require.NoError(t, err)
		_, err = w.office.AddNumber(w.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: string(mode), AreaCode: "0755"}})
		require.NoError(t, err)
	}
}

func (w *world) open() {
	w.t.Helper()
	log := zerolog.New(&w.log)
	var err error
	w.ledger, err = ledger.Open(w.ctx, ledger.Config{Path: w.path})
	require.NoError(w.t, err)
	l := w.ledger
	w.t.Cleanup(func() { require.NoError(w.t, l.Close()) })
	w.cache, err = store.Open(store.Config{Address: w.address, Node: "n1", Timeout: cmp.Or(w.timeout, 500*time.Millisecond), Hooks: []redis.Hook{&w.trips}, Log: zerolog.Nop(),
		Registry: lookup.NewRegistry(l, "n1", nil)})
	require.NoError(w.t, err)
	c := w.cache
	w.t.Cleanup(func() { require.NoError(w.t, c.Close()) })
	epoch, err := w.ledger.Epoch(w.ctx)
	require.NoError(w.t, err)
	w.cache.SetEpoch(epoch)
	require.NoError(w.t, w.cache.Ping(w.ctx))
	w.office, err = provision.New(provision.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "n1", Log: log})
	require.NoError(w.t, err)
	w.router, err = lookup.New(w.ctx, lookup.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "n1", Roster: inRoster(w.t, w.ledger, "n1"), Log: log, Upkeep: w.upkeep, Journal: recorder{w.ledger},
		Playable: func(_ *routing.App, file string) bool { return file != "none.wav" }})
	require.NoError(w.t, err)
	r := w.router
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) })
	w.t.Cleanup(func() { stop(); done.Wait() })
}

func asks(session string, x routing.X, caller routing.Number) routing.Question {
	return routing.Question{Session: session, X: x, Caller: caller, At: time.Now()}
}

func (w *world) decide(session string, x routing.X, caller routing.Number) routing.Decision {
	w.t.Helper()
	d, err := w.router.Decide(w.ctx, asks(session, x, caller))
	require.NoError(w.t, err)
	return d
}

// loaded waits until the cache has X, which calls do not.
func (w *world) loaded(xs ...routing.X) {
	w.t.Helper()
	for _, x := range xs {
		require.Eventually(w.t, func() bool {
			has := false
			err := w.redis.do(func(c *redis.Client) error {
				v, err := c.HMGet(w.ctx, "axgate:{"+string(x)+"}", "load").Result()
				has = len(v) == 1 && v[0] != nil
				return err
			})
			return err == nil && has
		}, 15*time.Second, 2*time.Millisecond, "%s is not loaded", x)
	}
}

// release frees what a session has, and waits until Redis has heard of it.
func (w *world) release(session string) {
	w.t.Helper()
	w.router.Release(session)
	if !w.redis.Runs() {
		return
	}
	require.Eventually(w.t, func() bool {
		free := true
		err := w.redis.do(func(c *redis.Client) error {
			for _, x := range []routing.X{xAX, xAXE} {
				held, err := c.HVals(w.ctx, "axgate:{"+string(x)+"}:busy").Result()
				if err != nil {
					return err
				}
				free = free && !slices.ContainsFunc(held, func(v string) bool { return strings.HasPrefix(v, session+" ") })
			}
			return nil
		})
		return err == nil && free
	}, 5*time.Second, 2*time.Millisecond)
}

// typed is a caller who has typed an extension.
func (w *world) typed(session string, caller routing.Number, ext routing.Extension) routing.Decision {
	w.t.Helper()
	d, err := w.router.DecideExtension(w.ctx, asks(session, xAXE, caller), ext)
	require.NoError(w.t, err)
	return d
}

// dials is who is called; the end of the call if nobody is.
func dials(d routing.Decision) string {
	if d.Step == routing.Dial {
		return string(d.Callee)
	}
	return d.End.Word
}

// cost is how many round trips to Redis something takes.
func (w *world) cost(work func()) int64 {
	before := w.trips.n.Load()
	work()
	return w.trips.n.Load() - before
}

func (w *world) pair(a, b string) routing.Binding {
	w.t.Helper()
	p, err := w.office.BindAXB(w.ctx, "AXB", provision.BindAXB{CallerNum: a, CalleeNum: b, RelationNum: string(xAXB)})
	require.NoError(w.t, err)
	return p
}

func (w *world) ax(a string) routing.Binding {
	w.t.Helper()
	b, err := w.office.BindAX(w.ctx, "AX", provision.BindAX{OrigNum: a, PrivateNum: string(xAX)})
	require.NoError(w.t, err)
	return b
}

func (w *world) axe(a string) routing.Binding {
	w.t.Helper()
	b, err := w.office.BindAXE(w.ctx, "AXE", provision.BindAXE{BindNum: a, VirtualNum: string(xAXE)})
	require.NoError(w.t, err)
	return b
}

// inRoster has a node beat until the test ends.
func inRoster(t testing.TB, l *ledger.Ledger, node string) *roster.Roster {
	r, err := roster.Join(t.Context(), roster.Config{Ledger: l, Node: node, Home: node, Log: zerolog.Nop()})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) })
	t.Cleanup(func() { stop(); done.Wait() })
	return r
}
