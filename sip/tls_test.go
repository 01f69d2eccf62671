package sip

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/media"
	"axgate/media/record"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// overTLS makes the peer listen and talk on TLS instead, as a host with a
// certificate that asks for ours.
func (p *peer) overTLS(ca *certtest.Authority, name string) {
	p.t.Helper()
	p.overTLSOf(ca, ca, name)
}

// overTLSOf is overTLS with a certificate of one authority, for those who have
// one of another.
func (p *peer) overTLSOf(by, clients *certtest.Authority, name string) {
	p.t.Helper()
	ln, err := tls.Listen("tcp", p.addr.String(), &tls.Config{Certificates: []tls.Certificate{by.Issue(name).Load(p.t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients.Pool})
	require.NoError(p.t, err)
	p.tls = true
	p.listens(ln)
}

func (p *peer) dialTLS(to netip.AddrPort, cfg *tls.Config) {
	p.t.Helper()
	c, err := tls.DialWithDialer(&net.Dialer{LocalAddr: &net.TCPAddr{IP: p.addr.Addr().AsSlice()}}, "tcp", to.String(), cfg)
	require.NoError(p.t, err)
	p.tls = true
	p.talksOver(c)
}

// secured is a world in which everybody has a certificate of one authority and
// sees those of the others.
func secured(t *testing.T, ca *certtest.Authority, changes ...func(*settings)) *world {
	t.Helper()
	us := ca.Issue("127.0.0.1")
	w := open(t, append([]func(*settings){func(s *settings) {
		s.cfg.TLS = TLS{Listen: "127.0.0.1:0", Cert: us.Cert, Key: us.Key, ClientCA: ca.File}
		s.trunkB.Transport = "tls"
		s.trunkB.TLS = trunk.TLS{Name: "b.example", CA: ca.File, Cert: us.Cert, Key: us.Key}
	}}, changes...)...)
	w.a.dialTLS(w.srv.TLSAddr(), &tls.Config{RootCAs: ca.Pool, Certificates: []tls.Certificate{ca.Issue("a.example").Load(t)}})
	return w
}

// TestCallOverTLS: both legs over TLS, the certificates of all four ends seen,
// every message on the connection of its leg.
func TestCallOverTLS(t *testing.T) {
	ca := certtest.New(t)
	w := secured(t, ca)
	w.b.overTLS(ca, "b.example")
	a, b := w.talk()
	w.bothHear()
	at := w.srv.TLSAddr().String()
	require.True(t, strings.HasPrefix(b.invite.get("Via"), "SIP/2.0/TLS "+at+";"), b.invite.get("Via"))
	require.Equal(t, "sip:"+numX+"@"+at+";transport=tls", b.invite.contact())
	require.Equal(t, "sip:"+numX+"@"+at+";transport=tls", a.target)
	a.reinvite(w.mouthA.sdp(1))
	a.response(200, "INVITE")
	a.ack("")
	b.reinvite(w.mouthB.sdp(1))
	b.response(200, "INVITE")
	b.ack("")
	b.bye()
	a.hungUp()
	w.ends(0, 0)
	for _, raw := range w.b.everything() {
		search2(t, "B", raw, numA, a.callID, a.mine, "127.0.0.2", "carrier.example")
	}
	for _, raw := range w.a.everything() {
		search2(t, "A", raw, numB, b.callID, b.mine, "127.0.0.3")
	}
	for _, n := range []string{numA, numB} {
		require.Empty(t, hidden(w.logged(), n), "the log names %s", n)
	}
}

func search2(t *testing.T, who, raw, number string, others ...string) {
	t.Helper()
	require.Empty(t, hidden(raw, number), "%s sees %s in\n%s", who, number, raw)
	for _, o := range others {
		require.NotContains(t, raw, o, who)
	}
}

// TestSipsCaller: a caller that asks for TLS all the way is shown such a
// Contact (RFC 3261 section 12.1.1).
func TestSipsCaller(t *testing.T) {
	ca := certtest.New(t)
	w := secured(t, ca)
	w.b.overTLS(ca, "b.example")
	a := &side{p: w.a, callID: unique("call"), me: "<sips:" + numA + "@carrier.example>", other: "<sips:" + numX + "@axgate.example>", mine: unique("a"),
		target: "sips:" + numX + "@" + w.srv.TLSAddr().String(), contact: "<sips:" + numA + "@" + w.a.addr.String() + ">"}
	a.reinvite(w.mouthA.sdp(1))
	b := w.b.ring()
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	a.response(200, "INVITE")
	require.Equal(t, "sips:"+numX+"@"+w.srv.TLSAddr().String(), a.target)
	a.ack("")
	b.bye()
	a.hungUp()
	w.ends(0, 0)
}

// TestNextTrunkWhenOneCannotProveItself: a call goes on to the next trunk at
// once, nothing of it is told to who has the wrong certificate, and the log
// says why.
func TestNextTrunkWhenOneCannotProveItself(t *testing.T) {
	ca := certtest.New(t)
	evil := newPeer(t, "evil", "127.0.0.4")
	evil.overTLS(ca, "evil.example")
	w := secured(t, ca, func(s *settings) {
		s.more = []trunk.Trunk{{Name: "first", Address: evil.addr, Transport: "tls", TLS: trunk.TLS{Name: "first.example", CA: ca.File}}}
	})
	w.b.overTLS(ca, "b.example")
	a, b := w.talk()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
	require.Empty(t, evil.everything())
	require.Contains(t, w.logged(), "certificate is valid for evil.example, not first.example")
	require.Empty(t, hidden(w.logged(), numB))
}

// TestStrangersCertificate: who has none of the authority is not heard.
func TestStrangersCertificate(t *testing.T) {
	ca, others := certtest.New(t), certtest.New(t)
	w := secured(t, ca)
	raw, err := tls.DialWithDialer(&net.Dialer{LocalAddr: &net.TCPAddr{IP: w.a.addr.Addr().AsSlice()}}, "tcp", w.srv.TLSAddr().String(),
		&tls.Config{RootCAs: ca.Pool, Certificates: []tls.Certificate{others.Issue("a.example").Load(t)}})
	if err == nil {
		_, err = raw.Read(make([]byte, 1))
		_ = raw.Close()
	}
	require.Error(t, err)
	eventually(t, "a line in the log", func() bool { return strings.Contains(w.logged(), "no TLS connection") })
	require.Contains(t, w.logged(), "127.0.0.2:")
}

// TestPhonesOverTLS register and are called back over their connection; one
// that is gone is not looked for elsewhere.
func TestPhonesOverTLS(t *testing.T) {
	ca := certtest.New(t)
	us := ca.Issue("127.0.0.1")
	w := open(t, phones, func(s *settings) {
		s.cfg.TLS = TLS{Listen: "127.0.0.1:0", Cert: us.Cert, Key: us.Key, Advertise: "sip.example:5061"}
	})
	w.a.dialTLS(w.srv.TLSAddr(), &tls.Config{RootCAs: ca.Pool})
	w.b.dialTLS(w.srv.TLSAddr(), &tls.Config{RootCAs: ca.Pool})
	w.a.registers(numA, "first secret")
	w.b.registers(numB, "second secret")
	a := w.a.dial(numX, "anybody", w.mouthA.sdp(1))
	a.proves(w.mouthA.sdp(1), numA, "first secret")
	b := w.b.ring()
	require.True(t, strings.HasPrefix(b.invite.get("Via"), "SIP/2.0/TLS sip.example:5061;"), b.invite.get("Via"))
	w.mouthB.talksTo(b.invite)
	b.contact = "<sip:" + numB + "@192.168.7.7:5062;transport=tls>"
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.bothHear()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
	require.NoError(t, w.b.tcp.Close())
	a = w.a.dial(numX, "anybody", w.mouthA.sdp(1))
	a.proves(w.mouthA.sdp(1), numA, "first secret")
	m := w.a.await("a failure", func(m msg) bool { return m.status() >= 500 && m.get("Call-ID") == a.callID })
	a.nack(m)
	w.journal.ended(t)
}

// TestPhonesMediaSecurity: phones over TLS have SRTP as the registrar wants it.
// One without keys, and one without TLS, does not call where it is required.
func TestPhonesMediaSecurity(t *testing.T) {
	t.Parallel()
	ca := certtest.New(t)
	us := ca.Issue("127.0.0.1")
	keys := "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat("QUJD", 10) + "\r\n"
	secure := func(body string) string { return strings.Replace(body, "RTP/AVP", "RTP/SAVP", 1) + keys }
	for want, bare := range map[sdp.Security]int{sdp.Optional: 200, sdp.Required: 488} {
		t.Run(want.String(), func(t *testing.T) {
			w := open(t, phones, func(s *settings) {
				s.cfg.TLS, s.cfg.PhoneSecurity = TLS{Listen: "127.0.0.1:0", Cert: us.Cert, Key: us.Key}, want
			})
			w.b.dialTLS(w.srv.TLSAddr(), &tls.Config{RootCAs: ca.Pool})
			w.b.registers(numB, "second secret")
			w.a.dialTLS(w.srv.TLSAddr(), &tls.Config{RootCAs: ca.Pool})
			w.a.registers(numA, "first secret")
			a := w.a.dial(numX, "anybody", secure(w.mouthA.sdp(1)))
			a.proves(secure(w.mouthA.sdp(1)), numA, "first secret")
			b := w.b.ring()
			require.Equal(t, want == sdp.Required, strings.Contains(b.invite.body, "RTP/SAVP"), b.invite.body)
			require.Contains(t, b.invite.body, "a=crypto:")
			require.NotContains(t, b.invite.body, "QUJD", "the caller's key")
			answer := w.mouthB.sdp(1) + keys
			if want == sdp.Required {
				answer = secure(w.mouthB.sdp(1))
			}
			b.says(200, answer)
			b.acked()
			ok := a.response(200, "INVITE")
			require.Contains(t, ok.body, "RTP/SAVP")
			require.Contains(t, ok.body, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:")
			a.ack("")
			a.bye()
			b.hungUp()
			w.ends(0, 0)
			a = w.a.dial(numX, "anybody", w.mouthA.sdp(1))
			a.proves(w.mouthA.sdp(1), numA, "first secret")
			if bare == 488 {
				a.fails(488)
				return
			}
			b = w.b.ring()
			b.says(200, w.mouthB.sdp(1))
			b.acked()
			require.NotContains(t, a.response(200, "INVITE").body, "crypto")
			a.ack("")
			a.bye()
			b.hungUp()
		})
	}
}

// TestTLSFiles: the node does not begin with files that cannot be used.
func TestTLSFiles(t *testing.T) {
	ca := certtest.New(t)
	us := ca.Issue("127.0.0.1")
	at := netip.MustParseAddrPort("192.0.2.1:5061")
	for want, c := range map[string]Config{
		"read the certificate for SIP: ":                         {TLS: TLS{Listen: "127.0.0.1:0", Cert: us.Key, Key: us.Key}},
		"read the authorities for those who connect to SIP: ":    {TLS: TLS{Listen: "127.0.0.1:0", Cert: us.Cert, Key: us.Key, ClientCA: us.Key}},
		"read the certificate for trunk t: ":                     {UDP: "127.0.0.1:0", Trunks: table(t, trunk.Trunk{Name: "t", Address: at, Transport: "tls", TLS: trunk.TLS{Cert: us.Key, Key: us.Key}})},
		"read the authorities for trunk t: no certificate is in": {UDP: "127.0.0.1:0", Trunks: table(t, trunk.Trunk{Name: "t", Address: at, Transport: "tls", TLS: trunk.TLS{CA: us.Key}})},
	} {
		_, err := Open(c, (*media.Engine)(nil), &rules{}, newMemory(), prompts{}, (*record.Writer)(nil), zerolog.Nop())
		require.ErrorContains(t, err, want)
	}
}

func table(t *testing.T, list ...trunk.Trunk) *trunk.Table {
	t.Helper()
	tab, err := trunk.New(list)
	require.NoError(t, err)
	return tab
}
