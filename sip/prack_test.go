package sip

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
)

// reliably answers the INVITE with a response that is to be acknowledged.
func (d *side) reliably(status, rseq int, body string, headers ...string) {
	d.p.t.Helper()
	d.says(status, body, append(headers, "Require: 100rel", "RSeq: "+strconv.Itoa(rseq))...)
}

// pracks takes the PRACK of a reliable response and answers it.
func (d *side) pracks(rseq int, body string) msg {
	d.p.t.Helper()
	n, _ := d.invite.cseq()
	m := d.p.await(fmt.Sprintf("PRACK of %d", rseq), func(m msg) bool {
		return m.method() == "PRACK" && m.get("Call-ID") == d.callID && m.tag("To") == d.mine && m.get("RAck") == fmt.Sprintf("%d %d INVITE", rseq, n)
	})
	d.reply(m, 200, body)
	return m
}

// TestPracks of leg B (RFC 3262 section 4).
func TestPracks(t *testing.T) {
	isPrack := func(m msg) bool { return m.method() == "PRACK" }
	t.Run("in order, once each, in the dialog of each phone", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		require.Contains(t, b.invite.get("Supported"), "100rel")
		one, two := *b, *b
		one.mine, one.contact = "one", "<sip:one@"+w.b.addr.String()+">"
		two.mine, two.contact = "two", "<sip:two@"+w.b.addr.String()+">"
		one.reliably(183, 5, w.mouthB.sdp(1))
		first := one.pracks(5, "")
		require.True(t, strings.HasPrefix(first.start, "PRACK sip:one@"), first.start)
		require.Empty(t, first.body)
		w.mouthA.talksTo(a.response(183, "INVITE"))
		one.reliably(180, 7, "") // one is missing: as if it had not come
		two.reliably(180, 900, "")
		second := two.pracks(900, "")
		require.True(t, strings.HasPrefix(second.start, "PRACK sip:two@"), second.start)
		a.response(180, "INVITE")
		one.reliably(180, 5, "") // an old one
		w.b.never(100*time.Millisecond, "PRACK", isPrack)
		one.reliably(180, 6, w.mouthB.sdp(1)) // the same SDP is no offer
		third := one.pracks(6, "")
		require.Empty(t, third.body)
		n, _ := third.cseq()
		k, _ := first.cseq()
		require.Equal(t, k+1, n)
		one.says(200, "")
		one.acked()
		require.NotEmpty(t, a.response(200, "INVITE").body)
		a.ack("")
		w.bothHear()
		a.bye()
		bye := one.hungUp()
		n, _ = bye.cseq()
		require.Equal(t, k+2, n, "the numbers of the early dialog go on")
		w.ends(0, 0)
	})
	t.Run("an offer in a later one is answered in its PRACK", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		other := newEar(t, w.b.addr.Addr())
		other.talksTo(b.invite)
		b.reliably(183, 1, other.sdp(1))
		b.pracks(1, "")
		w.mouthA.talksTo(a.response(183, "INVITE"))
		other.until(0x33, "A hears the tune", w.mouthA.hears(0x33, 3))
		b.reliably(183, 2, w.mouthB.sdp(2))
		got := b.pracks(2, "")
		require.Equal(t, "application/sdp", got.get("Content-Type"))
		port, _ := got.media(t)
		was, _ := b.invite.media(t)
		require.Equal(t, was, port)
		w.mouthB.until(0x22, "A hears the next tune", w.mouthA.hears(0x22, 3))
		b.reliably(183, 3, "v=0\r\nm=audio\r\n") // nothing can be made of it, and it is acknowledged
		require.Empty(t, b.pracks(3, "").body)
		b.says(200, "")
		b.acked()
		a.response(200, "INVITE")
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
	})
	t.Run("a PRACK that is refused, and one that nobody answers", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.reliably(180, 1, "")
		b.reply(w.b.request("PRACK"), 481, "")
		b.reliably(180, 2, "")
		w.b.request("PRACK")
		b.says(486, "")
		a.fails(486)
		eventually(t, "nothing waits for its answer", func() bool { return w.open() == 0 })
		w.ends(8102, 8102)
	})
	t.Run("as the trunk wants it", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Early.Reliable = trunk.ReliableRequired })
		a, b := w.rings()
		require.Equal(t, "100rel", b.invite.get("Require"))
		b.says(420, "", "Unsupported: 100rel")
		m := w.a.await("a failure", func(m msg) bool { return m.status() >= 400 })
		a.nack(m)
	})
	t.Run("off", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Early.Reliable = trunk.ReliableOff })
		a, b := w.rings()
		require.NotContains(t, b.invite.raw, "100rel")
		b.says(486, "")
		a.fails(486)
	})
}

// TestEndedBranch (RFC 6228): 199 takes a phone out, and its audio.
func TestEndedBranch(t *testing.T) {
	w := open(t)
	a, b := w.rings()
	one, two := *b, *b
	one.mine, two.mine = "one", "two"
	tune := newEar(t, w.b.addr.Addr())
	tune.talksTo(b.invite)
	w.mouthB.talksTo(b.invite)
	one.says(183, w.mouthB.sdp(1))
	w.mouthA.talksTo(a.response(183, "INVITE"))
	one.says(180, "")
	a.response(180, "INVITE")
	two.says(183, tune.sdp(1))
	tune.until(0x33, "A hears the second", w.mouthA.hears(0x33, 3))
	two.says(199, "")
	two.request("OPTIONS", "")
	two.response(481, "OPTIONS")
	w.mouthB.until(0x22, "A hears the first again", w.mouthA.hears(0x22, 3))
	one.says(199, "")
	eventually(t, "our ring-back: nobody else is left", w.mouthA.tone(5))
	three := *b
	three.mine = "three"
	three.says(200, w.mouthB.sdp(1))
	three.acked()
	a.response(200, "INVITE")
	a.ack("")
	w.bothHear()
	a.bye()
	three.hungUp()
	w.ends(0, 0)
}
