//go:build e2e

package e2e

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ports"
	"axgate/e2e/sipp"
	"axgate/e2e/ua"
	"axgate/phone/speech"
)

// sippAcceptances have SIPp as the caller's switch, which knows nothing of our
// agents' reading of SIP.
func sippAcceptances() []acceptance {
	return []acceptance{
		{name: "sipp calls and talks", play: acceptSIPpTalks, on: "UDP TCP"},
		{name: "sipp is refused", play: acceptSIPpRefused, on: "UDP TCP"},
	}
}

// sipp runs SIPp in the place of a.
func (l *ladder) sipp(file string, values map[string]any) *sipp.Process {
	l.Helper()
	at, err := ports.Take(2)
	require.NoError(l, err)
	media, err := ports.Take(sipp.MediaPorts)
	require.NoError(l, err)
	caller := strings.TrimPrefix(l.numberA, "+86")
	all := map[string]any{"Caller": caller, "Headers": []string{"P-Asserted-Identity: <tel:" + l.numberA + ">"}, "Milliseconds": 1500, "Speech": "first.al"}
	for k, v := range values {
		all[k] = v
	}
	run, err := sipp.Start(sipp.Config{Dir: l.TempDir(), Scenario: "../testdata/sipp/" + file, Local: netip.AddrPortFrom(l.a.Host(), uint16(at)), Media: media,
		Target: l.at, TCP: l.transport == "TCP", Service: l.x, Calls: 1, Audio: map[string][]byte{"first.al": speech.First()}, Values: all})
	require.NoError(l, err)
	l.Cleanup(run.Close)
	return run
}

// sippEnds waits for SIPp and looks into what it was sent.
func (l *ladder) sippEnds(run *sipp.Process) {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*step)
	defer cancel()
	require.NoError(l, run.Wait(ctx))
	messages, err := run.Messages()
	require.NoError(l, err)
	var got [][]byte
	for _, m := range messages {
		if !m.Sent {
			got = append(got, []byte(m.Text))
		}
	}
	require.NotEmpty(l, got)
	l.search("sipp", got, "", l.numberB)
}

func acceptSIPpTalks(l *ladder) {
	run := l.sipp("uac_talk.xml", nil)
	l.b.Expect(ua.INVITE, l.shows)
	l.b.Reply(180, "")
	l.b.Reply(200, l.b.SDP(ua.PCMA))
	l.b.Expect(ua.ACK)
	l.b.Speak(speech.Second())
	l.b.HearsSpeech(speech.First()[:8000])
	l.b.Expect(ua.BYE, reason(16))
	l.b.Reply(200, "")
	l.sippEnds(run)
	l.billed(byCaller)
}

func acceptSIPpRefused(l *ladder) {
	run := l.sipp("uac_refused.xml", map[string]any{"Status": 486, "Cause": 17})
	l.b.Expect(ua.INVITE, l.shows)
	l.b.Reply(486, "")
	l.b.Expect(ua.ACK)
	l.sippEnds(run)
	l.b.Quiet(50 * time.Millisecond)
	l.billed(billing{state: 8102, fail: 8102, reached: true})
}
