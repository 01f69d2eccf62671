//go:build e2e

package e2e

import (
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// slowAcceptances take as long as the timers that they wait for.
func slowAcceptances() []acceptance {
	list := []acceptance{
		{name: "registration with a stale nonce, and a call by its way", play: acceptRegistration, to: enrols},
		{name: "we refresh A by UPDATE", play: acceptWeRefreshA(ua.UPDATE)},
		{name: "we refresh A by re-INVITE", play: acceptWeRefreshA(ua.INVITE)},
		{name: "no ACK", play: acceptNoAck},
		{name: "we refresh B by UPDATE", play: acceptWeRefreshB(ua.UPDATE)},
		{name: "we refresh B by re-INVITE", play: acceptWeRefreshB(ua.INVITE)},
		{name: "B does not refresh", play: acceptNotRefreshed},
		{name: "glare: our re-INVITE and B's", play: acceptGlare},
		{name: "no answer", play: acceptNoAnswer},
		{name: "no PRACK", play: acceptNoPrack},
		{name: "peer dies: no audio, no answer to BYE", play: acceptDead},
	}
	for i := range list {
		list[i].slow = true
	}
	return list
}

// acceptNoAck: 2xx is repeated for 64*T1, then both are hung up (RFC 3261
// section 13.3.1.4).
func acceptNoAck(l *ladder) {
	l.rings()
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	ok := l.a.Expect(200)
	l.a.Say(l.hzA)
	l.b.Say(l.hzB)
	start := time.Now()
	l.a.Patience(45 * time.Second)
	l.b.Patience(45 * time.Second)
	l.a.Expect(ua.BYE)
	l.a.Reply(200, "")
	l.b.Expect(ua.BYE)
	l.b.Reply(200, "")
	require.Greater(l, time.Since(start), 25*time.Second)
	require.GreaterOrEqual(l, l.a.Times(ok), 8, "how often 200 came")
	l.billed(billing{state: 8020, fail: 7505, answered: true, reached: true})
}

// acceptNoAnswer: our time is over, the callee's phone stops ringing.
func acceptNoAnswer(l *ladder) {
	l.rings()
	l.b.Expect(ua.CANCEL)
	l.b.Reply(200, "")
	l.b.Reply(487, "")
	l.b.Expect(ua.ACK)
	l.a.Expect(480, reason(19))
	l.billed(billing{state: 8035, fail: 8035, reached: true})
}

// acceptDead: the callee is gone without a word: its audio is missed, both are
// hung up, and the call is billed although nobody answers BYE.
func acceptDead(l *ladder) {
	l.talks()
	l.b.Hush()
	l.a.Expect(ua.BYE)
	l.a.Reply(200, "")
	l.b.Expect(ua.BYE)
	l.billed(billing{state: 8020, fail: 7506, answered: true, reached: true})
}
