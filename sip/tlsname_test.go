package sip

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/sip/trunk"
)

// domainOverTLS is a world whose callee's trunk is a domain in DNS that is called over
// TLS, with a spare trunk behind it.
func domainOverTLS(t *testing.T, ca *certtest.Authority, rule trunk.TLS) (w *world, spare *peer) {
	t.Helper()
	spare = newPeer(t, "spare", "127.0.0.4")
	w = secured(t, ca, func(s *settings) {
		z := newZone(t, srvTLS(1, 1, s.trunkB.Address)...)
		s.cfg.DNS = []string{z.addr}
		s.trunkB.Way.Host, s.trunkB.Address = "carrier.test", netip.AddrPort{}
		s.trunkB.TLS = rule
		s.more = append(s.more, trunk.Trunk{Name: "spare", Address: spare.addr, Way: trunk.Way{Priority: 1}})
	})
	spare.to = w.srv.UDPAddr()
	return w, spare
}

// certificate is the one that was shown to a peer that is called over TLS.
func (p *peer) certificate() *x509.Certificate {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tcp.(*tls.Conn).ConnectionState().PeerCertificates[0]
}

// srvTLS is the record of one server of carrier.test that is called over TLS.
func srvTLS(n, priority int, at netip.AddrPort) []string {
	return srvOver("_sips._tcp", n, priority, at)
}

// TestTLSTrunkByName: the certificate has to have the name that somebody wrote,
// not the one that DNS leads to (RFC 5922 section 4), unless tls_name says
// another; and we show ours where it is asked for.
func TestTLSTrunkByName(t *testing.T) {
	t.Parallel()
	ca, others := certtest.New(t), certtest.New(t)
	us := ca.Issue("axgate.example")
	with := func(name string) trunk.TLS { return trunk.TLS{Name: name, CA: ca.File, Cert: us.Cert, Key: us.Key} }
	for name, c := range map[string]struct {
		shows string // the name in the certificate of the carrier
		by    *certtest.Authority
		rule  trunk.TLS
		why   string // it is not called; empty: it is
	}{
		"its domain":               {"carrier.test", ca, with(""), ""},
		"the host that DNS names":  {"s1.carrier.test", ca, with(""), "certificate is valid for s1.carrier.test, not carrier.test"},
		"another name":             {"evil.test", ca, with(""), "certificate is valid for evil.test, not carrier.test"},
		"tls_name":                 {"s1.carrier.test", ca, with("s1.carrier.test"), ""},
		"its domain, but tls_name": {"carrier.test", ca, with("s1.carrier.test"), "certificate is valid for carrier.test, not s1.carrier.test"},
		"another authority":        {"carrier.test", others, with(""), "certificate signed by unknown authority"},
		"none of ours":             {"carrier.test", ca, trunk.TLS{CA: ca.File}, "hung up without a word"},
	} {
		t.Run(name, func(t *testing.T) {
			w, spare := domainOverTLS(t, ca, c.rule)
			w.b.overTLSOf(c.by, ca, c.shows)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			at, mouth := w.b, w.mouthB
			if c.why != "" {
				at, mouth = spare, newEar(t, spare.addr.Addr())
			}
			b := at.ring()
			if c.why == "" {
				require.Equal(t, "INVITE sip:"+numB+"@carrier.test SIP/2.0", strings.Replace(b.invite.start, ";transport=tls", "", 1))
			}
			mouth.talksTo(b.invite)
			b.says(200, mouth.sdp(1))
			b.acked()
			w.mouthA.talksTo(a.response(200, "INVITE"))
			a.ack("")
			a.bye()
			b.hungUp()
			w.ends(0, 0)
			one := w.stateOf("b").Servers[0]
			require.True(t, strings.HasPrefix(one.Address, "tls://"), one.Address)
			if c.why == "" {
				require.Empty(t, one.Failure)
				require.Zero(t, one.Misses)
				require.False(t, one.Heard.IsZero())
				require.Equal(t, us.Serial, w.b.certificate().SerialNumber.Int64())
				require.Empty(t, spare.everything())
				return
			}
			require.Contains(t, one.Failure, c.why)
			require.Equal(t, 1, one.Misses)
			require.Empty(t, w.b.everything(), "nothing of the call is told")
			require.Contains(t, w.logged(), c.why)
			for _, n := range []string{numA, numB} {
				require.Empty(t, hidden(w.logged(), n))
				require.Empty(t, hidden(one.Failure, n))
			}
		})
	}
}

// stateOf is a trunk as operators see it.
func (w *world) stateOf(name string) TrunkStatus {
	w.t.Helper()
	for _, s := range w.srv.Trunks() {
		if s.Name == name {
			return s
		}
	}
	w.t.Fatalf("no trunk %q", name)
	return TrunkStatus{}
}

// TestWhyAServerIsMissed is told on one line of a terminal, whatever names a
// stranger's certificate has.
func TestWhyAServerIsMissed(t *testing.T) {
	require.Equal(t, "it answers 503", missedBy(sip.NewResponse(503, "no"), nil))
	require.Equal(t, "it does not answer", missedBy(nil, nil))
	got := missedBy(nil, errors.New("valid for a\x1b[2J\n, not b"+strings.Repeat("x", 1000)))
	require.True(t, strings.HasPrefix(got, "valid for a [2J , not bx"), got)
	require.Len(t, got, 300)
}
