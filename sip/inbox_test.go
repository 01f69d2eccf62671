package sip

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/sip/wire"
)

// TestRoomForHangingUp: whatever waits, that a leg is over finds room, and only
// that: more of it than can be true does not.
func TestRoomForHangingUp(t *testing.T) {
	q, a, b := newInbox(), new(leg), new(leg)
	request := func(m sip.RequestMethod) input {
		return input{what: inRequest, leg: a, tx: &wire.ServerTx{Request: sip.NewRequest(m, sip.Uri{})}}
	}
	for range inboxSize {
		require.Equal(t, taken, q.post(request(sip.OPTIONS)))
	}
	for _, m := range []sip.RequestMethod{sip.OPTIONS, sip.INVITE, sip.PRACK} {
		require.Equal(t, full, q.post(request(m)))
	}
	require.Equal(t, taken, q.post(input{what: inCancel, leg: a}))
	for range hangUps - 1 {
		require.Equal(t, taken, q.post(request(sip.BYE)))
	}
	require.Equal(t, full, q.post(request(sip.BYE)))
	require.Equal(t, taken, q.post(input{what: inCancel, leg: b}), "the other leg has room of its own")
	require.Equal(t, full, q.post(request(sip.OPTIONS)))
	require.Len(t, q.close(), inboxSize+hangUps+1)
	require.Equal(t, over, q.post(request(sip.BYE)))
}

// TestInboxUsesItsRoomAgain: a talk that is spoken to now and then keeps as much
// of an inbox as waited at once, in order.
func TestInboxUsesItsRoomAgain(t *testing.T) {
	q := newInbox()
	put, got := 0, 0
	for turn := range 100 {
		for range 3 {
			q.owe(input{what: inAlarm, turn: put})
			put++
		}
		for got < put-turn%3 { // at times some are left behind
			in, ok := q.next()
			require.True(t, ok)
			require.Equal(t, got, in.turn)
			got++
		}
	}
	require.LessOrEqual(t, cap(q.items), 8)
}

// TestWaitingIsSmall: what a call's goroutine has on its stack while it waits, and
// what waits for it, is there once for each call.
func TestWaitingIsSmall(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(wake{}), uintptr(32))
	require.LessOrEqual(t, unsafe.Sizeof(happening{}), uintptr(80))
	require.LessOrEqual(t, unsafe.Sizeof(input{}), uintptr(88))
}

// busy has the call stand still at an event until the test goes on, with as much
// in its inbox as it takes.
func (w *world) busy(kind events.Kind) (filled func(), goOn func()) {
	var stuck atomic.Bool
	wait := make(chan struct{})
	w.journal.blocks(func(e events.Event) {
		if e.Kind == kind && !stuck.Swap(true) {
			<-wait
		}
	})
	stray := sip.NewRequest(sip.ACK, sip.Uri{})
	stray.AppendHeader(&sip.CSeqHeader{SeqNo: 99, MethodName: sip.ACK})
	return func() {
		w.t.Helper()
		eventually(w.t, "the call is busy", stuck.Load)
		w.srv.mu.Lock()
		defer w.srv.mu.Unlock()
		for _, c := range w.srv.calls {
			for c.inbox.post(input{what: inAck, leg: &c.a.leg, req: stray}) == taken {
			}
		}
	}, func() { close(wait) }
}

// waiting counts what waits for the only call.
func (w *world) waiting() (n int) {
	w.srv.mu.Lock()
	defer w.srv.mu.Unlock()
	for _, c := range w.srv.calls {
		c.inbox.mu.Lock()
		n += len(c.inbox.items)
		c.inbox.mu.Unlock()
	}
	return n
}

// TestHangUpOfABusyCall: who hangs up a call that has too much to do is heard
// all the same.
func TestHangUpOfABusyCall(t *testing.T) {
	t.Parallel()
	t.Run("CANCEL", func(t *testing.T) {
		w := open(t)
		filled, goOn := w.busy(events.Alerting)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		filled()
		a.cancel()
		a.response(200, "CANCEL")
		goOn()
		b.cancelled()
		a.fails(487)
		require.Equal(t, 1, w.ends(7502, 8009).ReleasedBy)
	})
	t.Run("BYE", func(t *testing.T) {
		w := open(t)
		filled, goOn := w.busy(events.Answer)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		filled()
		b.request("BYE", "")
		eventually(t, "it waits", func() bool { return w.waiting() > inboxSize })
		goOn()
		b.response(200, "BYE")
		a.response(200, "INVITE")
		a.ack("")
		a.hungUp()
		require.Equal(t, 2, w.ends(0, 0).ReleasedBy)
	})
}
