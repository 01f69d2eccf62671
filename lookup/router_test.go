package lookup_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// TestTrips: one round trip per decision, two for AXE, with X in the cache.
func TestTrips(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	w.ax(anna)
	ext := w.axe(anna).Ext
	for _, x := range []routing.X{xAXB, xAX, xAXE} {
		w.decide("warm", x, dora)
		w.release("warm")
	}
	w.loaded(xAXB, xAX, xAXE)
	require.EqualValues(t, 1, w.cost(func() { require.Equal(t, bert, dials(w.decide("s1", xAXB, anna))) }))
	require.EqualValues(t, 1, w.cost(func() { require.Equal(t, anna, dials(w.decide("s2", xAX, carl))) }))
	require.EqualValues(t, 2, w.cost(func() {
		require.Equal(t, routing.Collect, w.decide("s3", xAXE, carl).Step)
		require.Equal(t, anna, dials(w.typed("s3", carl, ext)))
	}))
	require.Equal(t, "unknown_x", dials(w.decide("s4", "+8617010000009", carl)))
	w.loaded("+8617010000009")
	require.EqualValues(t, 1, w.cost(func() { require.Equal(t, "unknown_x", dials(w.decide("s5", "+8617010000009", carl))) }),
		"an X that is not ours is remembered")
}

// TestBindingsWorkAtOnce and stop at once, in every mode (section 1).
func TestBindingsWorkAtOnce(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, "no_binding_axb", dials(w.decide("s1", xAXB, anna)))
	p := w.pair(anna, bert)
	require.Equal(t, bert, dials(w.decide("s2", xAXB, anna)))
	require.Equal(t, anna, dials(w.decide("s3", xAXB, bert)))
	other := carl
	_, err := w.office.ModifyAXB(w.ctx, "AXB", provision.ModifyAXB{SubscriptionID: p.ID, CalleeNum: &other})
	require.NoError(t, err)
	require.Equal(t, carl, dials(w.decide("s4", xAXB, anna)))
	require.Equal(t, "no_binding_axb", dials(w.decide("s5", xAXB, bert)))
	require.NoError(t, w.office.UnbindAXB(w.ctx, "AXB", p.ID, ""))
	require.Equal(t, "no_binding_axb", dials(w.decide("s6", xAXB, anna)))

	b := w.axe(anna)
	require.Equal(t, anna, dials(w.typed("s7", dora, b.Ext)))
	w.release("s7")
	require.NoError(t, w.office.UnbindAXE(w.ctx, "AXE", provision.AXE{VirtualNum: string(xAXE), ExtendNum: string(b.Ext)}))
	require.Equal(t, "wrong_extension", dials(w.typed("s8", dora, b.Ext)))

	w.ax(anna)
	require.Equal(t, anna, dials(w.decide("s9", xAX, dora)))
	w.release("s9")
	require.NoError(t, w.office.UnbindAX(w.ctx, "AX", provision.AX{PrivateNum: string(xAX)}))
	require.Equal(t, "no_binding_ax", dials(w.decide("s10", xAX, dora)))
}

// TestOneCallAtATime on an AX X and an AXE extension; a refused call holds
// nothing.
func TestOneCallAtATime(t *testing.T) {
	w := newWorld(t)
	w.ax(anna)
	e1, e2 := w.axe(anna), w.axe(bert)
	require.Equal(t, anna, dials(w.decide("s1", xAX, carl)))
	require.Equal(t, "in_use", dials(w.decide("s2", xAX, dora)))
	w.release("s2")
	require.Equal(t, "in_use", dials(w.decide("s3", xAX, dora)), "what is not held cannot be released")
	w.release("s1")
	require.Equal(t, anna, dials(w.decide("s4", xAX, dora)))

	require.Equal(t, anna, dials(w.typed("s5", carl, e1.Ext)))
	require.Equal(t, "in_use", dials(w.typed("s6", dora, e1.Ext)))
	require.Equal(t, bert, dials(w.typed("s6", dora, e2.Ext)))

	_, err := w.office.ChangeApp(w.ctx, "AXE", func(a *ledger.App) error { a.Paused = true; return nil })
	require.NoError(t, err)
	w.release("s5")
	require.Eventually(t, func() bool { return dials(w.typed("s7", carl, e1.Ext)) == "app_paused" }, 5*time.Second, 20*time.Millisecond)
	_, err = w.office.ChangeApp(w.ctx, "AXE", func(a *ledger.App) error { a.Paused = false; return nil })
	require.NoError(t, err)
	require.Eventually(t, func() bool { return dials(w.typed("s8", dora, e1.Ext)) == anna }, 5*time.Second, 20*time.Millisecond,
		"a refused call keeps no place")
}

// TestTemporaryCallee: used up by an answered call, unless the app keeps it.
func TestTemporaryCallee(t *testing.T) {
	w := newWorld(t)
	b := w.ax(anna)
	set := func(callee string) {
		_, err := w.office.SetTemporary(w.ctx, "AX", provision.TemporaryCallee{AX: provision.AX{SubscriptionID: b.ID}, CalleeNum: callee})
		require.NoError(t, err)
	}
	require.Equal(t, "no_temporary_callee", dials(w.decide("s1", xAX, anna)))
	set(carl)
	d := w.decide("s2", xAX, anna)
	require.Equal(t, carl, dials(d))
	w.release("s2")
	set(dora) // while the call goes on
	require.NoError(t, w.router.Answered(w.ctx, asks("s2", xAX, anna), d))
	d = w.decide("s3", xAX, anna)
	require.Equal(t, dora, dials(d), "the one that was set since is not used up")
	w.release("s3")
	require.NoError(t, w.router.Answered(w.ctx, asks("s3", xAX, anna), d))
	require.Equal(t, "no_temporary_callee", dials(w.decide("s4", xAX, anna)))

	_, err := w.office.ChangeApp(w.ctx, "AX", func(a *ledger.App) error { a.KeepCallee = true; return nil })
	require.NoError(t, err)
	set(carl)
	require.Eventually(t, func() bool {
		d = w.decide("s5", xAX, anna)
		return d.App.KeepCallee
	}, 5*time.Second, 20*time.Millisecond)
	w.release("s5")
	require.NoError(t, w.router.Answered(w.ctx, asks("s5", xAX, anna), d))
	require.Equal(t, carl, dials(w.decide("s6", xAX, anna)))
}

// TestCallback: the last caller for whom A's phone rang, by the time of
// ringing.
func TestCallback(t *testing.T) {
	w := newWorld(t)
	b := w.axe(anna)
	require.Equal(t, "no_callback", dials(w.decide("s0", xAXE, anna)))
	early, late := asks("s1", xAXE, carl), asks("s2", xAXE, dora)
	early.At = early.At.Add(-time.Minute)
	for _, q := range []routing.Question{late, early} { // carl called first and typed longer
		d, err := w.router.DecideExtension(w.ctx, q, b.Ext)
		require.NoError(t, err)
		require.NoError(t, w.router.Rang(w.ctx, q, d))
		w.release(q.Session)
	}
	d := w.decide("s3", xAXE, anna)
	require.Equal(t, carl, dials(d))
	require.NoError(t, w.router.Rang(w.ctx, asks("s3", xAXE, anna), d))
	w.release("s3")
	require.Equal(t, carl, dials(w.decide("s4", xAXE, anna)), "calling back writes no record")
	report, err := w.office.Verify(w.ctx, false)
	require.NoError(t, err)
	require.Zero(t, report.Differ, "%+v", report.Differences)
}

// TestNewApp: an app that another process made a moment ago works.
func TestNewApp(t *testing.T) {
	w := newWorld(t)
	_, err := w.office.CreateApp(w.ctx, ledger.App{App: routing.App{Key: "new", SP: "demo", Mode: routing.AXB}})
	require.NoError(t, err)
	const x = "+8617010000005"
	_, err = w.office.AddNumber(w.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "new"}})
	require.NoError(t, err)
	_, err = w.office.BindAXB(w.ctx, "new", provision.BindAXB{CallerNum: anna, CalleeNum: bert, RelationNum: x})
	require.NoError(t, err)
	require.Equal(t, bert, dials(w.decide("s1", x, anna)))
}

// TestPeekReservesNothing, though it decides as a call does.
func TestPeekReservesNothing(t *testing.T) {
	w := newWorld(t)
	w.ax(anna)
	d, err := w.router.Peek(w.ctx, asks("p", xAX, carl))
	require.NoError(t, err)
	require.Equal(t, anna, dials(d))
	require.Equal(t, anna, dials(w.decide("s1", xAX, dora)))
	require.NoError(t, w.redis.do(func(c *redis.Client) error {
		held, err := c.HLen(context.Background(), "axgate:{"+string(xAX)+"}:busy").Result()
		require.EqualValues(t, 1, held)
		return err
	}))
}
