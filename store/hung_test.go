package store

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/store/redistest"
)

// TestAHungRedisCostsItsTimeLimit: Redis takes connections and says nothing.
// However many calls ask at once, and however few connections there are, none
// waits longer than one command may take.
func TestAHungRedisCostsItsTimeLimit(t *testing.T) {
	const limit, calls = 2 * time.Second, 60
	w := real(t)
	c := w.open(func(cfg *Config) { cfg.Timeout, cfg.Pool = limit, 2 })
	require.NoError(t, c.Ping(ctx))
	for name, prepare := range map[string]func(){
		"known":     func() {},
		"not known": func() { w.server.Kill(); w.server.Run() },
	} {
		t.Run(name, func(t *testing.T) {
			prepare()
			w.server.Stop()
			took := make([]time.Duration, calls)
			errs := make([]error, calls)
			var all sync.WaitGroup
			for i := range calls {
				all.Go(func() {
					start := time.Now()
					_, _, errs[i] = c.Facts(ctx, asks("s", x1, anna))
					took[i] = time.Since(start)
				})
			}
			all.Wait()
			w.server.Continue()
			for i := range calls {
				require.Error(t, errs[i])
				require.Less(t, took[i], limit+limit*3/4) // a busy machine adds to it; who waits for the connection of another takes two limits
			}
			require.Eventually(t, func() bool { return c.Ping(ctx) == nil }, 5*time.Second, 20*time.Millisecond, "it is used again")
		})
	}
}

// TestMarksComeBackWithRedis: what was reserved while Redis was away is known
// to the other nodes soon after it is back, not only with the next renewal.
func TestMarksComeBackWithRedis(t *testing.T) {
	w := real(t)
	one := w.open(func(cfg *Config) { cfg.Node, cfg.Lease = "one", time.Hour })
	w.server.Kill()
	_, _, err := one.Facts(ctx, asks("first", x1, anna))
	require.Error(t, err)
	require.True(t, one.ReserveHere("first", x1, ""))
	w.server.Run()
	require.Eventually(t, func() bool {
		_, _, err := one.Facts(ctx, asks("another call", x2, anna))
		return err == nil
	}, 5*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.HasPrefix(w.client().HGet(ctx, busyKey(x1), wholeX).Val(), "first one ")
	}, 5*time.Second, 20*time.Millisecond, "the others see that X is in a call")
}

// TestAReplicaIsNotBelieved: a server that was demoted may lack the last
// changes, and its connections stay open.
func TestAReplicaIsNotBelieved(t *testing.T) {
	w, other := real(t), redistest.Start(t)
	w.load(routing.Dossier{Number: number(x1, routing.AXB, 1, 0)})
	w.must(asks("s", x1, anna))
	host, port, err := net.SplitHostPort(other.Addr)
	require.NoError(t, err)
	require.NoError(t, w.client().Do(ctx, "replicaof", host, port).Err())
	for range 3 { // on the connection that was open, and on new ones
		_, _, err := w.Peek(ctx, asks("s", x1, anna))
		require.ErrorContains(t, err, "READONLY")
	}
}

// TestAHungRedisKeepsNoMarks: what Redis did late, for calls that did not wait
// for it, does not keep others from X until the lease runs out.
func TestAHungRedisKeepsNoMarks(t *testing.T) {
	const calls, limit = 8, 500 * time.Millisecond
	w := real(t)
	d := routing.Dossier{Number: number(x1, routing.AXE, 1, calls)}
	ext := func(i int) routing.Extension { return routing.Extension(strconv.Itoa(1000 + i)) }
	for i := range calls {
		d.Bindings = append(d.Bindings, axe("b"+strconv.Itoa(i), anna, ext(i), 1))
	}
	w.load(d)
	c := w.open(func(cfg *Config) { cfg.Lease, cfg.Timeout = time.Hour, limit })
	c.SetEpoch(w.Epoch())
	require.NoError(t, c.Ping(ctx))
	var late atomic.Int64
	for round := range 2 {
		w.server.Stop()
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				for k := range 3 {
					session := fmt.Sprintf("%d-%d-%d", round, i, k)
					if _, _, err := c.FactsByExtension(ctx, asks(session, x1, carl), ext(i), Guessing{}); err != nil {
						late.Add(1)
						if i%2 == 0 { // the others are refused by the ledger
							c.ReserveHere(session, x1, ext(i))
						}
					}
					c.Release(session)
				}
			})
		}
		time.Sleep(limit + limit/2)
		w.server.Continue()
		all.Wait()
	}
	require.NotZero(t, late.Load())
	require.Eventually(t, func() bool {
		f, _, err := c.PeekByExtension(ctx, asks("probe", x1, carl), ext(0))
		return err == nil && f.ToX != nil && w.client().HLen(ctx, busyKey(x1)).Val() == 0
	}, 10*time.Second, 50*time.Millisecond, "busy marks")
}

// TestAHungRedisKeepsNoMarkOfA: A's call to its X of AXE gets a place that the node does
// not know of when Redis answers late; what the session has by then stays.
func TestAHungRedisKeepsNoMarkOfA(t *testing.T) {
	const limit = 300 * time.Millisecond
	w := real(t)
	b := axe("b1", anna, "1001", 1)
	b.CallbackNum = bert
	d := routing.Dossier{Number: number(x1, routing.AXE, 1, 2), Bindings: []routing.Binding{b, axe("b2", dora, "1002", 1)}}
	w.load(d)
	c := w.open(func(cfg *Config) { cfg.Lease, cfg.Timeout = time.Hour, limit })
	w.server.Stop()
	_, _, err := c.Facts(ctx, asks("refused", x1, anna))
	require.Error(t, err)
	_, _, err = c.Facts(ctx, asks("put through", x1, anna))
	require.Error(t, err)
	require.True(t, c.ReserveHere("put through", x1, "1002"))
	w.server.Continue()
	require.Eventually(t, func() bool {
		f, _, err := c.Peek(ctx, asks("probe", x1, anna))
		if err != nil || f.ByCaller == nil || f.Busy {
			return false
		}
		marks := w.client().HGetAll(ctx, busyKey(x1)).Val()
		return len(marks) == 1 && strings.HasPrefix(marks["1002"], "put through ")
	}, 10*time.Second, 50*time.Millisecond, "busy marks")
}
