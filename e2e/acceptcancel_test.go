//go:build e2e

package e2e

import (
	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// cancelAcceptances are calls that end before or while they are answered.
func cancelAcceptances() []acceptance {
	return []acceptance{
		{name: "caller abandons before 18x", play: acceptAbandonEarly},
		{name: "caller abandons after 180", play: acceptAbandon},
		{name: "CANCEL, then 200 of the callee", play: acceptCancelThenOK},
		{name: "200 of the callee, then CANCEL", play: acceptOKThenCancel},
		{name: "late 2xx of another fork", play: acceptLateFork},
		{name: "BYE x BYE", play: acceptByeByBye},
		{name: "CANCEL of nothing", play: acceptCancelNothing},
	}
}

// acceptAbandonEarly: CANCEL goes to the callee only once it has said anything
// (RFC 3261 section 9.1).
func acceptAbandonEarly(l *ladder) {
	l.calls()
	l.a.Cancel()
	l.a.Any(200, 487)
	l.b.Reply(100, "")
	l.b.Expect(ua.CANCEL)
	l.b.Reply(200, "")
	l.b.Reply(487, "")
	l.b.Expect(ua.ACK)
	l.billed(gaveUpEarly)
}

func acceptAbandon(l *ladder) {
	l.rings()
	l.a.Cancel()
	l.a.Any(200, 487)
	l.b.Expect(ua.CANCEL)
	l.b.Reply(200, "")
	l.b.Reply(487, "")
	l.b.Expect(ua.ACK)
	l.billed(gaveUp)
}

// acceptCancelThenOK: the callee answers before CANCEL reaches it: it gets ACK
// and BYE, and is not left on an open line (RFC 3261 section 15).
func acceptCancelThenOK(l *ladder) {
	l.rings()
	l.a.Cancel()
	l.a.Any(200, 487)
	cancel := l.b.Expect(ua.CANCEL)
	l.b.Answer(l.b.First(), 200, l.b.SDP())
	l.b.Answer(cancel, 481, "")
	l.b.Any(ua.ACK, ua.BYE)
	l.b.Reply(200, "")
	l.billed(gaveUp)
}

// acceptOKThenCancel: a CANCEL that comes after our 200 has no effect: the call
// stands until somebody hangs up (RFC 3261 section 9.2).
func acceptOKThenCancel(l *ladder) {
	l.rings()
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Cancel()
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

// acceptLateFork: the first 200 wins, a later one of another phone gets ACK and
// BYE.
func acceptLateFork(l *ladder) {
	l.calls()
	other := l.b.Fork()
	other.Reply(180, "")
	l.a.Expect(180)
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	other.Answer(l.b.First(), 200, l.b.SDP())
	for _, m := range l.b.Any(ua.ACK, ua.BYE) {
		if m.Call != other {
			l.Fatalf("of the wrong phone:\n%s", m.Raw)
		}
	}
	other.Reply(200, "")
	l.heard()
	l.ends()
}

// acceptByeByBye: both hang up at once; each BYE is answered.
func acceptByeByBye(l *ladder) {
	l.talks()
	l.a.Bye()
	l.b.Bye()
	l.a.Gone()
	l.b.Gone()
	c := l.story(1)
	require.Contains(l, []any{1.0, 2.0}, c.Fee["callRelDirection"])
}

func acceptCancelNothing(l *ladder) {
	l.talks()
	l.a.Request(ua.CANCEL, "")
	l.a.Expect(481)
	l.ends()
}
