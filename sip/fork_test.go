package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
