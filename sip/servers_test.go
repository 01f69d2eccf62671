package sip

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/enrol"
	"axgate/sip/trunk"
	"axgate/sms"
)

// TestLastGoodAnswerOfDNS: calls and texts go to the servers that were known
// last while DNS fails, to each of them as before, and elsewhere once it says
// so again.
func TestLastGoodAnswerOfDNS(t *testing.T) {
	var first *peer
	var z *zone
	w := open(t, texting(newOffice()), byName(t, &first, &z), func(s *settings) { s.cfg.dnsTime = 50 * time.Millisecond })
	first.to = w.srv.UDPAddr()
	refused := func(at *peer, status int) {
		t.Helper()
		at.ring().says(status, "")
	}
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	refused(first, 486)
	a.fails(486)

	z.fails(true)
	time.Sleep(60 * time.Millisecond) // the answer is old now
	a = w.a.dial(numX, numA, w.mouthA.sdp(1))
	refused(first, 503)
	refused(w.b, 486)
	a.fails(486)
	require.NotZero(t, z.questions(), "DNS was asked, and the answer failed")
	require.Contains(t, w.logged(), "SERVFAIL")
	require.Empty(t, w.stateOf("b").Failure)
	require.Len(t, w.stateOf("b").Servers, 2)
	done := w.sends(w.srv, "b", texted("hi"))
	first.answers(first.request("MESSAGE"), 200)
	require.NoError(t, wait(t, done))
	in := first.dials("sip:"+numX+"@"+first.to.String(), numX, numB, w.mouthB.sdp(1))
	in.fails(403) // it is no peer of ours
	require.False(t, w.srv.Accept(wirePeer(netip.MustParseAddrPort("127.0.0.77:5060"))))
	require.True(t, w.srv.Accept(wirePeer(first.addr)), "what it sends in dialogs is still known")

	z.set(srv(2, 1, w.b.addr)...)
	z.fails(false)
	eventually(t, "the new answer", func() bool { return len(w.stateOf("b").Servers) == 1 })
	a = w.a.dial(numX, numA, w.mouthA.sdp(1))
	refused(w.b, 486)
	a.fails(486)
	first.never(0, "a call", func(m msg) bool { return m.method() == "INVITE" })
}

// TestTextOverServers: a text that has certainly not come to one server of a
// name goes to the next, once; one that may have come stays there.
func TestTextOverServers(t *testing.T) {
	t.Parallel()
	text := func(m msg) bool { return m.method() == "MESSAGE" }
	t.Run("nobody is there", func(t *testing.T) {
		w := open(t, texting(newOffice()), func(s *settings) {
			dead := newPeer(t, "dead", "127.0.0.4") // it does not listen on TCP
			z := newZone(t, append(srvOver("_sip._tcp", 1, 1, dead.addr), srvOver("_sip._tcp", 2, 2, s.trunkB.Address)...)...)
			s.cfg.DNS = []string{z.addr}
			s.trunkB.Way.Host, s.trunkB.Address, s.tcpB = "carrier.test", netip.AddrPort{}, true
		})
		done := w.sends(w.srv, "b", texted("hi"))
		m := w.b.request("MESSAGE")
		require.Equal(t, "1 MESSAGE", m.get("CSeq"))
		require.Equal(t, "hi", m.body)
		w.b.answers(m, 200)
		require.NoError(t, wait(t, done))
		require.Equal(t, 1, w.b.times(m))
		w.b.never(0, "it again", text)
		dead := w.stateOf("b").Servers[0]
		require.Equal(t, 1, dead.Misses)
		require.Contains(t, dead.Failure, "connection refused")
	})
	t.Run("it cannot now", func(t *testing.T) {
		var first *peer
		var z *zone
		w := open(t, texting(newOffice()), byName(t, &first, &z))
		first.to = w.srv.UDPAddr()
		done := w.sends(w.srv, "b", texted("hi"))
		one := first.request("MESSAGE")
		first.answers(one, 503, "Retry-After: 60")
		two := w.b.request("MESSAGE")
		require.Equal(t, one.get("Call-ID"), two.get("Call-ID"), "it is the same text")
		w.b.answers(two, 202)
		require.NoError(t, wait(t, done))
		o := texted("again")
		o.ID = "sms-2"
		done = w.sends(w.srv, "b", o) // the one that rests is not asked
		w.b.answers(w.b.request("MESSAGE"), 200)
		require.NoError(t, wait(t, done))
		first.never(0, "another text", text)
		w.b.never(0, "another text", text)
	})
	t.Run("it refuses", func(t *testing.T) {
		var first *peer
		var z *zone
		w := open(t, texting(newOffice()), byName(t, &first, &z))
		first.to = w.srv.UDPAddr()
		for _, status := range []int{404, 480, 500} {
			o := texted("hi")
			o.ID = unique("sms")
			done := w.sends(w.srv, "b", o)
			first.answers(first.request("MESSAGE"), status)
			require.Equal(t, status, failure(t, wait(t, done)).Status)
		}
		w.b.never(0, "a text", text)
	})
	t.Run("it says nothing, and may have it", func(t *testing.T) {
		var first *peer
		var z *zone
		w := open(t, texting(newOffice()), byName(t, &first, &z))
		first.to = w.srv.UDPAddr()
		done := w.sends(w.srv, "b", texted("hi"))
		first.request("MESSAGE")
		require.Equal(t, sms.Failure{Status: 408, Reason: "b does not answer", Temporary: true}, failure(t, wait(t, done)))
		w.b.never(0, "a text", text)
		require.Equal(t, 1, w.stateOf("b").Servers[0].Misses)
	})
}

// TestRegistersAtTheNextServer: REGISTER goes to the second server of a name
// where the first cannot take it, and so do the calls, by the proxy that stands
// in the file and the Service-Route behind it.
func TestRegistersAtTheNextServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		proxy   bool
		service string
		routes  []string
	}{
		"a host":                       {false, "<sip:scscf.ims.example.com;lr>", []string{"<sip:scscf.ims.example.com;lr>"}},
		"a proxy":                      {true, "<sip:scscf.ims.example.com;lr>", []string{"<sip:carrier.test;lr>", "<sip:scscf.ims.example.com;lr>"}},
		"a proxy that names itself":    {true, "<sip:carrier.test;lr>, <sip:scscf.ims.example.com;lr>", []string{"<sip:carrier.test;lr>", "<sip:scscf.ims.example.com;lr>"}},
		"a proxy without further ones": {true, "", []string{"<sip:carrier.test;lr>"}},
	} {
		t.Run(name, func(t *testing.T) {
			var first *peer
			var z *zone
			w := open(t, enrolled, byName(t, &first, &z, func(tr *trunk.Trunk) {
				if c.proxy {
					tr.Way.Host, tr.Way.Proxy = "", "carrier.test"
					tr.Way.Domain = "ims.example.com"
				}
			}))
			first.to = w.srv.UDPAddr()
			m := first.request("REGISTER")
			require.Equal(t, "REGISTER sip:ims.example.com SIP/2.0", m.start)
			if c.proxy {
				require.Equal(t, "<sip:carrier.test;lr>", m.get("Route"))
			}
			first.answers(m, 503)
			var headers []string
			if c.service != "" {
				headers = append(headers, "Service-Route: "+c.service)
			}
			l := w.b.enrols(headers...)
			require.Equal(t, enrol.Registered, w.registered().State)
			a, b := w.talk()
			require.Equal(t, c.routes, routesOf(b.invite))
			require.Equal(t, l.contact, b.invite.contact())
			a.bye()
			b.hungUp()
			w.ends(0, 0)
			first.never(0, "a call, or its proof", func(m msg) bool { return true })
			for _, raw := range first.everything() {
				require.NotContains(t, raw, "Authorization")
			}
		})
	}
}

// routesOf are the Routes of a request.
func routesOf(m msg) []string {
	return strings.Fields(strings.ReplaceAll(m.lines("Route"), "Route: ", ""))
}
