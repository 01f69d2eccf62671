package sip

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOfferInAnEarlyUpdate (RFC 3311 with RFC 3262): once SDP was acknowledged,
// either side may move its audio before the answer.
func TestOfferInAnEarlyUpdate(t *testing.T) {
	t.Parallel()
	t.Run("the caller", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), can)
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		b.says(183, w.mouthB.sdp(1))
		early := a.response(183, "INVITE")
		a.theirs, a.target = early.tag("To"), early.contact()
		a.request("UPDATE", w.mouthA.sdp(2))
		require.NotEmpty(t, a.response(500, "UPDATE").get("Retry-After"), "its answer is not acknowledged")
		a.prack(early, 200, "")
		moved := newEar(t, w.a.addr.Addr())
		a.request("UPDATE", moved.sdp(2))
		moved.talksTo(a.response(200, "UPDATE"))
		w.mouthB.until(0x22, "A hears at the new address", moved.hears(0x22, 3))
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		require.Empty(t, a.response(200, "INVITE").body)
		a.ack("")
		moved.until(0x77, "B hears A", w.mouthB.hears(0x77, 3))
		w.mouthB.until(0x22, "A still hears there", moved.hears(0x22, moved.count(0x22)+3))
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("the caller, while our offer waits for its PRACK", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, "", can)
		b := w.b.ring()
		b.says(183, "")
		early := a.response(183, "INVITE")
		a.theirs, a.target = early.tag("To"), early.contact()
		a.request("UPDATE", w.mouthA.sdp(1))
		a.response(491, "UPDATE")
		a.prack(early, 200, w.mouthA.sdp(1))
		a.request("UPDATE", w.mouthA.sdp(2))
		a.response(200, "UPDATE")
		b.says(486, "")
		a.fails(486)
	})
	for name, answer := range map[string]func(old, moved string) string{
		"the callee, whose 200 says what it said first": func(old, _ string) string { return old },
		"the callee, whose 200 says what it said last":  func(_, moved string) string { return moved },
		"the callee, whose 200 says nothing":            func(string, string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			tune, tune2 := newEar(t, w.b.addr.Addr()), newEar(t, w.b.addr.Addr())
			tune.talksTo(b.invite)
			w.mouthB.talksTo(b.invite)
			b.reliably(183, 1, tune.sdp(1))
			b.pracks(1, "")
			w.mouthA.talksTo(a.response(183, "INVITE"))
			b.reliably(183, 2, tune2.sdp(2)) // an offer
			require.NotEmpty(t, b.pracks(2, "").body)
			b.request("UPDATE", w.mouthB.sdp(3))
			require.NotEmpty(t, b.response(200, "UPDATE").body)
			w.mouthB.until(0x22, "A hears the new source", w.mouthA.hears(0x22, 3))
			b.says(200, answer(tune.sdp(1), w.mouthB.sdp(3)))
			b.acked()
			a.response(200, "INVITE")
			a.ack("")
			w.bothHear()
			require.Zero(t, tune.count(0x11), "nothing goes back to where it was")
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}
