//go:build e2e

package e2e

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// refreshAcceptances are of session timers (RFC 4028) and UPDATE (RFC 3311);
// those that wait for a refresh of ours are among the slow ones.
func refreshAcceptances() []acceptance {
	return []acceptance{
		{name: "A refreshes by UPDATE", play: acceptARefreshes(ua.UPDATE)},
		{name: "A refreshes by re-INVITE", play: acceptARefreshes(ua.INVITE)},
		{name: "B refreshes by UPDATE", play: acceptBRefreshes(ua.UPDATE)},
		{name: "B refreshes by re-INVITE", play: acceptBRefreshes(ua.INVITE)},
		{name: "session that is too short for us", play: acceptTooShort},
		{name: "session that is too short for B", play: acceptTooShortForB},
		{name: "peers without session timers", play: acceptUntimed},
		{name: "UPDATE before the answer", play: acceptEarlyUpdate},
		{name: "UPDATE holds and resumes", play: acceptUpdateHold},
	}
}

// Allow headers of peers with and without UPDATE.
const (
	allowUpdate   = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE"
	allowNoUpdate = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS"
)

func allowed(method ua.Kind) string {
	if method == ua.UPDATE {
		return allowUpdate
	}
	return allowNoUpdate
}

// refreshes sends a refresh and checks that the 2xx agrees to it.
func refreshes(who *ua.Agent, method ua.Kind, expires string, headers ...string) {
	body := ""
	if method == ua.INVITE {
		body = who.SDP()
	}
	who.Request(method, body, append(headers, "Session-Expires: "+expires, "Supported: timer")...)
	who.Expect(200, with("Session-Expires", expires))
	if method == ua.INVITE {
		who.Ack("")
	}
}

// acceptARefreshes: the caller refreshes as it says, and B knows nothing of it.
func acceptARefreshes(method ua.Kind) func(*ladder) {
	return func(l *ladder) {
		l.a.Invite(l.x, l.a.SDP(), "Supported: timer", "Session-Expires: 120;refresher=uac", "Min-SE: 90")
		l.b.Expect(ua.INVITE, l.shows)
		l.b.Reply(200, l.b.SDP())
		l.b.Expect(ua.ACK)
		l.a.Expect(200, with("Session-Expires", "120;refresher=uac"))
		l.a.Ack("")
		for range 2 {
			refreshes(l.a, method, "120;refresher=uac")
			l.heard()
		}
		l.b.Quiet(0)
		l.ends()
	}
}

// acceptBRefreshes: the callee says that it refreshes, and does.
func acceptBRefreshes(method ua.Kind) func(*ladder) {
	return func(l *ladder) {
		l.calls()
		require.True(l, l.b.First().Has("Supported", "timer"))
		require.Equal(l, "1800", l.b.First().Get("Session-Expires"))
		require.Equal(l, "90", l.b.First().Get("Min-SE"))
		l.b.Reply(200, l.b.SDP(), "Session-Expires: 1800;refresher=uas", "Supported: timer")
		l.b.Expect(ua.ACK)
		l.a.Expect(200)
		l.a.Ack("")
		for range 2 {
			refreshes(l.b, method, "1800;refresher=uac")
			l.heard()
		}
		l.a.Quiet(0)
		l.ends()
	}
}

// acceptWeRefreshA: half of the time that A asked for is over, and we refresh
// with the method that A allows and nothing new in the SDP.
func acceptWeRefreshA(method ua.Kind) func(*ladder) {
	return func(l *ladder) {
		l.a.Patience(80 * time.Second)
		l.a.Invite(l.x, l.a.SDP(), "Supported: timer", "Session-Expires: 90;refresher=uas", allowed(method))
		l.b.Expect(ua.INVITE, l.shows)
		l.b.Reply(200, l.b.SDP())
		l.b.Expect(ua.ACK)
		l.a.Expect(200, with("Session-Expires", "90;refresher=uas"))
		l.a.Ack("")
		l.heard()
		l.refreshed(l.a, method, "90;refresher=uac")
		l.b.Quiet(0)
		l.heard()
		l.ends()
	}
}

// refreshed takes a refresh of ours.
func (l *ladder) refreshed(who *ua.Agent, method ua.Kind, expires string) {
	l.Helper()
	m := who.Expect(method, with("Session-Expires", expires))
	require.True(l, m.Has("Supported", "timer"))
	headers := []string{"Session-Expires: " + expires, "Require: timer", "Supported: timer", allowed(method)}
	if method == ua.UPDATE {
		require.Empty(l, m.Body)
		who.Reply(200, "", headers...)
		return
	}
	require.NotEmpty(l, m.Body)
	who.Reply(200, who.SDP(), headers...)
	who.Expect(ua.ACK)
}

// acceptWeRefreshB: B cuts the time down and leaves the refreshing to us.
func acceptWeRefreshB(method ua.Kind) func(*ladder) {
	return func(l *ladder) {
		l.b.Patience(60 * time.Second)
		l.calls()
		l.b.Reply(200, l.b.SDP(), "Session-Expires: 30;refresher=uac", "Require: timer", allowed(method))
		l.b.Expect(ua.ACK)
		l.a.Expect(200)
		l.a.Ack("")
		l.heard()
		l.refreshed(l.b, method, "30;refresher=uac")
		l.a.Quiet(0)
		l.heard()
		l.ends()
	}
}

// acceptNotRefreshed: B does not keep its word; before the session is over both
// are hung up (RFC 4028 section 10).
func acceptNotRefreshed(l *ladder) {
	l.calls()
	l.b.Reply(200, l.b.SDP(), "Session-Expires: 30;refresher=uas", "Supported: timer")
	start := time.Now()
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.a.Patience(60 * time.Second)
	l.a.Expect(ua.BYE)
	l.a.Reply(200, "")
	require.Greater(l, time.Since(start), 15*time.Second)
	l.b.Expect(ua.BYE)
	l.b.Reply(200, "")
	l.billed(billing{state: 8020, fail: 7506, answered: true, reached: true})
}

// acceptGlare: both ask at once; each is told 491, and asks again, B's side of
// the Call-ID being ours: after 2.1 to 4 s (RFC 3261 section 14.1).
func acceptGlare(l *ladder) {
	l.b.Patience(60 * time.Second)
	l.calls()
	l.b.Reply(200, l.b.SDP(), "Session-Expires: 30;refresher=uac", "Require: timer", allowNoUpdate)
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	m := l.b.Expect(ua.INVITE)
	l.b.Reinvite(l.b.SDP(), allowNoUpdate)
	l.b.Expect(491)
	start := time.Now()
	l.b.Answer(m, 491, "")
	l.b.Expect(ua.ACK)
	m = l.b.Expect(ua.INVITE)
	require.Greater(l, time.Since(start), 2*time.Second)
	l.b.Answer(m, 200, l.b.SDP(), "Session-Expires: 30;refresher=uac", "Require: timer", allowNoUpdate)
	l.b.Expect(ua.ACK)
	l.heard()
	l.ends()
}

// acceptTooShort: 422 with what is long enough (RFC 4028 section 9).
func acceptTooShort(l *ladder) {
	l.a.Invite(l.x, l.a.SDP(), "Supported: timer", "Session-Expires: 60")
	l.a.Expect(422, with("Min-SE", "90"))
	l.unheard()
	l.a.Invite(l.x, l.a.SDP(), "Supported: timer", "Session-Expires: 90", "Min-SE: 90")
	l.b.Expect(ua.INVITE)
	l.answers()
	l.heard()
	l.a.Request(ua.UPDATE, "", "Supported: timer", "Session-Expires: 60")
	l.a.Expect(422, with("Min-SE", "90"))
	l.heard()
	l.ends()
}

// acceptTooShortForB: the INVITE is repeated with a longer session, and A waits.
func acceptTooShortForB(l *ladder) {
	l.calls()
	first := l.b.First()
	l.b.Reply(422, "", "Min-SE: 3600")
	l.b.Expect(ua.ACK)
	m := l.b.Expect(ua.INVITE, l.shows, func(m *ua.Msg) error {
		if m.Number("Session-Expires") < 3600 || m.Number("Min-SE") < 3600 {
			return fmt.Errorf("Session-Expires %q, Min-SE %q", m.Get("Session-Expires"), m.Get("Min-SE"))
		}
		return nil
	})
	require.Equal(l, first.Get("Call-ID"), m.Get("Call-ID"))
	was, _ := first.CSeq()
	is, _ := m.CSeq()
	require.Greater(l, is, was)
	l.answers()
	l.heard()
	l.ends()
}

// acceptUntimed: peers that know nothing of session timers are not asked to do
// anything about them.
func acceptUntimed(l *ladder) {
	l.rings()
	l.b.Reply(200, l.b.SDP(), allowNoUpdate)
	l.b.Expect(ua.ACK)
	l.a.Expect(200, func(m *ua.Msg) error {
		if m.Has("Require", "timer") {
			return fmt.Errorf("Require: timer")
		}
		return nil
	})
	l.a.Ack("")
	l.heard()
	l.ends()
}

// acceptEarlyUpdate: UPDATE is served in early dialogs of both legs; an offer
// while ours or theirs waits is refused (RFC 3311 section 5.2).
func acceptEarlyUpdate(l *ladder) {
	l.rings()
	l.a.Request(ua.UPDATE, "")
	l.a.Expect(200)
	l.b.Request(ua.UPDATE, "")
	l.b.Expect(200)
	l.a.Request(ua.UPDATE, l.a.SDP())
	l.a.Expect(500, func(m *ua.Msg) error {
		if after := m.Number("Retry-After"); after < 0 || after > 10 {
			return fmt.Errorf("Retry-After %q", m.Get("Retry-After"))
		}
		return nil
	})
	l.b.Request(ua.UPDATE, l.b.SDP())
	l.b.Expect(491)
	l.b.Reply(183, l.b.SDP())
	l.a.Expect(183)
	was := l.b.Media
	l.b.Media = l.second("B elsewhere")
	l.b.Media.Continue(was)
	l.b.Request(ua.UPDATE, l.b.SDP())
	l.b.Expect(200)
	l.b.Say(l.hzB)
	l.a.Hears(l.hzB)
	l.answers()
	l.a.Say(l.hzA)
	l.b.Hears(l.hzA)
	l.a.Hears(l.hzB)
	l.ends()
}

// acceptUpdateHold: an offer in UPDATE does what one in a re-INVITE does.
func acceptUpdateHold(l *ladder) {
	l.talks()
	for _, side := range []string{"A", "B"} {
		who, _, _, hzOther := l.sides(side)
		who.Request(ua.UPDATE, who.SDP("a=inactive"))
		who.Expect(200)
		require.Equal(l, "inactive", who.Gate().Audio().Direction)
		who.Stops(hzOther)
		who.Request(ua.UPDATE, who.SDP())
		who.Expect(200)
		l.heard()
	}
	l.ends()
}
