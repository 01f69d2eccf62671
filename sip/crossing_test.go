package sip

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/routing"
)

func TestCancel(t *testing.T) {
	t.Run("before the callee's side said anything", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		a.cancel()
		a.response(200, "CANCEL")
		require.Equal(t, "Q.850;cause=16", a.fails(487).get("Reason"))
		w.b.never(50*time.Millisecond, "CANCEL before a provisional response", func(m msg) bool { return m.method() == "CANCEL" })
		b.says(180, "")
		got := b.cancelled()
		require.Equal(t, b.invite.get("Via"), got.get("Via"))
		require.Equal(t, b.invite.get("To"), got.get("To"))
		require.Equal(t, b.invite.get("From"), got.get("From"))
		require.Equal(t, b.invite.uri(), got.uri())
		require.Equal(t, "1 CANCEL", got.get("CSeq"))
		require.Equal(t, "Q.850;cause=16", got.get("Reason"))
		require.Equal(t, 1, w.ends(7501, 7501).ReleasedBy)
	})
	t.Run("and the callee's side never says anything", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring()
		a.cancel()
		a.fails(487)
		w.ends(7501, 7501)
	})
	t.Run("after 100", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(100, "")
		time.Sleep(20 * time.Millisecond)
		a.cancel()
		b.cancelled()
		a.fails(487)
		w.ends(7501, 7501)
	})
	t.Run("while it rings", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		a.response(180, "INVITE")
		a.cancel()
		a.response(200, "CANCEL")
		b.cancelled()
		a.fails(487)
		require.Equal(t, 1, w.ends(7502, 8009).ReleasedBy)
	})
	t.Run("before there is a callee", func(t *testing.T) {
		w := open(t)
		wait := make(chan struct{})
		w.router.decides(func(q routing.Question) (routing.Decision, error) { <-wait; return connect(q), nil })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.response(100, "INVITE")
		a.cancel()
		a.response(200, "CANCEL")
		close(wait)
		a.fails(487)
		w.ends(7501, 7501)
		require.Empty(t, w.b.everything())
	})
	t.Run("in early media", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(183, w.mouthB.sdp(1))
		a.response(183, "INVITE")
		a.cancel()
		b.cancelled()
		a.fails(487)
		w.ends(7502, 8009)
	})
	t.Run("BYE in place of it", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		a.response(180, "INVITE")
		a.request("BYE", "")
		a.response(200, "BYE")
		b.cancelled()
		a.lastInviteSeq = 1
		a.fails(487)
		w.ends(7502, 8009)
	})
	t.Run("from elsewhere", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		w.b.send(a.text("CANCEL", 1, a.branch, ""))
		w.b.await("481", func(m msg) bool {
			return m.status() == 481 || m.get("Via") != "" && strings.Contains(m.get("CSeq"), "CANCEL")
		})
		b.says(486, "")
		a.fails(486)
		w.ends(8102, 8102)
	})
}

// TestCancelCrossesTheAnswer: in both orders, and nobody stands with an open
// line afterwards.
func TestCancelCrossesTheAnswer(t *testing.T) {
	t.Run("the callee answers before our CANCEL reaches it", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
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
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		a.cancel()
		a.fails(487)
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		b.hungUp()
		w.ends(7501, 7501)
	})
	t.Run("our answer has left before the caller's CANCEL comes", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.cancel()
		a.response(200, "CANCEL")
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
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
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		eventually(t, "the record is being written", held.Load)
		a.cancel()
		a.response(200, "CANCEL")
		close(wait)
		a.response(200, "INVITE") // the answer stood already: the caller hangs up (RFC 3261 section 9.1)
		a.ack("")
		a.bye()
		b.hungUp()
		w.ends(0, 0)
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
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
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
	t.Run("of the caller", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		began := time.Now()
		ok := a.response(200, "INVITE")
		bye := b.hungUp()
		require.Equal(t, "Q.850;cause=41", bye.get("Reason"))
		a.hungUp()
		require.Greater(t, time.Since(began), 6*time.Second)
		require.InDelta(t, 17, w.a.times(ok), 3, "T1, doubling up to T2, for 64*T1")
		for i, gap := range []float64{0.1, 0.2, 0.4, 0.4} {
			require.InDelta(t, gap, w.a.gap(ok, i).Seconds(), 0.08, "before repetition %d", i+1)
		}
		w.ends(8020, 7505)
	})
	t.Run("to the callee", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		ack := b.acked()
		for i := range 3 {
			b.says(200, w.mouthB.sdp(1))
			eventually(t, "another ACK", func() bool { return w.b.times(ack) == i+2 })
		}
		a.response(200, "INVITE")
		a.ack("")
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
}

func TestBurstBehindTheAck(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	a.response(200, "INVITE")
	a.ack("")
	a.reinvite(w.mouthA.sdp(1))
	a.response(200, "INVITE")
	a.ack("")
	b.reinvite(w.mouthB.sdp(1))
	b.response(200, "INVITE")
	b.ack("")
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

func TestReinviteBeforeTheAck(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	a.response(200, "INVITE")
	a.reinvite(w.mouthA.sdp(1))
	require.NotEmpty(t, a.fails(500).get("Retry-After"))
	a.lastInviteSeq = 1
	a.ack("")
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

func TestByes(t *testing.T) {
	t.Run("the caller's before its ACK", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		a.response(200, "INVITE")
		a.bye()
		b.hungUp()
		a.lastInviteSeq = 1
		a.ack("")
		w.ends(0, 0)
	})
	t.Run("the callee's before the caller's ACK", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		a.response(200, "INVITE")
		b.bye()
		w.a.never(50*time.Millisecond, "BYE before its ACK", func(m msg) bool { return m.method() == "BYE" })
		a.ack("")
		a.hungUp()
		require.Equal(t, 2, w.ends(0, 0).ReleasedBy)
	})
	t.Run("of both at once", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		a.request("BYE", "")
		b.request("BYE", "")
		a.response(200, "BYE")
		b.response(200, "BYE")
		w.ends(0, 0)
	})
	t.Run("nobody answers ours", func(t *testing.T) {
		w := open(t)
		a, _ := w.talk()
		a.bye()
		w.b.request("BYE")
		w.ends(0, 0)
	})
	t.Run("of a callee that has not answered", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		a.response(180, "INVITE")
		b.request("BYE", "")
		b.response(481, "BYE")
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		a.response(200, "INVITE")
		a.ack("")
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("right behind the callee's answer", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.request("BYE", "")
		b.response(200, "BYE")
		a.response(200, "INVITE")
		a.ack("")
		a.hungUp()
		w.ends(0, 0)
	})
}

// TestForks: one early dialog per tag, the first 200 wins, later ones are
// acknowledged and hung up.
func TestForks(t *testing.T) {
	t.Run("early media of two tags, answer of a third", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		tone := newEar(t, w.b.addr.Addr())
		tone.talksTo(b.invite)
		b.mine = "tune1"
		b.says(183, tone.sdp(1))
		w.mouthA.talksTo(a.response(183, "INVITE"))
		tone.until(0x33, "A hears the first tune", w.mouthA.hears(0x33, 3))
		other := newEar(t, w.b.addr.Addr())
		other.talksTo(b.invite)
		b.mine = "tune2"
		b.says(183, other.sdp(1))
		other.until(0x44, "A hears the second tune", w.mouthA.hears(0x44, 3))
		b.mine = "phone"
		b.says(200, w.mouthB.sdp(1))
		require.Equal(t, "phone", b.acked().tag("To"))
		a.response(200, "INVITE")
		a.ack("")
		w.bothHear()
		a.bye()
		require.Equal(t, "phone", b.hungUp().tag("To"))
		w.ends(0, 0)
	})
	t.Run("a second phone answers too late", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		late := *b
		late.mine = "late"
		late.contact = "<sip:late@" + w.b.addr.String() + ">"
		late.says(200, w.mouthB.sdp(1))
		ack := w.b.await("ACK to the second", func(m msg) bool { return m.method() == "ACK" && m.tag("To") == "late" })
		require.True(t, strings.HasPrefix(ack.start, "ACK sip:late@"), ack.start)
		bye := w.b.await("BYE to the second", func(m msg) bool { return m.method() == "BYE" && m.tag("To") == "late" })
		late.reply(bye, 200, "")
		late.says(200, w.mouthB.sdp(1))
		eventually(t, "the repetition is acknowledged", func() bool { return w.b.times(ack) == 2 })
		w.b.never(50*time.Millisecond, "a second BYE", func(m msg) bool { return m.method() == "BYE" })
		w.bothHear()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
}

// TestJournalFails: what is not on the disk is neither promised nor billed,
// and what is owed is written in the end.
func TestJournalFails(t *testing.T) {
	t.Run("from the start", func(t *testing.T) {
		w := open(t)
		w.journal.fails(func(events.Event) error { return errDisk })
		got := w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		require.NotEmpty(t, got.get("Retry-After"))
		eventually(t, "no call", func() bool { return w.open() == 0 })
		require.Empty(t, w.b.everything())
		require.Empty(t, w.journal.evs)
	})
	t.Run("at the answer", func(t *testing.T) {
		w := open(t)
		var down atomic.Bool
		w.journal.fails(func(e events.Event) error {
			if e.Kind == events.Answer {
				down.Store(true)
			}
			if down.Load() {
				return errDisk
			}
			return nil
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		b.hungUp()
		require.Equal(t, "Q.850;cause=41", a.fails(500).get("Reason"))
		require.Equal(t, 1, w.open(), "it waits for its record")
		w.journal.fails(nil)
		rec := w.ends(8020, 8020)
		require.Equal(t, []events.Kind{events.CallIn, events.CallOut, events.Answer, events.Disconnect, events.Fee}, w.journal.kinds(rec.Session))
	})
	t.Run("for one event", func(t *testing.T) {
		w := open(t)
		var once atomic.Bool
		w.journal.fails(func(e events.Event) error {
			if e.Kind == events.Alerting && once.CompareAndSwap(false, true) {
				return errDisk
			}
			return nil
		})
		a, b := w.talk()
		a.bye()
		b.hungUp()
		rec := w.ends(0, 0)
		require.Len(t, w.journal.kinds(rec.Session), 6, "nothing is missing")
	})
	t.Run("late", func(t *testing.T) { // for one event that was under way when the call ended
		w := open(t)
		wait := make(chan struct{})
		var once atomic.Bool
		w.journal.delays(func(e events.Event) (<-chan struct{}, error) {
			if e.Kind == events.Alerting && once.CompareAndSwap(false, true) {
				return wait, errDisk
			}
			return nil, nil
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		a.response(180, "INVITE")
		b.says(486, "")
		a.fails(486)
		rec := w.ends(8102, 8102)
		require.Len(t, w.journal.kinds(rec.Session), 5)
		close(wait)
	})
	t.Run("at the end", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		w.journal.fails(func(events.Event) error { return errDisk })
		a.bye()
		b.hungUp()
		time.Sleep(50 * time.Millisecond)
		require.Equal(t, 1, w.open(), "it waits for its record")
		require.Equal(t, w.ports, w.engine.PortsFree(), "but holds no ports")
		w.journal.fails(nil)
		w.ends(0, 0)
	})
}
