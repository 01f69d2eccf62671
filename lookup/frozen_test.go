package lookup_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/provision"
)

// freeze stops Redis from answering; it goes on with thaw as if nothing had
// been.
func (s *redisServer) freeze() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGSTOP)) }

func (s *redisServer) thaw() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGCONT)) }

// TestRedisIsFrozen: the same Redis goes on with the state from before, so
// that what happened meanwhile must make it void: an unbind, a modification, a
// callback record, the use of a temporary callee.
func TestRedisIsFrozen(t *testing.T) {
	w := newWorld(t)
	p := w.pair(anna, bert)
	q := w.pair(carl, dora)
	b := w.ax(anna)
	_, err := w.office.SetTemporary(w.ctx, "AX", provision.TemporaryCallee{AX: provision.AX{SubscriptionID: b.ID}, CalleeNum: carl})
	require.NoError(t, err)
	e := w.axe(anna)
	require.Equal(t, bert, dials(w.decide("s1", xAXB, anna)))
	require.Equal(t, dora, dials(w.decide("s1", xAXB, carl)))
	typed := w.typed("s2", carl, e.Ext)
	require.NoError(t, w.router.Rang(w.ctx, asks("s2", xAXE, carl), typed))
	w.release("s2")
	temporary := w.decide("s3", xAX, anna)
	require.Equal(t, carl, dials(temporary))
	w.release("s3")

	w.redis.freeze()
	require.NoError(t, w.router.Answered(w.ctx, asks("s3", xAX, anna), temporary))
	w.redis.thaw()
	require.Equal(t, "no_temporary_callee", dials(w.decide("s4", xAX, anna)))

	w.answers()
	w.redis.freeze()
	typed = w.typed("s5", dora, e.Ext)
	require.Equal(t, anna, dials(typed))
	require.NoError(t, w.router.Rang(w.ctx, asks("s5", xAXE, dora), typed))
	w.router.Release("s5")
	other := "+8613800000009"
	_, err = w.office.ModifyAXB(w.ctx, "AXB", provision.ModifyAXB{SubscriptionID: q.ID, CalleeNum: &other})
	require.NoError(t, err)
	require.NoError(t, w.office.UnbindAXB(w.ctx, "AXB", p.ID, ""))
	require.Equal(t, "no_binding_axb", dials(w.decide("s6", xAXB, anna)))
	w.redis.thaw()
	for range 2 {
		require.Equal(t, "no_binding_axb", dials(w.decide("s7", xAXB, anna)))
		require.Equal(t, other, dials(w.decide("s8", xAXB, carl)))
		require.Equal(t, dora, dials(w.decide("s9", xAXE, anna)))
		w.router.Release("s9")
		w.answers()
	}
	report, err := w.office.Verify(w.ctx, false)
	require.NoError(t, err)
	require.Zero(t, report.Differ, "%+v", report.Differences)
	require.Positive(t, report.Compared)
}
