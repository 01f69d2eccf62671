//go:build e2e

package e2e

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/e2e/baresip"
	"axgate/e2e/gate"
	"axgate/e2e/leak"
	"axgate/e2e/linphone"
	"axgate/e2e/ports"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

// TestSecurePhones has softphones of others call over TLS with SRTP: keys end at
// axgate, whatever is on the other side.
func TestSecurePhones(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"required", "optional"} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			ca := certtest.New(t)
			var at netip.AddrPort
			w := openWorld(t, nil, func(c *gate.Config) {
				own := ca.Issue(c.SIP.Addr().String())
				port, err := ports.Take(1)
				require.NoError(t, err)
				at = netip.AddrPortFrom(c.SIP.Addr(), uint16(port))
				c.More = map[string]map[string]any{"sip": {"tls": at.String(), "tls_cert": own.Cert, "tls_key": own.Key}, "registrar": {"media_security": rule}}
			})
			v := &vault{world: w, at: at, ca: ca.File}
			t.Run("scenario", func(t *testing.T) {
				if rule == "required" {
					w.play(t, scenario{"baresip calls linphone", v.bothSecure})
					return
				}
				w.play(t, scenario{"baresip calls a phone without", v.halfSecure})
				w.play(t, scenario{"a phone without calls linphone", v.toLinphone("srtp")})
				w.play(t, scenario{"a phone without calls linphone that takes nothing else", v.toLinphone("srtp-mand")})
			})
			w.close(t)
		})
	}
}

// vault is a world with TLS.
type vault struct {
	*world
	at netip.AddrPort
	ca string
}

func (v *vault) baresip(s *scene) (*baresip.Phone, string) {
	s.Helper()
	host, number := takeHost(), s.takeMobile(s.T)
	sip, err := ports.Take(4)
	require.NoError(s, err)
	rtp, err := ports.Take(baresip.RTPPorts)
	require.NoError(s, err)
	b, err := baresip.Start(s.within(step), baresip.Config{Dir: s.TempDir(), Number: number, Display: "Phone of " + number, Password: password,
		Server: v.at.String(), CA: v.ca, Media: "srtp-mand", IP: host.String(), SIPPort: sip, RTPPort: rtp, Control: sip + 2, Console: sip + 3, Speech: bytes.Repeat(speech.Second(), 6)}) // it hangs up at the end
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, b.Close()) })
	require.Eventually(s, func() bool { return strings.Contains(b.Output(), "200 OK () [1 binding]") }, step, 50*time.Millisecond, "%s", b.Output())
	s.ciphered(number, netip.AddrPortFrom(host, 0))
	return b, number
}

func (v *vault) linphone(s *scene, media string) (*linphone.Phone, string) {
	s.Helper()
	host, number := takeHost(), s.takeMobile(s.T)
	sip, err := ports.Take(1)
	require.NoError(s, err)
	rtp, err := ports.Take(2)
	require.NoError(s, err)
	l, err := linphone.Start(s.within(step), linphone.Config{Dir: s.TempDir(), Number: number, Display: "Phone of " + number, Password: password,
		Server: v.at, CA: v.ca, Media: media, IP: host.String(), SIPPort: sip, RTP: rtp})
	require.NoError(s, err)
	s.Cleanup(func() {
		if require.NoError(s, l.Close()); s.Failed() {
			s.Log(l.Log())
		}
	})
	// Its RTP leaves from the default address of the loopback and is sent back there.
	s.ciphered(number, netip.AddrPortFrom(host, 0), netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(rtp)))
	return l, number
}

// ciphered adds a party whose messages cannot be read in the capture; what it
// shows of them in its log is searched by the scenario.
func (s *scene) ciphered(number string, at ...netip.AddrPort) {
	s.addParty(&party{scene: s.Name(), own: []string{number}, Party: leak.Party{Name: s.Name() + ": " + number, Addrs: at}})
}

// printed searches what a program printed of the messages that it got.
func (s *scene) printed(who, text string, secret ...string) {
	s.Helper()
	require.Contains(s, text, "SIP/2.0 ", "%s shows no messages", who)
	for _, l := range leak.Text(who, []byte(text), secret) {
		s.Error(l)
	}
}

// heardBy waits until baresip has played the speech.
func (s *scene) heardBy(p *baresip.Phone, said []byte) {
	s.Helper()
	peak := 0.0
	require.Eventually(s, func() bool {
		heard, err := p.Heard()
		require.NoError(s, err)
		peak, _ = hear.Correlate(heard, said)
		return peak > 0.6
	}, 2*step, 250*time.Millisecond, "baresip hears nothing of it: %v", peak)
}

func (v *vault) halfSecure(s *scene) {
	p, number := v.baresip(s)
	b, x := s.stranger(), s.takeX(s.T, appAXB)
	id := s.bind("axb", "--x", x, "--a", number, "--b", b.Number())
	require.NoError(s, p.Dial(s.within(step), strings.TrimPrefix(x, "+86")))
	in := s.rings(b)
	s.shows(in, x)
	require.NotContains(s, string(in.Seen().Invite), "a=crypto", "keys over UDP")
	require.NoError(s, in.Answer(s.within(step)))
	_, err := p.Wait(s.within(step), "CALL_ESTABLISHED")
	require.NoError(s, err)
	require.NoError(s, in.Say(s.within(step), firstSpeech))
	s.hearsBaresip(in)
	s.heardBy(p, firstSpeech)
	require.NoError(s, p.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	require.Contains(s, p.Output(), "SRTP is Enabled (cryptosuite=AES_CM_128_HMAC_SHA1_80)")
	s.printed("baresip", p.Output(), b.Number())
	s.story(x, 1, billed{direction: 1, binding: id, caller: number, callee: b.Number(), service: "004", events: evAnswered, talk: true})
}

// toLinphone: an optional offer is taken as it is, or refused and made again
// over RTP/SAVP.
func (v *vault) toLinphone(media string) func(*scene) {
	return func(s *scene) { v.callsLinphone(s, media) }
}

func (v *vault) callsLinphone(s *scene, media string) {
	l, number := v.linphone(s, media)
	a, x := s.stranger(), s.takeX(s.T, appAXB)
	id := s.bind("axb", "--x", x, "--a", a.Number(), "--b", number)
	out := s.dial(a, x)
	require.NoError(s, out.WaitRinging(s.within(step)))
	require.NoError(s, l.Answer(s.within(step)))
	require.NoError(s, out.WaitAnswer(s.within(step)))
	require.NoError(s, l.Say(s.within(step), secondSpeech))
	require.Eventually(s, func() bool {
		peak, _ := hear.Correlate(out.Heard().Audio, secondSpeech)
		return peak > 0.6
	}, 2*step, 250*time.Millisecond, "linphone is not heard: %s", l.Status(s.within(step)))
	require.NoError(s, l.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	s.printed("linphone", l.Log(), a.Number())
	require.Contains(s, l.Log(), "AES_CM_128")
	require.Equal(s, media == "srtp-mand", strings.Contains(l.Log(), "SIP/2.0 488"), "it refuses what is not RTP/SAVP")
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: number, service: "004", events: evAnswered, talk: true})
}

// bothSecure: a recorded talk of two programs that take nothing but SRTP.
func (v *vault) bothSecure(s *scene) {
	p, number := v.baresip(s)
	l, other := v.linphone(s, "srtp-mand")
	x := s.takeX(s.T, appInforms) // no hint: linphone's audio comes from another address than its SDP says, which is found at the beginning only
	id := s.bind("axb", "--x", x, "--a", number, "--b", other, "--record")
	require.NoError(s, p.Dial(s.within(step), strings.TrimPrefix(x, "+86")))
	_, err := p.Wait(s.within(step), "CALL_RINGING", "CALL_PROGRESS")
	require.NoError(s, err)
	require.NoError(s, l.Answer(s.within(step)))
	_, err = p.Wait(s.within(step), "CALL_ESTABLISHED")
	require.NoError(s, err)
	require.NoError(s, l.Say(s.within(step), firstSpeech))
	s.heardBy(p, firstSpeech)
	time.Sleep(4 * time.Second) // long enough for a recording
	require.NoError(s, p.Hangup(s.within(step)))
	c := s.story(x, 1, billed{direction: 1, binding: id, caller: number, callee: other, service: "004", events: evAnswered, talk: true, recorded: true})
	f := s.taped(c, 2)
	one, _ := hear.Correlate(f.Data, speech.Second()[:24000])
	two, _ := hear.Correlate(f.Data, firstSpeech)
	require.Greater(s, one, 0.4, "baresip on the recording")
	require.Greater(s, two, 0.4, "linphone on the recording")
	s.printed("baresip", p.Output(), other)
	s.printed("linphone", l.Log(), number)
}
