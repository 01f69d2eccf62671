package sip

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
)

// TestCancelCrossesTheAnswer: in both orders, and nobody stands with an open
// line afterwards.
func TestCancelCrossesTheAnswer(t *testing.T) {
	t.Parallel()
	t.Run("the callee answers before our CANCEL reaches it", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(180, "")
		a.response(180, "INVITE")
		a.cancel()
		w.b.request("CANCEL")
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		b.hungUp()
		a.fails(487)
		rec := w.ends(7502, 8009)
		require.True(t, rec.Answered.IsZero(), "nobody talked")
	})
	t.Run("the callee answers without having rung", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		a.cancel()
		a.fails(487)
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		b.hungUp()
		w.ends(7501, 7501)
	})
	t.Run("our answer has left before the caller's CANCEL comes", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.cancel()
		a.response(200, "CANCEL")
		a.ack("")
		w.bothHear()
		w.hangsUp(a, b)
	})
	t.Run("both wait while the call is busy", func(t *testing.T) {
		w := open(t)
		wait := make(chan struct{})
		var held atomic.Bool
		w.journal.delays(func(e events.Event) (<-chan struct{}, error) {
			if e.Kind == events.Answer {
				held.Store(true)
				return wait, nil
			}
			return nil, nil
		})
		a, b := w.rings()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		eventually(t, "the record is being written", held.Load)
		a.cancel()
		a.response(200, "CANCEL")
		close(wait)
		a.response(200, "INVITE") // the answer stood already: the caller hangs up (RFC 3261 section 9.1)
		a.ack("")
		w.hangsUp(a, b)
	})
}

// TestCancelBehindTheAnswer: both wait for a call that is busy, the answer
// first. The caller is not answered any more.
func TestCancelBehindTheAnswer(t *testing.T) {
	w := open(t)
	wait := make(chan struct{})
	var stuck atomic.Bool
	w.journal.blocks(func(e events.Event) {
		if e.Kind == events.Alerting {
			stuck.Store(true)
			<-wait
		}
	})
	a, b := w.rings()
	b.says(180, "")
	eventually(t, "the call is busy", stuck.Load)
	b.says(200, w.mouthB.sdp(1))
	time.Sleep(20 * time.Millisecond) // the answer is read, then the CANCEL
	a.cancel()
	a.response(200, "CANCEL")
	close(wait)
	b.acked()
	b.hungUp()
	a.fails(487)
	require.True(t, w.ends(7502, 8009).Answered.IsZero())
}

func TestLostAck(t *testing.T) {
	t.Parallel()
	t.Run("of the caller", func(t *testing.T) {
		w := open(t)
		machine := watchStalls(t)
		a, b := w.rings()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		began := time.Now()
		ok := a.response(200, "INVITE")
		bye := b.hungUp()
		require.Equal(t, "Q.850;cause=41", bye.get("Reason"))
		a.hungUp()
		require.Greater(t, time.Since(began), 6*time.Second)
		lost := int(machine.between(began, time.Now()) / (400 * time.Millisecond)) // repetitions for which there was no time
		require.GreaterOrEqual(t, w.a.times(ok), 14-lost, "T1, doubling up to T2, for 64*T1")
		require.LessOrEqual(t, w.a.times(ok), 20, "T1, doubling up to T2, for 64*T1")
		for i, gap := range []float64{0.1, 0.2, 0.4, 0.4} {
			const early = 500 * time.Millisecond // before the first of the two: it may be the one that was late
			late := machine.between(w.a.arrival(ok, i).Add(-early), w.a.arrival(ok, i+1))
			require.InDelta(t, gap, w.a.gap(ok, i).Seconds(), 0.08+late.Seconds(), "before repetition %d", i+1)
		}
		w.ends(8020, 7505)
	})
	t.Run("to the callee", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(200, w.mouthB.sdp(1))
		ack := b.acked()
		for i := range 3 {
			b.says(200, w.mouthB.sdp(1))
			eventually(t, "another ACK", func() bool { return w.b.times(ack) == i+2 })
		}
		a.response(200, "INVITE")
		a.ack("")
		w.hangsUp(a, b)
	})
}

func TestBurstBehindTheAck(t *testing.T) {
	w := open(t)
	a, b := w.rings()
	w.answers(a, b)
	a.reinvite(w.mouthA.sdp(1))
	a.response(200, "INVITE")
	a.ack("")
	b.reinvite(w.mouthB.sdp(1))
	b.response(200, "INVITE")
	b.ack("")
	w.hangsUp(a, b)
}

func TestReinviteBeforeTheAck(t *testing.T) {
	w := open(t)
	a, b := w.rings()
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	a.response(200, "INVITE")
	a.reinvite(w.mouthA.sdp(1)) // it has our answer: its ACK is lost, or comes behind
	a.response(200, "INVITE")
	a.ack("")
	a.lastInviteSeq = 1
	a.ack("")
	eventually(t, "the late ACK is counted", func() bool { return w.srv.Strays() > 0 })
	w.hangsUp(a, b)
}
