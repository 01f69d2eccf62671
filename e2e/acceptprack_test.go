//go:build e2e

package e2e

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// prackAcceptances are of reliable provisional responses (RFC 3262) and early
// dialogs; that A sends no PRACK is among the slow ones.
func prackAcceptances() []acceptance {
	return []acceptance{
		{name: "PRACK on both legs, SDP in 183", play: acceptPrack},
		{name: "PRACK on A's leg alone", play: acceptPrackA},
		{name: "PRACK on B's leg alone, RSeq that is there twice or too high", play: acceptPrackB},
		{name: "B's trunk wants PRACK", play: acceptPrackRequired, to: "pracks"},
		{name: "200 waits for the PRACK of our SDP", play: acceptPrackHolds},
		{name: "offer in PRACK, UPDATE with SDP before the answer", play: acceptPrackOffer},
		{name: "offerless INVITE, answer in PRACK", play: acceptPrackOfferless},
		{name: "two early dialogs, PRACK in each", play: acceptPrackForks},
		{name: "199 ends an early dialog", play: acceptGone199},
	}
}

const supports100rel = "Supported: 100rel"

// reliably sends a provisional response of b that wants a PRACK, and takes that.
func reliably(who *ua.Agent, c *ua.Call, status int, body string, rseq int) {
	c.Answer(who.First(), status, body, "Require: 100rel", fmt.Sprintf("RSeq: %d", rseq))
	m := who.Expect(ua.PRACK)
	m.Call.Answer(m, 200, "")
}

// pracks takes a reliable provisional response of ours and acknowledges it.
func (l *ladder) pracks(status int) *ua.Msg {
	l.Helper()
	m := l.a.Expect(ua.Kind(status))
	require.NotEmpty(l, m.Get("RSeq"), "%d is not reliable", status)
	l.a.Prack(m, "")
	l.a.Expect(200)
	return m
}

// acceptPrack: each leg has its own RSeq and PRACK, 183 and 180, and the 200 changes
// nothing of what was agreed.
func acceptPrack(l *ladder) {
	l.calls("Supported: 100rel, timer")
	require.True(l, l.b.First().Has("Supported", "100rel"))
	reliably(l.b, l.b.Call, 183, l.b.SDP(), 7001)
	m := l.pracks(183)
	require.NotEqual(l, "7001", m.Get("RSeq"))
	require.NotEmpty(l, m.Body)
	l.b.Say(l.hzB)
	l.a.Hears(l.hzB)
	reliably(l.b, l.b.Call, 180, "", 7002)
	require.Empty(l, l.pracks(180).Body)
	l.b.Reply(200, "")
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

func acceptPrackA(l *ladder) {
	l.calls("Require: 100rel")
	l.b.Reply(180, "")
	l.pracks(180)
	l.b.Reply(183, l.b.SDP())
	l.pracks(183)
	l.answers()
	l.heard()
	l.ends()
}

func acceptPrackB(l *ladder) {
	l.calls()
	reliably(l.b, l.b.Call, 180, "", 10)
	l.a.Expect(180, without("RSeq"))
	l.b.Answer(l.b.First(), 180, "", "Require: 100rel", "RSeq: 10") // a repetition: its PRACK is known
	l.b.Answer(l.b.First(), 183, l.b.SDP(), "Require: 100rel", "RSeq: 12")
	l.b.Quiet(300 * time.Millisecond)
	reliably(l.b, l.b.Call, 183, l.b.SDP(), 11)
	l.a.Expect(183, without("RSeq"))
	l.b.Reply(200, "")
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

func acceptPrackRequired(l *ladder) {
	l.calls()
	require.True(l, l.b.First().Has("Require", "100rel"))
	reliably(l.b, l.b.Call, 180, "", 1)
	l.a.Expect(180)
	l.answers()
	l.heard()
	l.ends()
}

// acceptPrackHolds: our answer came in a 183 that may be lost, so the 200 comes
// behind its PRACK (RFC 3262 section 3).
func acceptPrackHolds(l *ladder) {
	l.calls(supports100rel)
	l.b.Reply(183, l.b.SDP())
	m := l.a.Expect(183)
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Quiet(200 * time.Millisecond)
	l.a.Prack(m, "")
	l.a.Any(200, 200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

// acceptPrackOffer: once an answer is acknowledged, PRACK and UPDATE may bring the
// next offer (RFC 3262 section 5, RFC 3311 section 5).
func acceptPrackOffer(l *ladder) {
	l.calls(supports100rel)
	l.b.Reply(183, l.b.SDP())
	m := l.a.Expect(183)
	l.a.Prack(m, l.a.SDP(ua.PCMU, ua.Keys))
	require.NotEmpty(l, l.a.Expect(200).Body)
	require.Equal(l, 0, l.a.Gate().Audio().Formats[0])
	l.b.Say(l.hzB)
	l.a.Hears(l.hzB)
	l.a.Request(ua.UPDATE, l.a.SDP(ua.PCMA, ua.Keys))
	require.NotEmpty(l, l.a.Expect(200).Body)
	require.Equal(l, 8, l.a.Gate().Audio().Formats[0])
	l.a.Hears(l.hzB)
	l.answers()
	l.heard()
	l.ends()
}

func acceptPrackOfferless(l *ladder) {
	l.a.Invite(l.x, "", supports100rel)
	l.b.Expect(ua.INVITE, l.shows)
	l.b.Reply(183, l.b.SDP())
	m := l.a.Expect(183)
	require.NotNil(l, l.a.Gate(), "an offer in the 183")
	l.a.Prack(m, l.a.SDP())
	l.a.Expect(200)
	l.b.Say(l.hzB)
	l.a.Hears(l.hzB)
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

// acceptPrackForks: each early dialog has its RSeq, its target and its CSeq; the
// other phone's answer wins.
func acceptPrackForks(l *ladder) {
	l.calls()
	tune, phone := l.b.Fork(), l.b.Call
	server := l.second("tune")
	reliably(l.b, tune, 183, server.SDP(), 500)
	l.a.Expect(183)
	reliably(l.b, phone, 183, l.b.SDP(), 500)
	reliably(l.b, phone, 180, "", 501)
	l.a.Expect(180)
	reliably(l.b, tune, 182, "", 501)
	l.a.Ignore(182)
	l.b.Answer(l.b.First(), 200, l.b.SDP())
	require.Same(l, phone, l.b.Expect(ua.ACK).Call)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

// acceptGone199: what a phone has said is void once it is out (RFC 6228).
func acceptGone199(l *ladder) {
	l.calls()
	tune, phone := l.b.Fork(), l.b.Call
	server := l.second("tune")
	tune.Answer(l.b.First(), 183, server.SDP())
	l.a.Expect(183)
	server.Aim(l.b.SendsTo())
	server.Say(l.hzB + 30)
	l.a.Hears(l.hzB + 30)
	tune.Answer(l.b.First(), 199, "", "Reason: SIP;cause=480")
	phone.Answer(l.b.First(), 180, "")
	l.a.Expect(180)
	l.a.Hears(450)
	l.b.Reply(200, l.b.SDP())
	require.Same(l, phone, l.b.Expect(ua.ACK).Call)
	server.Hush()
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

// acceptNoPrack: a caller that never acknowledges gets a failure after 64*T1, and
// the callee's phone stops ringing.
func acceptNoPrack(l *ladder) {
	l.calls(supports100rel)
	l.b.Reply(183, l.b.SDP())
	m := l.a.Expect(183)
	l.a.Patience(50 * time.Second)
	l.b.Patience(50 * time.Second)
	l.b.Expect(ua.CANCEL)
	l.b.Reply(200, "")
	l.b.Reply(487, "")
	l.b.Expect(ua.ACK)
	status := l.a.Final()
	require.GreaterOrEqual(l, int(status.Kind), 480)
	require.GreaterOrEqual(l, l.a.Times(m), 4, "how often 183 came")
	l.story(1)
}
