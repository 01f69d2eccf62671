//go:build e2e

package e2e

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// digitAcceptances are of keys, in the ways that they are sent.
func digitAcceptances() []acceptance {
	var list []acceptance
	for _, pt := range []int{96, 97, 100, 101} {
		list = append(list, acceptance{name: fmt.Sprintf("telephone-event %d on the one side, %d on the other", pt, 101+pt%3), play: acceptEvents(pt, 101+pt%3)})
	}
	return append(list,
		acceptance{name: "telephone-event of two clocks", play: acceptClocks},
		acceptance{name: "an extension by events", play: acceptExtension(func(l *ladder) { l.a.Press(fieldExt) }), mode: "AXE"},
		acceptance{name: "an extension during the prompt", play: acceptTypeAhead, mode: "AXE"},
		acceptance{name: "an extension by INFO", play: acceptExtension(acceptInfo), mode: "AXE", from: "info"},
		acceptance{name: "an extension in the audio", play: acceptExtension(func(l *ladder) { l.a.PressTones(fieldExt) }), mode: "AXE", from: "tones"},
		acceptance{name: "a wrong extension", play: acceptWrongExtension, mode: "AXE"},
		acceptance{name: "INFO of other kinds", play: acceptOtherInfo},
	)
}

// acceptEvents: each direction has the number that its receiver listed.
func acceptEvents(ptA, ptB int) func(*ladder) {
	return func(l *ladder) {
		l.a.Invite(l.x, l.a.SDP(ua.PCMA, ua.Events(ptA, 8000)))
		l.b.Expect(ua.INVITE)
		l.b.Reply(200, l.b.SDP(ua.PCMA, ua.Events(ptB, 8000)))
		l.b.Expect(ua.ACK)
		l.a.Expect(200)
		l.a.Ack("")
		l.heard()
		l.a.Press("159#")
		l.b.Pressed("159#")
		l.b.Press("*08")
		l.a.Pressed("*08")
		l.ends()
	}
}

// acceptClocks: of two entries the one with the clock of the audio counts (RFC
// 4733 section 2.4.1).
func acceptClocks(l *ladder) {
	l.a.Invite(l.x, l.a.SDP("9 G722/8000", ua.PCMA, ua.Events(100, 16000), ua.Events(97, 8000)))
	l.b.Expect(ua.INVITE)
	l.b.Reply(200, l.b.SDP(ua.PCMA, ua.Events(101, 8000)))
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	require.Equal(l, 97, l.a.Gate().Audio().Format("telephone-event/8000"))
	require.Equal(l, -1, l.a.Gate().Audio().Format("telephone-event/16000"))
	l.a.Ack("")
	l.heard()
	l.a.Press("42")
	l.b.Pressed("42")
	l.b.Press("7")
	l.a.Pressed("7")
	l.ends()
}

// asked calls X up to the answer with which it asks for an extension.
func (l *ladder) asked() {
	l.Helper()
	l.a.Invite(l.x, l.a.SDP())
	l.a.Expect(200)
	l.a.Ack("")
}

// reaches takes the call that an extension made.
func (l *ladder) reaches() {
	l.Helper()
	l.b.Expect(ua.INVITE, l.shows)
	l.b.Reply(180, "")
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.heard()
	l.hangsUp(l.a, l.b)
	c := l.billed(byCaller)
	require.Equal(l, fieldExt, c.Fee["extendNum"])
	require.Equal(l, fieldExt, c.Event("collectInfo")["digitInfo"])
}

// acceptExtension types an extension when the prompt asks for it.
func acceptExtension(types func(*ladder)) func(*ladder) {
	return func(l *ladder) {
		l.asked()
		l.a.Say(l.hzA)
		l.until("the prompt is heard", func() bool { return len(l.a.Packets()) > 20 })
		l.a.Hush()
		types(l)
		l.reaches()
	}
}

// acceptTypeAhead: whoever knows the extension does not listen to the prompt.
func acceptTypeAhead(l *ladder) {
	l.asked()
	l.a.Press(fieldExt)
	l.reaches()
}

// acceptInfo types by SIP INFO, in every spelling of a key.
func acceptInfo(l *ladder) {
	l.Helper()
	for i, body := range []string{"Signal=2\r\nDuration=160\r\n", "Signal= 5\r\nDuration= 120\r\n", "signal=8\r\n", "0"} {
		kind := "application/dtmf-relay"
		if i == 3 {
			kind = "application/dtmf"
		}
		l.a.Request(ua.INFO, body, "Content-Type: "+kind)
		l.a.Expect(200)
	}
}

func acceptWrongExtension(l *ladder) {
	l.asked()
	l.a.Press("9999")
	l.a.Expect(ua.BYE, reason(1))
	l.a.Reply(200, "")
	c := l.story(1)
	require.EqualValues(l, 8022, c.Fee["ulFailReason"])
}

// acceptOtherInfo: bodies that are no keys are refused, and nothing of them
// reaches the other side (RFC 6086 section 4).
func acceptOtherInfo(l *ladder) {
	l.talks()
	l.a.Request(ua.INFO, "<media_control/>", "Content-Type: application/media_control+xml")
	l.a.Expect(415)
	l.a.Request(ua.INFO, "x", "Content-Type: text/plain", "Info-Package: carrier")
	l.a.Expect(469)
	l.a.Request(ua.INFO, "")
	l.a.Expect(200)
	l.b.Quiet(0)
	l.ends()
}
