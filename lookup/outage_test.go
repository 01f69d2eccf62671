package lookup_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"axgate/provision"
	"axgate/routing"
)

const (
	away = "the cache does not answer"
	back = "the cache answers again"
)

// answers waits until Redis is asked again.
func (w *world) answers() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		w.decide("probe", xAXB, dora)
		return w.log.count(back) == w.log.count(away)
	}, 10*time.Second, 50*time.Millisecond)
}

// TestRedisDown: the ledger answers, with one line in the log, and this node's
// calls keep their places.
func TestRedisDown(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	w.ax(anna)
	e := w.axe(anna)
	require.Equal(t, anna, dials(w.decide("before", xAX, carl)))
	w.redis.Kill()
	require.Equal(t, bert, dials(w.decide("s1", xAXB, anna)))
	require.Equal(t, anna, dials(w.decide("s2", xAXB, bert)))
	require.Equal(t, "unknown_x", dials(w.decide("s3", "+8617010000009", bert)))
	require.Equal(t, "in_use", dials(w.decide("s4", xAX, dora)), "the call from before the outage has X")
	w.release("before")
	require.Equal(t, anna, dials(w.decide("s5", xAX, dora)))
	require.Equal(t, anna, dials(w.typed("s6", carl, e.Ext)))
	require.Equal(t, "in_use", dials(w.typed("s7", dora, e.Ext)))
	require.Equal(t, 1, w.log.count(away))

	w.redis.Run()
	w.answers()
	require.Equal(t, "in_use", dials(w.decide("s8", xAX, carl)), "a call of the outage keeps X")
	require.NoError(t, w.redis.do(func(c *redis.Client) error {
		require.Eventually(t, func() bool { return c.HExists(context.Background(), "axgate:{"+string(xAX)+"}:busy", "x").Val() },
			10*time.Second, 20*time.Millisecond, "and other nodes see it")
		return nil
	}))
	require.Equal(t, 1, w.log.count(away))
	require.Equal(t, 1, w.log.count(back))
}

// TestMarksAreToldInOrder: what Redis is told of busy marks when it is back comes
// from one place, so that no mark is put there after it was freed.
func TestMarksAreToldInOrder(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	e := w.axe(anna)
	require.Equal(t, anna, dials(w.typed("s1", carl, e.Ext)))
	w.trips.takes.Store(int64(300 * time.Millisecond))
	w.redis.Stop()
	require.Equal(t, bert, dials(w.decide("s2", xAXB, anna)))
	require.Equal(t, 1, w.log.count(away))
	w.redis.Continue()
	w.answers()
	w.release("s1")
	require.Equal(t, anna, dials(w.typed("s3", dora, e.Ext)))
	require.EqualValues(t, 1, w.trips.most.Load(), "pipelines at once")
}

// TestUnbindWhileRedisIsAway: what was unbound is not routed when Redis comes
// back with its old data.
func TestUnbindWhileRedisIsAway(t *testing.T) {
	w := newWorld(t)
	p := w.pair(anna, bert)
	require.Equal(t, bert, dials(w.decide("s1", xAXB, anna)))
	w.loaded(xAXB)
	w.redis.Ask("save")
	w.redis.Kill()
	require.NoError(t, w.office.UnbindAXB(w.ctx, "AXB", p.ID, ""))
	require.Equal(t, "no_binding_axb", dials(w.decide("s2", xAXB, anna)))
	w.redis.Run()
	require.NoError(t, w.redis.do(func(c *redis.Client) error {
		old, err := c.HGet(context.Background(), "axgate:{"+string(xAXB)+"}:n:"+anna, "id").Result()
		require.Equal(t, p.ID, old, "the old data is there")
		return err
	}))
	for range 20 {
		require.Equal(t, "no_binding_axb", dials(w.decide("s3", xAXB, anna)))
		time.Sleep(50 * time.Millisecond)
	}
	require.Equal(t, 1, w.log.count(back))
}

// TestUsedUpWhileRedisIsAway: records of the outage hold when the very same
// Redis answers again.
func TestUsedUpWhileRedisIsAway(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	b := w.axe(anna)
	ring := func(session, caller string) {
		q := asks(session, xAXE, routing.Number(caller))
		d, err := w.router.DecideExtension(w.ctx, q, b.Ext)
		require.NoError(t, err)
		require.NoError(t, w.router.Rang(w.ctx, q, d))
		w.release(session)
	}
	ring("s1", carl)
	require.Equal(t, carl, dials(w.decide("s2", xAXE, anna)))
	w.release("s2")
	w.loaded(xAXE)
	w.redis.Ask("save")
	w.redis.Kill()
	ring("s3", dora)
	w.redis.Run()
	w.answers()
	require.Equal(t, dora, dials(w.decide("s4", xAXE, anna)))
}

// TestRedisIsEmptied or restarted without data: X is loaded anew.
func TestRedisIsEmptied(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	require.Equal(t, bert, dials(w.decide("s1", xAXB, anna)))
	w.loaded(xAXB)
	require.NoError(t, w.redis.do(func(c *redis.Client) error { return c.FlushAll(context.Background()).Err() }))
	require.Equal(t, bert, dials(w.decide("s2", xAXB, anna)))
	w.loaded(xAXB)
	require.NoError(t, w.redis.do(func(c *redis.Client) error { return c.ScriptFlush(context.Background()).Err() }))
	require.Equal(t, bert, dials(w.decide("s3", xAXB, anna)))
	require.Zero(t, w.log.count(away))
}

// TestAnotherLedger: a Redis that has served another ledger tells nothing of
// that one's bindings.
func TestAnotherLedger(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	require.Equal(t, bert, dials(w.decide("s1", xAXB, anna)))
	w.loaded(xAXB)
	w.path = filepath.Join(t.TempDir(), "another.db")
	w.open()
	require.Equal(t, "unknown_x", dials(w.decide("s2", xAXB, anna)))
	epoch, err := w.ledger.Epoch(w.ctx)
	require.NoError(t, err)
	require.Equal(t, w.cache.Epoch(), epoch)
}

// TestNeitherAnswers: without cache and ledger there is no decision, and
// nothing is held.
func TestNeitherAnswers(t *testing.T) {
	w := newWorld(t)
	w.ax(anna)
	w.redis.Kill()
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	_, err := w.router.Decide(ctx, asks("s1", xAX, carl))
	require.ErrorContains(t, err, "neither cache nor ledger")
	require.Equal(t, anna, dials(w.decide("s2", xAX, dora)))
}

// TestBarredCallbackNumber: after an unknown caller A reaches callbackNum, and
// the blacklist of X holds for that, whoever answers.
func TestBarredCallbackNumber(t *testing.T) {
	w := newWorld(t)
	b, err := w.office.BindAXE(w.ctx, "AXE", provision.BindAXE{BindNum: anna, VirtualNum: string(xAXE), CallbackNum: dora})
	require.NoError(t, err)
	unknown := asks("s1", xAXE, "")
	d, err := w.router.DecideExtension(w.ctx, unknown, b.Ext)
	require.NoError(t, err)
	require.NoError(t, w.router.Rang(w.ctx, unknown, d))
	w.release("s1")
	require.Equal(t, dora, dials(w.decide("s2", xAXE, anna)))
	w.release("s2")
	require.NoError(t, w.office.Block(w.ctx, "AXE", string(xAXE), []string{dora}, true))
	require.Equal(t, "callee_blacklisted", dials(w.decide("s3", xAXE, anna)))
	w.redis.Kill()
	require.Equal(t, "callee_blacklisted", dials(w.decide("s4", xAXE, anna)))
}
