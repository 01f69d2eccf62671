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
	logged := func(what string) func() bool {
		return func() bool {
			log, err := l.gate.Log()
			require.NoError(l, err)
			for line := range strings.SplitSeq(string(log), "\n") {
				if strings.Contains(line, what) && strings.Contains(line, "trunk=falls") {
					return true
				}
			}
			return false
		}
	}
	station.Close()
	l.until("the trunk is known to be down", logged("is down"))
	start := time.Now()
	l.goesTo(other, l.b)
	require.Less(l, time.Since(start), 2*time.Second, "the trunk was not asked")
	require.NoError(l, station.Reopen())
	l.until("the trunk is up again", logged("is up again"))
	l.goesTo(l.b, other)
	l.billedNth(3, billing{state: 8102, fail: 8102, reached: true})
}
