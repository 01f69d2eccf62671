package sip

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/media/srtp"
	"axgate/sip/sdp"
)

// sealed is an ear whose audio is protected: what it sends by its own key, what
// it hears by ours.
type sealed struct {
	*ear
	key srtp.Key
}

func seal(t testing.TB, e *ear) *sealed {
	t.Helper()
	s := &sealed{ear: e, key: srtp.NewKey(srtp.AES128SHA80)}
	sender, err := srtp.NewSender(s.key, e.ssrc)
	require.NoError(t, err)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq &= 0x7FFF
	e.seal = func(b []byte) []byte {
		out, err := sender.RTP(make([]byte, 0, 2048), b)
		if err != nil {
			t.Error(err)
		}
		return out
	}
	return s
}

// sdp describes the ear over a protocol with its key.
func (s *sealed) sdp(version int, proto string, lines ...string) string {
	text := strings.Replace(s.ear.sdp(version, lines...), "RTP/AVP", proto, 1)
	return text + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + base64.StdEncoding.EncodeToString(s.key.Octets()) + "\r\n"
}

var inline = regexp.MustCompile(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(\S+)`)

// hearsBy takes our key, and where to send, from a message.
func (s *sealed) hearsBy(m msg) string {
	s.t.Helper()
	found := inline.FindStringSubmatch(m.body)
	require.NotNil(s.t, found, m.body)
	octets, err := base64.StdEncoding.DecodeString(found[1])
	require.NoError(s.t, err)
	key, err := srtp.KeyOf(srtp.AES128SHA80, octets)
	require.NoError(s.t, err)
	receiver, err := srtp.NewReceiver(key)
	require.NoError(s.t, err)
	s.mu.Lock()
	s.open = func(b []byte) ([]byte, bool) {
		plain, err := receiver.RTP(b)
		return plain, err == nil
	}
	s.mu.Unlock()
	s.talksTo(m)
	return found[1]
}

// private is a world over TLS whose trunks want this of their audio.
func private(t *testing.T, a, b sdp.Security) *world {
	t.Helper()
	ca := certtest.New(t)
	w := secured(t, ca, func(s *settings) { s.trunkA.Security, s.trunkB.Security = a, b })
	w.b.overTLS(ca, "b.example")
	return w
}

// TestSecureCall: SRTP on both legs with keys of their own, through hold, a
// re-INVITE without SDP and back.
func TestSecureCall(t *testing.T) {
	w := private(t, sdp.Required, sdp.Required)
	earA, earB := seal(t, w.mouthA), seal(t, w.mouthB)
	a := w.a.dial(numX, numA, earA.sdp(1, "RTP/SAVP"))
	b := w.b.ring()
	require.Contains(t, b.invite.body, " RTP/SAVP 8 0 101\r\n")
	toB := earB.hearsBy(b.invite)
	b.says(200, earB.sdp(1, "RTP/SAVP"))
	b.acked()
	ok := a.response(200, "INVITE")
	require.Contains(t, ok.body, " RTP/SAVP 8 101\r\n")
	toA := earA.hearsBy(ok)
	a.ack("")
	w.bothHear()

	a.reinvite(earA.sdp(2, "RTP/SAVP", "a=sendonly"))
	held := a.response(200, "INVITE")
	require.Contains(t, held.body, "a=recvonly\r\n")
	require.Contains(t, held.body, toA, "the key stays while the peer does")
	a.ack("")
	a.reinvite(earA.sdp(3, "RTP/SAVP"))
	require.Contains(t, a.response(200, "INVITE").body, toA)
	a.ack("")
	b.reinvite("")
	offer := b.response(200, "INVITE")
	require.Contains(t, offer.body, toB)
	b.ack(earB.sdp(2, "RTP/SAVP"))
	w.bothHear()

	a.reinvite(w.mouthA.sdp(4))
	a.fails(488)
	w.bothHear()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
	eventually(t, "the audio is told", func() bool { return strings.Count(w.logged(), `"srtp":true`) == 2 })
	for _, key := range []string{toA, toB, base64.StdEncoding.EncodeToString(earA.key.Octets()), base64.StdEncoding.EncodeToString(earB.key.Octets())} {
		require.NotContains(t, w.logged(), key)
	}
	for _, raw := range w.b.everything() {
		search2(t, "B", raw, numA, toA, base64.StdEncoding.EncodeToString(earA.key.Octets()))
	}
	for _, raw := range w.a.everything() {
		search2(t, "A", raw, numB, toB, base64.StdEncoding.EncodeToString(earB.key.Octets()))
	}
}

// TestWhatIsNotPrivateEnough ends with 488 for the caller, and nobody is left on
// an open line.
func TestWhatIsNotPrivateEnough(t *testing.T) {
	t.Parallel()
	t.Run("SAVP from a plain trunk", func(t *testing.T) {
		w := open(t)
		earA := seal(t, w.mouthA)
		w.a.dial(numX, numA, earA.sdp(1, "RTP/SAVP")).fails(488)
		require.Zero(t, w.srv.Calls())
	})
	t.Run("RTP from a trunk that has to protect it", func(t *testing.T) {
		w := private(t, sdp.Required, sdp.Off)
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(488)
	})
	t.Run("no key that can be used", func(t *testing.T) {
		w := private(t, sdp.Required, sdp.Off)
		offer := strings.Replace(w.mouthA.sdp(1), "RTP/AVP", "RTP/SAVP", 1) + "a=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA\r\n"
		w.a.dial(numX, numA, offer).fails(488)
	})
	for name, answer := range map[string]func(e *sealed) string{
		"a callee without keys": func(e *sealed) string { return e.ear.sdp(1) },
		"another suite": func(e *sealed) string {
			return strings.Replace(e.sdp(1, "RTP/SAVP"), "a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", "a=crypto:1 F8_128_HMAC_SHA1_80 ", 1)
		},
		"a broken key": func(e *sealed) string {
			return inline.ReplaceAllString(e.sdp(1, "RTP/SAVP"), "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := private(t, sdp.Off, sdp.Required)
			earB := seal(t, w.mouthB)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			b.says(200, answer(earB))
			b.acked()
			b.hungUp()
			a.fails(488)
			w.ends(8020, 7506)
		})
	}
	t.Run("our own key back", func(t *testing.T) {
		w := private(t, sdp.Off, sdp.Required)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		ours := inline.FindString(b.invite.body)
		b.says(200, strings.Replace(w.mouthB.sdp(1), "RTP/AVP", "RTP/SAVP", 1)+ours+"\r\n")
		b.acked()
		b.hungUp()
		a.fails(488)
		w.ends(8020, 7506)
	})
}

// TestOptionalSRTP: keys are offered in a plain description, and who knows none
// talks without.
func TestOptionalSRTP(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]bool{"with": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			w := private(t, sdp.Off, sdp.Optional)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			require.Contains(t, b.invite.body, " RTP/AVP 8 0 101\r\n")
			require.Regexp(t, inline, b.invite.body)
			w.mouthB.talksTo(b.invite)
			answer := w.mouthB.sdp(1)
			if with {
				earB := seal(t, w.mouthB)
				earB.hearsBy(b.invite)
				answer = earB.sdp(1, "RTP/AVP")
			}
			b.says(200, answer)
			b.acked()
			w.mouthA.talksTo(a.response(200, "INVITE"))
			a.ack("")
			w.bothHear()
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}

// TestSecureCallWithoutAnOffer: our offer in the 200 has keys, the caller's
// answer comes with the ACK.
func TestSecureCallWithoutAnOffer(t *testing.T) {
	w := private(t, sdp.Required, sdp.Off)
	earA := seal(t, w.mouthA)
	a := w.a.dial(numX, numA, "")
	b := w.b.ring()
	w.mouthB.talksTo(b.invite)
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	ok := a.response(200, "INVITE")
	require.Contains(t, ok.body, " RTP/SAVP 8 0 101\r\n")
	earA.hearsBy(ok)
	a.ack(earA.sdp(1, "RTP/SAVP"))
	w.bothHear()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestSecureForks: each dialog has the key of its own answer, and the talk that
// of the phone that took the call.
func TestSecureForks(t *testing.T) {
	w := private(t, sdp.Off, sdp.Required)
	tune, phone := seal(t, newEar(t, w.b.addr.Addr())), seal(t, w.mouthB)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	tune.hearsBy(b.invite)
	b.says(183, tune.sdp(1, "RTP/SAVP"))
	w.mouthA.talksTo(a.response(183, "INVITE"))
	tune.until(0x33, "A hears the caller tune", w.mouthA.hears(0x33, 2))
	b.mine = unique("phone")
	phone.hearsBy(b.invite)
	b.says(200, phone.sdp(1, "RTP/SAVP"))
	b.acked()
	a.response(200, "INVITE")
	a.ack("")
	w.bothHear()
	heard := w.mouthA.count(0x33)
	for range 10 {
		tune.frame(0x33)
		time.Sleep(10 * time.Millisecond)
	}
	require.LessOrEqual(t, w.mouthA.count(0x33), heard+1, "the tune is over")
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}
