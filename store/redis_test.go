package store

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/routing"
	"axgate/store/redistest"
)

func TestMain(m *testing.M) {
	// A pool whose server was away looks a second after its end whether it was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// trips counts round trips: what was sent and waited for.
type trips struct{ n atomic.Int64 }

func (h *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.n.Add(1)
		return next(ctx, cmd)
	}
}

func (h *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.n.Add(1)
		return next(ctx, cmds)
	}
}

// tester is what a test and a property have in common.
type tester interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// world is a cache on one kind of Redis.
type world struct {
	tester
	*Cache
	trips    *trips
	server   *redistest.Server // nil: embedded
	registry *alone
}

func (w *world) config(address string) Config {
	return Config{Address: address, Node: "n1", Timeout: 10 * time.Second, Hooks: []redis.Hook{w.trips}, Log: zerolog.Nop(),
		Registry: w.registry}
}

func embedded(t testing.TB) *world {
	t.Helper()
	w := &world{tester: t, trips: &trips{}, registry: newAlone()}
	c, err := OpenEmbedded(w.config("127.0.0.1:0"))
	require.NoError(t, err)
	require.NoError(t, c.Ping(ctx))
	w.Cache = c
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return w
}

func real(t testing.TB) *world {
	t.Helper()
	w := &world{tester: t, trips: &trips{}, registry: newAlone(), server: redistest.Start(t)}
	w.Cache = w.open()
	return w
}

// open is another process on the same Redis.
func (w *world) open(change ...func(*Config)) *Cache {
	w.Helper()
	address := ""
	if w.server != nil {
		address = w.server.Addr
	} else {
		address = w.Address()
	}
	cfg := w.config(address)
	for _, c := range change {
		c(&cfg)
	}
	c, err := Open(cfg)
	require.NoError(w, err)
	w.Cleanup(func() { require.NoError(w, c.Close()) })
	require.NoError(w, c.Ping(ctx))
	return c
}

// onBoth runs a test on the embedded Redis and on a real one.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("embedded", func(t *testing.T) { test(t, embedded(t)) })
	t.Run("redis-server", func(t *testing.T) { test(t, real(t)) })
}

const (
	x1   = routing.X("+8617010000001")
	x2   = routing.X("+86700123456789012")
	anna = routing.Number("+8613800000001")
	bert = routing.Number("+8613900000002")
	carl = routing.Number("+8613700000003")
	dora = routing.Number("+8613600000004")
)

var (
	ctx = context.Background()
	now = time.Now().UTC().Truncate(time.Microsecond)
)

func asks(session string, x routing.X, caller routing.Number) routing.Question {
	return routing.Question{Session: session, X: x, Caller: caller, At: now}
}

func number(x routing.X, mode routing.Mode, version int64, bindings int) routing.XNumber {
	return routing.XNumber{X: x, App: "app", Mode: mode, Status: routing.StatusNormal, AreaCode: "0755", Bindings: bindings, Version: version}
}

func pair(id string, a, b routing.Number, version int64) routing.Binding {
	return routing.Binding{ID: id, App: "app", Mode: routing.AXB, X: x1, A: a, B: b, AreaCode: "0755", Version: version}
}

// load brings a dossier the way a lookup does: a miss, the ledger, the load.
func (w *world) load(d routing.Dossier) {
	w.Helper()
	_, ticket, err := w.Peek(ctx, asks("load", d.Number.X, ""))
	require.NoError(w, err)
	require.True(w, ticket.Miss(), "%s is loaded", d.Number.X)
	require.NoError(w, w.Fill(ctx, ticket, d))
}

// wipe removes all but the server's identity.
func (w *world) wipe(rdb *redis.Client) {
	w.Helper()
	keys, err := rdb.Keys(ctx, "axgate:{*").Result()
	require.NoError(w, err)
	if len(keys) > 0 {
		require.NoError(w, rdb.Del(ctx, keys...).Err())
	}
}

// must finds facts without a miss.
func (w *world) must(q routing.Question) routing.Facts {
	w.Helper()
	f, ticket, err := w.Peek(ctx, q)
	require.NoError(w, err)
	require.False(w, ticket.Miss(), "a miss")
	return f
}

func (w *world) misses(q routing.Question) Ticket {
	w.Helper()
	_, ticket, err := w.Peek(ctx, q)
	require.NoError(w, err)
	require.True(w, ticket.Miss(), "no miss")
	return ticket
}

func (w *world) client() *redis.Client {
	w.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: w.cfg.Address, Protocol: 2, DisableIdentity: true})
	w.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	for _, row := range []struct {
		cfg Config
		why string
	}{
		{Config{Address: "redis"}, "not host:port"},
		{Config{Address: "127.0.0.1:1", Node: "a b"}, "blanks"},
		{Config{Address: "127.0.0.1:1", Timeout: -1}, "timeout"},
		{Config{Address: "127.0.0.1:1", Lease: time.Millisecond}, "lease"},
	} {
		_, err := Open(row.cfg)
		require.ErrorContains(t, err, row.why)
	}
	_, err := OpenEmbedded(Config{Address: "0.0.0.0:0"})
	require.ErrorContains(t, err, "not a loopback one")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, err = OpenEmbedded(Config{Address: l.Addr().String()})
	require.ErrorContains(t, err, "address already in use")
}

func TestRedisDown(t *testing.T) {
	c, err := Open(Config{Address: "127.0.0.1:1"})
	require.NoError(t, err)
	defer c.Close()
	require.ErrorContains(t, c.Ping(ctx), "reach Redis at 127.0.0.1:1")
	_, _, err = c.Facts(ctx, asks("s", x1, anna))
	require.ErrorContains(t, err, "look up +8617010000001 in Redis")
}

func TestPassword(t *testing.T) {
	c, err := OpenEmbedded(Config{Address: "127.0.0.1:0", Password: "secret"})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Ping(ctx))
	wrong, err := Open(Config{Address: c.Address(), Password: "guess"})
	require.NoError(t, err)
	defer wrong.Close()
	require.ErrorContains(t, wrong.Ping(ctx), "WRONGPASS")
}
