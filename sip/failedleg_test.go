package sip

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
)

// twoWays has calls go out to b first and then to the peer that it returns.
func twoWays(t *testing.T, second **peer, changes ...func(*settings)) func(*settings) {
	return func(s *settings) {
		*second = newPeer(t, "second", "127.0.0.4")
		first := s.trunkB
		first.Name = "first"
		for _, c := range changes {
			c(s)
		}
		first.Timer, first.Early = s.trunkB.Timer, s.trunkB.Early
		s.more = append(s.more, first)
		s.trunkB.Address, s.trunkB.Peers = (*second).addr, nil
		s.trunkB.Timer = trunk.Timer{Off: true}
	}
}

// nothingToSay is an answer with a codec that there is not.
const nothingToSay = "v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=audio 4000 RTP/AVP 97\r\na=rtpmap:97 nothing/8000\r\n"

// TestFailedLegIsOver: a leg that was answered and hung up for another does not
// end the talk of that one when its session runs out.
func TestFailedLegIsOver(t *testing.T) {
	var second *peer
	w := open(t, twoWays(t, &second, func(s *settings) {
		s.cfg.second = 20 * time.Millisecond
		s.trunkA.Timer.Off = true
	}))
	second.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	one := w.b.ring()
	one.says(200, nothingToSay, "Session-Expires: 30;refresher=uas", "Require: timer")
	one.acked()
	one.hungUp()
	two := second.ring()
	w.mouthB.talksTo(two.invite)
	two.says(200, w.mouthB.sdp(1))
	two.acked()
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	second.never(600*time.Millisecond, "BYE", func(m msg) bool { return m.method() == "BYE" })
	w.bothHear()
	a.bye()
	two.hungUp()
	w.ends(0, 0)
}

// TestDigitsOfAFailedLeg: a leg that was hung up for another presses no keys in
// the talk of that one.
func TestDigitsOfAFailedLeg(t *testing.T) {
	var second *peer
	w := open(t, twoWays(t, &second))
	second.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	one := w.b.ring()
	one.says(200, nothingToSay)
	one.acked()
	one.hungUp()
	two := second.ring()
	w.mouthB.talksTo(two.invite)
	two.says(200, w.mouthB.sdp(1))
	two.acked()
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.bothHear()
	for _, method := range []string{"INFO", "OPTIONS"} {
		one.request(method, "Signal=4\r\nDuration=100\r\n", "Content-Type: application/dtmf-relay")
		one.response(481, method)
	}
	two.info("5")
	eventually(t, "the key of the phone that talks", func() bool { return len(w.mouthA.pressed()) > 0 })
	require.Equal(t, []byte{5}, w.mouthA.pressed())
	a.bye()
	two.hungUp()
	w.ends(0, 0)
}

// TestFailedServerFallsSilent: of a server that failed after its early media the
// caller hears no more, but the ring-back of the phone behind the next.
func TestFailedServerFallsSilent(t *testing.T) {
	var second *peer
	w := open(t, twoWays(t, &second))
	second.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	one := w.b.ring()
	w.mouthB.talksTo(one.invite)
	one.says(182, w.mouthB.sdp(1))
	w.mouthA.talksTo(a.response(183, "INVITE"))
	w.mouthB.until(0x22, "A hears the first server", w.mouthA.hears(0x22, 3))
	one.says(503, "")
	two := second.ring()
	two.says(180, "")
	a.response(180, "INVITE")
	w.mouthB.until(0x22, "ring-back", w.mouthA.tone(5))
	heard := w.mouthA.count(0x22)
	w.mouthB.until(0x22, "more ring-back", w.mouthA.tone(15))
	require.LessOrEqual(t, w.mouthA.count(0x22), heard, "the first server is not heard any more")
	two.says(486, "")
	a.fails(486)
}

// TestStrayAnswers: a 2xx whose tag says little does not hang up the talk.
func TestStrayAnswers(t *testing.T) {
	t.Parallel()
	t.Run("none in the answer, one in another phone's", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		w.b.send(strings.Replace(b.answer(b.invite, 200, w.mouthB.sdp(1)), ";tag="+b.mine, "", 1))
		b.acked()
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.ack("")
		late := *b
		late.mine = "late"
		late.contact = "<sip:late@" + w.b.addr.String() + ">"
		late.says(200, w.mouthB.sdp(1))
		bye := w.b.await("BYE to the second", func(m msg) bool { return m.method() == "BYE" && m.tag("To") == "late" })
		late.reply(bye, 200, "")
		a.bye()
		require.Empty(t, b.hungUp().tag("To"), "the talk goes on under no tag")
		w.ends(0, 0)
	})
	t.Run("one in the answer, none in its repetition", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		w.b.send(strings.Replace(b.answer(b.invite, 200, w.mouthB.sdp(1)), ";tag="+b.mine, "", 1))
		w.b.never(100*time.Millisecond, "BYE", func(m msg) bool { return m.method() == "BYE" })
		w.bothHear()
		a.bye()
		require.Equal(t, b.mine, b.hungUp().tag("To"))
		w.ends(0, 0)
	})
}

// TestPracksAreBounded: who sends reliable responses and answers no PRACK cannot
// have us keep more and more of them.
func TestPracksAreBounded(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	for i := range 4 * maxPracks {
		b.says(180, "", "Require: 100rel", "RSeq: "+strconv.Itoa(1+i))
		if i < maxPracks {
			b.p.request("PRACK")
		}
	}
	b.p.never(100*time.Millisecond, "one more PRACK", func(m msg) bool { return m.method() == "PRACK" })
	b.says(486, "")
	a.fails(486)
}
