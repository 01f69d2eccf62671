//go:build e2e

package e2e

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// wayAcceptances are of the ways to a carrier.
func wayAcceptances() []acceptance {
	return []acceptance{
		{name: "503 with Retry-After: the next trunk, until then", play: acceptRests, to: "rests"},
		{name: "trunk that says nothing: the next one", play: acceptSilent, to: "silent"},
		{name: "trunk down and back", play: acceptFalls, to: "falls"},
	}
}

// goesTo makes a call that is busy at the station of one trunk and reaches no
// other.
func (l *ladder) goesTo(to, not *ua.Agent) {
	l.Helper()
	l.a.Invite(l.x, l.a.SDP())
	to.Expect(ua.INVITE, l.shows)
	to.Reply(486, "")
	to.Expect(ua.ACK)
	l.a.Expect(486)
	not.Quiet(0)
}

// logs tells whether axgate has logged a line with both texts.
func (l *ladder) logs(text, other string) func() bool {
	return func() bool {
		log, err := l.gate.Log()
		require.NoError(l, err)
		for line := range strings.SplitSeq(string(log), "\n") {
			if strings.Contains(line, text) && strings.Contains(line, other) {
				return true
			}
		}
		return false
	}
}

// acceptRests: who asks for a rest gets one, and the call goes on elsewhere.
func acceptRests(l *ladder) {
	other := l.line("B over the spare trunk", spare)
	l.calls()
	l.b.Reply(503, "", "Retry-After: 4 (maintenance)")
	rest := time.Now()
	l.b.Expect(ua.ACK)
	other.Expect(ua.INVITE, l.shows)
	other.Reply(486, "")
	other.Expect(ua.ACK)
	l.a.Expect(486)
	l.goesTo(other, l.b)
	require.Less(l, time.Since(rest), 4*time.Second, "the machine is too slow for this")
	time.Sleep(time.Until(rest.Add(5 * time.Second)))
	l.goesTo(l.b, other)
	l.billedNth(3, billing{state: 8102, fail: 8102, reached: true})
}

// acceptSilent: the next trunk is tried, and who wakes up finds its INVITE taken
// back.
func acceptSilent(l *ladder) {
	other := l.line("B over the spare trunk", spare)
	l.calls()
	other.Expect(ua.INVITE, l.shows)
	other.Reply(180, "")
	l.a.Expect(180)
	l.b.Reply(100, "")
	l.b.Expect(ua.CANCEL)
	l.b.Reply(200, "")
	l.b.Reply(487, "")
	l.b.Expect(ua.ACK)
	l.b = other
	l.answers()
	l.heard()
	l.ends()
}

// acceptFalls: three OPTIONS without an answer, and calls go elsewhere at once;
// two with one, and they come again.
func acceptFalls(l *ladder) {
	station, other := l.stations["falls"], l.line("B over the spare trunk", spare)
	l.goesTo(l.b, other)
	station.Close()
	l.until("the trunk is known to be down", l.logs("is down", "trunk=falls"))
	start := time.Now()
	l.goesTo(other, l.b)
	require.Less(l, time.Since(start), 2*time.Second, "the trunk was not asked")
	require.NoError(l, station.Reopen())
	l.until("the trunk is up again", l.logs("is up again", "trunk=falls"))
	l.goesTo(l.b, other)
	l.billedNth(3, billing{state: 8102, fail: 8102, reached: true})
}

// acceptRegistration: axgate registers with a carrier whose nonce grows stale at
// once, calls by the Service-Route that it is given, and refreshes in time with
// the nonce that it has (RFC 3261 section 10.2, RFC 3608, RFC 7616 section 3.6).
func acceptRegistration(l *ladder) {
	r := l.registrar
	r.For(l.T)
	l.more = append(l.more, r)
	r.Patience(40 * time.Second)
	first := r.Expect(ua.REGISTER)
	require.Equal(l, "sip:ims.example", first.URI)
	for _, header := range []string{"To", "From"} {
		require.Contains(l, first.Get(header), "<sip:+8675588880000@ims.example>")
	}
	r.Reply(401, "", `WWW-Authenticate: Digest realm="ims.example", nonce="first", algorithm=MD5, qop="auth"`)
	proven := func(nonce string, count int) *ua.Msg {
		m := r.Expect(ua.REGISTER, func(m *ua.Msg) error {
			return ua.Proven(m, m.Get("Authorization"), registerUser, registerPassword, nonce, count)
		})
		require.Equal(l, first.Get("Call-ID"), m.Get("Call-ID"))
		return m
	}
	proven("first", 1)
	r.Reply(401, "", `WWW-Authenticate: Digest realm="ims.example", nonce="second", algorithm=MD5, qop="auth", stale=true`)
	m := proven("second", 1)
	route := "<sip:" + l.stations[enrols].Addr().String() + ";lr;transport=" + strings.ToLower(l.transport) + ">"
	r.Reply(200, "", "Contact: "+m.Get("Contact")+";expires=8", "Service-Route: "+route, "P-Associated-URI: <tel:+8675588880000>")
	l.until("the line is known to be registered", l.logs("registered", "domain=ims.example"))
	l.calls()
	require.Equal(l, []string{route}, l.b.First().All("Route"))
	require.Equal(l, "ims.example", ua.Host(l.b.First().URI))
	l.b.Reply(180, "")
	l.a.Expect(180)
	l.answers()
	l.heard()
	l.ends()
	m = proven("second", 2)
	r.Reply(200, "", "Contact: "+m.Get("Contact")+";expires=3600")
}
