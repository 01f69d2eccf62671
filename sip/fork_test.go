package sip

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestForks: one early dialog per tag, the first 200 wins, later ones are
// acknowledged and hung up.
func TestForks(t *testing.T) {
	t.Parallel()
	t.Run("early media of two tags, answer of a third", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
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
		w.hangsUp(a, b)
	})
}

// TestBranches: the dialogs that one INVITE makes are told apart by their tags.
func TestBranches(t *testing.T) {
	t.Parallel()
	t.Run("a request in an early dialog", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		one, two := *b, *b
		one.mine, two.mine = "one", "two"
		one.says(183, w.mouthB.sdp(1))
		a.response(183, "INVITE")
		two.says(180, "")
		a.response(180, "INVITE")
		for _, d := range []*side{&one, &two} { // each has its own sequence numbers
			d.cseq = map[string]int{"one": 900, "two": 20}[d.mine]
			d.request("OPTIONS", "")
			d.response(200, "OPTIONS")
			w.b.send(d.text("OPTIONS", d.cseq-1, unique("z9hG4bK"), ""))
			w.b.await("500 of its own", func(m msg) bool { n, _ := m.cseq(); return n == d.cseq-1 && m.status() == 500 })
			d.request("BYE", "")
			d.response(481, "BYE")
		}
		nobody := *b
		nobody.mine, nobody.cseq = "nobody", 5000
		nobody.request("OPTIONS", "")
		nobody.response(481, "OPTIONS")
		two.says(200, w.mouthB.sdp(1))
		require.Equal(t, "two", two.acked().tag("To"))
		a.response(200, "INVITE")
		a.ack("")
		one.request("OPTIONS", "")
		one.response(481, "OPTIONS")
		two.bye()
		a.hungUp()
	})
	t.Run("more phones than anybody has", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		for i := range 3 * maxBranches {
			b.mine = "phone" + strconv.Itoa(i)
			b.says(180, "")
		}
		b.mine = "last"
		b.says(200, w.mouthB.sdp(1))
		require.Equal(t, "last", b.acked().tag("To"), "who answers is heard")
		a.response(200, "INVITE")
		a.ack("")
		a.bye()
		b.hungUp()
	})
	t.Run("responses without a tag", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		nameless := func(status int, body string) {
			w.b.send(strings.Replace(b.answer(b.invite, status, body), ";tag="+b.mine, "", 1))
		}
		nameless(180, "")
		a.response(180, "INVITE")
		nameless(183, w.mouthB.sdp(1))
		a.response(183, "INVITE")
		b.says(200, "") // it goes on under the tag, with the SDP of before
		require.Equal(t, b.mine, b.acked().tag("To"))
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
	})
	t.Run("and an answer without a tag", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		w.b.send(strings.Replace(b.answer(b.invite, 200, w.mouthB.sdp(1)), ";tag="+b.mine, "", 1))
		require.Empty(t, b.acked().tag("To"))
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
	})
	t.Run("an answer without the tag that rang", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(180, "")
		a.response(180, "INVITE")
		w.b.send(strings.Replace(b.answer(b.invite, 200, w.mouthB.sdp(1)), ";tag="+b.mine, "", 1))
		require.Equal(t, b.mine, b.acked().tag("To"))
		a.response(200, "INVITE")
		a.ack("")
		a.bye()
		require.Equal(t, b.mine, b.hungUp().tag("To"))
	})
	t.Run("one tag rings with SDP, another answers without", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.mine = "tune"
		b.says(183, w.mouthB.sdp(1))
		w.mouthA.talksTo(a.response(183, "INVITE"))
		b.mine = "phone"
		b.says(200, "")
		require.Equal(t, "phone", b.acked().tag("To"))
		a.response(200, "INVITE")
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
	})
	t.Run("the answer goes back to the first tune's SDP", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.mine = "phone"
		b.says(183, w.mouthB.sdp(1))
		w.mouthA.talksTo(a.response(183, "INVITE"))
		other := newEar(t, w.b.addr.Addr())
		other.talksTo(b.invite)
		b.mine = "tune"
		b.says(183, other.sdp(1))
		other.until(0x44, "A hears the tune", w.mouthA.hears(0x44, 3))
		b.mine = "phone"
		b.says(200, "")
		b.acked()
		a.response(200, "INVITE")
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
	})
}
