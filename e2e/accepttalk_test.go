//go:build e2e

package e2e

import (
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// talkAcceptances are of what happens during the talk.
func talkAcceptances() []acceptance {
	list := []acceptance{
		{name: "re-INVITE at once after the answer", play: acceptAtOnceAgain},
		{name: "re-INVITE with nothing new", play: acceptSame},
		{name: "re-INVITE that cannot be had", play: acceptUnusable},
		{name: "re-INVITE moves the audio", play: acceptMoved},
		{name: "hold of B is told to A, and glare with A", play: acceptHoldRelayed, to: "holds"},
		{name: "CSeq that is too low, dialog that is not there", play: acceptWrongDialog},
	}
	for _, side := range []string{"A", "B"} {
		list = append(list,
			acceptance{name: "offerless re-INVITE of " + side, play: acceptOfferlessAgain(side)},
			acceptance{name: "hold and resume of " + side + ": sendonly", play: acceptHold(side, "a=sendonly", "recvonly")},
			acceptance{name: "hold and resume of " + side + ": inactive", play: acceptHold(side, "a=inactive", "inactive")},
			acceptance{name: "hold and resume of " + side + ": 0.0.0.0", play: acceptOldHold(side)},
		)
	}
	return list
}

// sides gives the one who acts and the other.
func (l *ladder) sides(side string) (who, other *ua.Agent, hzWho, hzOther int) {
	if side == "A" {
		return l.a, l.b, l.hzA, l.hzB
	}
	return l.b, l.a, l.hzB, l.hzA
}

// acceptAtOnceAgain: IMS sends a re-INVITE right behind its ACK, or before the
// ACK of the first one is everywhere (section 3).
func acceptAtOnceAgain(l *ladder) {
	l.rings()
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.b.Reinvite(l.b.SDP())
	l.a.Expect(200)
	l.a.Ack("")
	l.a.Reinvite(l.a.SDP())
	l.a.Expect(200)
	l.a.Ack("")
	l.b.Expect(200)
	l.b.Ack("")
	l.heard()
	l.ends()
}

// acceptSame: it is answered from our own state, with what was said before, and
// the other side is not disturbed.
func acceptSame(l *ladder) {
	l.talks()
	for _, who := range []*ua.Agent{l.a, l.b} {
		who.Reinvite(who.SDP())
		who.Expect(200) // of B's call the first answer of ours, where there was our offer
		who.Ack("")
		version := who.Gate().Version
		who.Reinvite(who.SDP())
		who.Expect(200)
		who.Ack("")
		require.Equal(l, version, who.Gate().Version)
	}
	l.heard()
	l.ends()
}

// acceptUnusable: the session stays as it was (RFC 3261 section 14.1).
func acceptUnusable(l *ladder) {
	l.talks()
	for _, who := range []*ua.Agent{l.a, l.b} {
		who.Reinvite(who.SDP("96 opus/48000/2"))
		who.Expect(488)
		who.SDP() // what is listed again
	}
	l.heard()
	l.ends()
}

// acceptMoved: audio and Contact are elsewhere from now on.
func acceptMoved(l *ladder) {
	l.talks()
	was := l.a.Media
	l.a.Media = l.second("A elsewhere")
	l.a.Media.Continue(was)
	l.a.Reinvite(l.a.SDP())
	l.a.Expect(200)
	l.a.Ack("")
	was.Hush()
	l.a.Say(l.hzA)
	l.a.Hears(l.hzB)
	l.b.Hears(l.hzA)
	l.ends()
}

func acceptWrongDialog(l *ladder) {
	l.talks()
	l.a.CSeq -= 2
	l.a.Request(ua.OPTIONS, "")
	l.a.Expect(500)
	l.a.CSeq += 2
	tag := l.a.RemoteTag
	l.a.RemoteTag = "no-such-tag"
	l.a.Request(ua.BYE, "")
	l.a.Expect(481)
	l.a.RemoteTag = tag
	l.b.Quiet(100 * time.Millisecond)
	l.ends()
}

// acceptOfferlessAgain: our audio as it is in the 200, with the version that it
// had (RFC 6337 section 5).
func acceptOfferlessAgain(side string) func(*ladder) {
	return func(l *ladder) {
		l.talks()
		who, _, _, _ := l.sides(side)
		who.Reinvite("")
		who.Expect(200)
		require.Equal(l, "sendrecv", who.Gate().Audio().Direction)
		who.Ack(who.SDP())
		l.heard()
		l.ends()
	}
}

// acceptHold: the answer is the mirror of the offer (RFC 3264 section 6.1), who
// holds is not disturbed by audio, and after the end all is as it was.
func acceptHold(side, offer, answer string) func(*ladder) {
	return func(l *ladder) {
		l.talks()
		who, _, _, hzOther := l.sides(side)
		for range 2 {
			who.Reinvite(who.SDP(offer))
			who.Expect(200)
			require.Equal(l, answer, who.Gate().Audio().Direction)
			who.Ack("")
			who.Stops(hzOther)
			who.Reinvite(who.SDP())
			who.Expect(200)
			require.Equal(l, "sendrecv", who.Gate().Audio().Direction)
			who.Ack("")
			l.heard()
		}
		l.ends()
	}
}

// acceptOldHold: c=0.0.0.0 is hold too (RFC 3264 section 8.4).
func acceptOldHold(side string) func(*ladder) {
	return func(l *ladder) {
		l.talks()
		who, _, _, hzOther := l.sides(side)
		who.Reinvite(who.At("0.0.0.0"))
		who.Expect(200)
		who.Ack("")
		who.Stops(hzOther)
		who.Reinvite(who.SDP())
		who.Expect(200)
		who.Ack("")
		l.heard()
		l.ends()
	}
}

// acceptHoldRelayed: B's trunk has its holds told to the other side by a re-INVITE
// of ours; one of A's that crosses it gets 491, and ours comes again (RFC 3261
// section 14.1: the owner of the Call-ID, A, waits longer than we do).
func acceptHoldRelayed(l *ladder) {
	l.talks()
	l.b.Reinvite(l.b.SDP("a=sendonly"))
	l.b.Expect(200)
	l.b.Ack("")
	m := l.a.Expect(ua.INVITE)
	require.Equal(l, "sendonly", l.a.Gate().Audio().Direction)
	l.a.Reinvite(l.a.SDP())
	l.a.Expect(491)
	l.a.Answer(m, 491, "")
	l.a.Expect(ua.ACK)
	m = l.a.Expect(ua.INVITE)
	l.a.Answer(m, 200, l.a.SDP("a=recvonly"))
	l.a.Expect(ua.ACK)
	l.a.Hears(l.hzB)
	l.b.Reinvite(l.b.SDP())
	l.b.Expect(200)
	l.b.Ack("")
	m = l.a.Expect(ua.INVITE)
	require.Equal(l, "sendrecv", l.a.Gate().Audio().Direction)
	l.a.Answer(m, 200, l.a.SDP())
	l.a.Expect(ua.ACK)
	l.heard()
	l.ends()
}
