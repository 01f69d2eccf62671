package sip

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
	t.Run("the caller's in place of its ACK", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		ok := a.response(200, "INVITE")
		a.bye()
		b.hungUp()
		w.ends(0, 0)
		eventually(t, "the end of the call", func() bool { return w.srv.leg(a.callID, a.theirs) == nil })
		require.Less(t, w.a.times(ok), 10, "our answer is not repeated to who has hung up, which makes 17")
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
