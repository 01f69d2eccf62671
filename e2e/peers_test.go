//go:build e2e

package e2e

import (
	"net/netip"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/baresip"
	"axgate/e2e/leak"
	"axgate/e2e/ports"
	"axgate/e2e/sipp"
	"axgate/phone"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

func peerScenarios() []scenario {
	return []scenario{
		{"sipp trunk to a phone over UDP", sippTalks(false)},
		{"sipp trunk to a phone over TCP", sippTalks(true)},
		{"sipp trunk through axgate to the trunk", sippToNetwork},
		{"sipp trunk is refused", sippRefused},
		{"baresip calls over UDP", baresipCalls(false)},
		{"baresip calls over TCP", baresipCalls(true)},
		{"baresip is called over UDP", baresipCalled(false)},
		{"baresip is called over TCP", baresipCalled(true)},
		{"baresip types an extension", baresipTypes},
		{"baresip gives up and is busy", baresipRefuses},
	}
}

// uac runs SIPp as the trunk's caller. Its template values are filled up with
// what the scenario needs.
func (s *scene) uac(file, caller, dialled string, tcp bool, values map[string]any) *sipp.Process {
	s.Helper()
	at, err := ports.Take(2)
	require.NoError(s, err)
	media, err := ports.Take(sipp.MediaPorts)
	require.NoError(s, err)
	host := takeTrunkHost()
	all := map[string]any{"Caller": caller, "Headers": []string(nil), "Milliseconds": 4500, "Speech": "first.al"}
	for k, v := range values {
		all[k] = v
	}
	run, err := sipp.Start(sipp.Config{Dir: s.TempDir(), Scenario: "../testdata/sipp/" + file, Local: netip.AddrPortFrom(host, uint16(at)), Media: media,
		Target: s.gate.SIP(), TCP: tcp, Service: dialled, Calls: 1, Audio: map[string][]byte{"first.al": speech.First()}, Values: all})
	require.NoError(s, err)
	s.Cleanup(run.Close)
	s.watch(host, "+86"+caller)
	return run
}

// sippTalks: a trunk calls X in its own spelling, with the caller's real number
// wherever trunks put it; the callee hears the caller and sees X alone.
func sippTalks(tcp bool) func(*scene) {
	return func(s *scene) {
		a, x, id := s.oneA()
		digits := strings.TrimPrefix(x, "+86")
		for i, dialled := range []string{digits, "86" + digits, "+86" + digits, "0086" + digits} {
			caller := strings.TrimPrefix(s.takeMobile(s.T), "+86")
			run := s.uac("uac_talk.xml", caller, dialled, tcp, map[string]any{"Headers": []string{
				"P-Asserted-Identity: \"Real Name\" <tel:+86" + caller + ">", "Remote-Party-ID: <sip:" + caller + "@carrier.example>;party=calling",
				"Subject: call of " + caller, "User-Agent: phone/" + caller, "Diversion: <sip:" + caller + "@carrier.example>", "X-Caller: 0086" + caller,
			}})
			in := s.rings(a)
			s.shows(in, x)
			start := time.Now()
			require.NoError(s, in.Answer(s.within(step)))
			s.hears(in, start, speech.First()[:24000], "the trunk's caller")
			require.NoError(s, run.Wait(s.within(2*step)))
			s.clearedWith(in, 16)
			s.story(x, i+1, billed{direction: 0, binding: id, caller: "+86" + caller, callee: a.Number(), service: "003", events: evAnswered, talk: true})
			s.notBusy(x)
		}
	}
}

// sippToNetwork: both ends of the call are SIPp.
func sippToNetwork(s *scene) {
	x := s.takeX(s.T, appAXB)
	caller, b := strings.TrimPrefix(s.takeMobile(s.T), "+86"), s.networkNumber("00")
	id := s.bind("axb", "--x", x, "--a", "+86"+caller, "--b", b)
	run := s.uac("uac_talk.xml", caller, strings.TrimPrefix(x, "+86"), false, nil)
	require.NoError(s, run.Wait(s.within(2*step)))
	for _, invite := range s.invites(b) {
		require.Contains(s, invite, "From: <sip:"+x+"@")
	}
	s.story(x, 1, billed{direction: 1, binding: id, caller: "+86" + caller, callee: b, service: "004", events: evAnswered, talk: true})
}

func sippRefused(s *scene) {
	_, _, x, _ := s.pair(appAXB)
	caller := strings.TrimPrefix(s.takeMobile(s.T), "+86")
	run := s.uac("uac_refused.xml", caller, strings.TrimPrefix(x, "+86"), false, map[string]any{"Status": 403, "Cause": 21})
	require.NoError(s, run.Wait(s.within(2*step)))
	s.story(x, 1, billed{state: 8014, fail: 8014, direction: 2, caller: "+86" + caller, service: "004", events: evRefused})
}

// baresip runs a registered baresip with a number of its own, which may write
// to the contacts.
func (s *scene) baresip(tcp bool, contacts ...string) (*baresip.Phone, string) {
	s.Helper()
	host, number := takeHost(), s.takeMobile(s.T)
	sip, err := ports.Take(4)
	require.NoError(s, err)
	rtp, err := ports.Take(baresip.RTPPorts)
	require.NoError(s, err)
	b, err := baresip.Start(s.within(step), baresip.Config{Dir: s.TempDir(), Number: number, Display: "Phone of " + number, Password: password,
		Server: s.gate.SIP().String(), TCP: tcp, IP: host.String(), SIPPort: sip, RTPPort: rtp, Control: sip + 2, Console: sip + 3, Speech: speech.Second(), Contacts: contacts})
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, b.Close()) })
	require.Eventually(s, func() bool { return strings.Contains(b.Output(), "200 OK () [1 binding]") }, step, 50*time.Millisecond, "%s", b.Output())
	s.addParty(&party{scene: s.Name(), own: []string{number},
		Party: leak.Party{Name: s.Name() + ": baresip " + number, Addrs: []netip.AddrPort{netip.AddrPortFrom(host, 0)}}})
	return b, number
}

// hearsBaresip waits until baresip's speech is heard; its beginning is not
// sharp, and it resamples.
func (s *scene) hearsBaresip(c *phone.Call) {
	s.Helper()
	require.Eventually(s, func() bool {
		peak, _ := hear.Correlate(c.Heard().Audio, speech.Second()[:24000])
		return peak > 0.6
	}, 2*step, 250*time.Millisecond, "baresip is not heard")
}

func baresipCalls(tcp bool) func(*scene) {
	return func(s *scene) {
		p, number := s.baresip(tcp)
		b, x := s.stranger(), s.takeX(s.T, appAXB)
		id := s.bind("axb", "--x", x, "--a", number, "--b", b.Number())
		require.NoError(s, p.Dial(s.within(step), strings.TrimPrefix(x, "+86")))
		in := s.rings(b)
		s.shows(in, x)
		require.NotContains(s, string(in.Seen().Invite), "Phone of")
		_, err := p.Wait(s.within(step), "CALL_RINGING", "CALL_PROGRESS")
		require.NoError(s, err)
		require.NoError(s, in.Answer(s.within(step)))
		_, err = p.Wait(s.within(step), "CALL_ESTABLISHED")
		require.NoError(s, err)
		s.hearsBaresip(in)
		require.NoError(s, p.Hangup(s.within(step)))
		s.clearedWith(in, 16)
		s.story(x, 1, billed{direction: 1, binding: id, caller: number, callee: b.Number(), service: "004", events: evAnswered, talk: true})
	}
}

func baresipCalled(tcp bool) func(*scene) {
	return func(s *scene) {
		p, number := s.baresip(tcp)
		a, x := s.stranger(), s.takeX(s.T, appAXB)
		id := s.bind("axb", "--x", x, "--a", a.Number(), "--b", number)
		out := s.dial(a, x)
		e, err := p.Wait(s.within(step), "CALL_INCOMING")
		require.NoError(s, err)
		require.Contains(s, e.Peer, x)
		require.NoError(s, out.WaitRinging(s.within(step)))
		require.NoError(s, p.Accept(s.within(step)))
		require.NoError(s, out.WaitAnswer(s.within(step)))
		s.hearsBaresip(out)
		require.NoError(s, out.Hangup(s.within(step)))
		_, err = p.Wait(s.within(step), "CALL_CLOSED")
		require.NoError(s, err)
		s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: number, service: "004", events: evAnswered, talk: true})
	}
}

func baresipTypes(s *scene) {
	p, number := s.baresip(false)
	a, x, id := s.oneE(appAXE, "0815")
	require.NoError(s, p.Dial(s.within(step), strings.TrimPrefix(x, "+86")))
	_, err := p.Wait(s.within(step), "CALL_ESTABLISHED")
	require.NoError(s, err)
	require.NoError(s, p.Press(s.within(step), "0815"))
	in := s.rings(a)
	s.shows(in, x)
	require.NoError(s, in.Answer(s.within(step)))
	require.NoError(s, in.Hangup(s.within(step)))
	_, err = p.Wait(s.within(step), "CALL_CLOSED")
	require.NoError(s, err)
	s.story(x, 1, billed{direction: 0, binding: id, caller: number, callee: a.Number(), ext: "0815", service: "005", events: evTyped, talk: true})
}

// baresipRefuses: baresip gives up while it rings, then refuses a call.
func baresipRefuses(s *scene) {
	p, number := s.baresip(false)
	b, x := s.stranger(), s.takeX(s.T, appAXB)
	id := s.bind("axb", "--x", x, "--a", number, "--b", b.Number())
	require.NoError(s, p.Dial(s.within(step), strings.TrimPrefix(x, "+86")))
	in := s.rings(b)
	_, err := p.Wait(s.within(step), "CALL_RINGING", "CALL_PROGRESS")
	require.NoError(s, err)
	require.NoError(s, p.Hangup(s.within(step)))
	s.ended(in)
	s.story(x, 1, billed{state: 7502, fail: 8009, direction: 1, binding: id, caller: number, callee: b.Number(), service: "004", events: evRung})

	out := s.dial(b, x)
	_, err = p.Wait(s.within(step), "CALL_INCOMING")
	require.NoError(s, err)
	require.NoError(s, p.Hangup(s.within(step)))
	s.refusedWith(out, 486, 17)
	s.story(x, 2, billed{state: 8102, fail: 8102, direction: 0, binding: id, caller: b.Number(), callee: number, service: "004", events: evRung})
}
