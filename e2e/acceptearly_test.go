//go:build e2e

package e2e

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// earlyAcceptances are of what happens before the answer.
func earlyAcceptances() []acceptance {
	return []acceptance{
		{name: "183 with SDP and audio, 180, 200", play: acceptEarlyMedia},
		{name: "183 with SDP and no RTP: our ring-back until RTP comes", play: acceptRingback},
		{name: "two 183 of two tags, 200 of the second", play: acceptTwoTags},
		{name: "200 alone", play: acceptAtOnce},
		{name: "offerless INVITE", play: acceptOfferless},
		{name: "offerless INVITE, no answer in the ACK", play: acceptOfferlessUnanswered},
		{name: "INVITE that is sent again and again", play: acceptRepeated, on: "UDP"},
		{name: "merged INVITE", play: acceptMerged},
	}
}

// acceptEarlyMedia: A hears B's early media, with 180 after 183, and the talk
// goes on over the same ports.
func acceptEarlyMedia(l *ladder) {
	l.calls()
	l.b.Reply(183, l.b.SDP())
	l.a.Expect(183)
	early := l.a.Gate().Audio().Port
	l.b.Say(l.hzB)
	l.a.Hears(l.hzB)
	l.b.Reply(180, "")
	l.a.Expect(180, without("Content-Type"))
	l.a.Hears(l.hzB)
	l.answers()
	require.Equal(l, early, l.a.Gate().Audio().Port)
	l.heard()
	l.ends()
}

// acceptRingback: SDP without RTP means nothing to hear, so the caller hears
// our ring-back tone, and then the callee's side once that is heard.
func acceptRingback(l *ladder) {
	l.calls()
	l.b.Reply(183, l.b.SDP())
	l.a.Expect(183)
	l.a.Hears(450)
	l.b.Say(l.hzB)
	l.a.Hears(l.hzB)
	l.a.HearsNot(450, 100*time.Millisecond)
	l.answers()
	l.heard()
	l.ends()
}

// acceptTwoTags: a caller-tune server answers 183 with a tag and an address of
// its own, the phone answers 200 with others (RFC 3261 section 12.1.2).
func acceptTwoTags(l *ladder) {
	l.calls()
	tune := l.b.Fork()
	server := l.second("tune")
	tune.Reply(183, server.SDP())
	l.a.Expect(183)
	server.Aim(l.b.SendsTo())
	server.Say(l.hzB + 30)
	l.a.Hears(l.hzB + 30)
	l.b.Reply(183, l.b.SDP())
	l.b.Say(l.hzB)
	l.a.Hears(l.hzB)
	l.b.Reply(200, l.b.SDP())
	require.Same(l, l.b.Call, l.b.Expect(ua.ACK).Call)
	server.Hush()
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

func acceptAtOnce(l *ladder) {
	l.calls()
	l.answers()
	l.heard()
	l.ends()
}

// acceptOfferless: the callee gets an offer of ours, the caller gets ours with
// the 200 and answers it in the ACK.
func acceptOfferless(l *ladder) {
	l.a.Invite(l.x, "")
	m := l.b.Expect(ua.INVITE, l.shows)
	require.NotEmpty(l, m.Body)
	l.b.Reply(180, "")
	l.a.Expect(180)
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	require.NotNil(l, l.a.Gate(), "an offer in the 200")
	l.a.Ack(l.a.SDP())
	l.heard()
	l.ends()
}

// acceptOfferlessUnanswered: a caller who never says what it can hear is hung
// up, and so is the callee.
func acceptOfferlessUnanswered(l *ladder) {
	l.a.Invite(l.x, "")
	l.b.Expect(ua.INVITE)
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.a.Expect(ua.BYE)
	l.a.Reply(200, "")
	l.b.Expect(ua.BYE)
	l.b.Reply(200, "")
	l.billed(billing{state: 8020, fail: 7505, answered: true, reached: true})
}

// acceptRepeated: repetitions get the last response again, and make no second
// call (RFC 3261 section 17.2.1).
func acceptRepeated(l *ladder) {
	l.rings()
	for range 3 {
		l.a.Repeat()
	}
	l.b.Quiet(200 * time.Millisecond)
	l.answers()
	l.heard()
	l.b.Again()
	l.until("the repeated 200 is acknowledged", func() bool { return l.b.Acks() >= 2 })
	l.ends()
}

// acceptMerged: the same INVITE over another branch is refused (RFC 3261
// section 8.2.2.2).
func acceptMerged(l *ladder) {
	l.rings()
	again := strings.Replace(l.a.Sent(), "branch=z9hG4bK", "branch=z9hG4bKother", 1)
	l.a.Send(again)
	l.a.Expect(482)
	l.a.Send(strings.Replace(again, "branch=z9hG4bKother", "branch=z9hG4bK", 1)) // the first one goes on
	l.answers()
	l.heard()
	l.ends()
}
