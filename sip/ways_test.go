package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// srv is the record of one server of carrier.test.
func srv(n, priority int, at netip.AddrPort) []string { return srvOver("_sip._udp", n, priority, at) }

// srvOver is the same for another service.
func srvOver(service string, n, priority int, at netip.AddrPort) []string {
	name := fmt.Sprintf("s%d.carrier.test.", n)
	return []string{
		fmt.Sprintf("%s.carrier.test. 60 IN SRV %d 0 %d %s", service, priority, at.Port(), name),
		fmt.Sprintf("%s 60 IN A %s", name, at.Addr()),
	}
}

// byName has trunk b found by a name in DNS, with two servers: the first is
// another peer.
func byName(t *testing.T, first **peer, z **zone, changes ...func(*trunk.Trunk)) func(*settings) {
	return func(s *settings) {
		*first = newPeer(t, "first", "127.0.0.4")
		*z = newZone(t, append(srv(1, 1, (*first).addr), srv(2, 2, s.trunkB.Address)...)...)
		s.cfg.DNS = []string{(*z).addr}
		s.trunkB.Way.Host, s.trunkB.Address = "carrier.test", netip.AddrPort{}
		for _, c := range changes {
			c(&s.trunkB)
		}
	}
}

// TestServersOfAName: the servers that a domain names are tried in their order;
// what an answer means is the same for each, and the CDR has the last one.
func TestServersOfAName(t *testing.T) {
	var first *peer
	var z *zone
	w := open(t, byName(t, &first, &z))
	first.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	one := first.ring()
	require.Equal(t, "INVITE sip:"+numB+"@carrier.test SIP/2.0", one.invite.start)
	require.Contains(t, one.invite.get("To"), "@carrier.test>")
	require.Empty(t, one.invite.get("Route"))
	one.says(503, "")
	two := w.b.ring()
	require.NotEqual(t, one.callID, two.callID)
	two.says(486, "")
	a.fails(486)
	w.ends(8102, 8102)
}

// TestOneTrunkFailedAsAWhole: after 500 the other server of the same trunk is
// left out: it belongs to the same carrier.
func TestOneTrunkFailedAsAWhole(t *testing.T) {
	var first *peer
	var z *zone
	w := open(t, byName(t, &first, &z))
	first.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	first.ring().says(500, "")
	a.fails(503)
	w.ends(8020, 7506)
	w.b.never(0, "a call", func(m msg) bool { return m.method() == "INVITE" })
}

// TestSilentServer: a caller does not wait for the transaction of a server that
// says nothing; one that wakes up finds the INVITE taken back.
func TestSilentServer(t *testing.T) {
	var first *peer
	var z *zone
	w := open(t, byName(t, &first, &z, func(tr *trunk.Trunk) { tr.Way.ConnectTimeout = 300 * time.Millisecond }))
	first.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	late := first.ring()
	b := w.b.ring()
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	a.response(200, "INVITE")
	a.ack("")
	late.says(180, "")
	late.cancelled()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
	require.Contains(t, w.logged(), "no word from the server")
}

// TestSilentAfterAChallenge: an INVITE that is repeated has the time of a first
// one: no less where the challenge came late, and no more where a provisional
// response came before it.
func TestSilentAfterAChallenge(t *testing.T) {
	t.Parallel()
	challenge := func(b *side, w *peer) *side {
		b.says(401, "", `WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"`)
		return w.ring()
	}
	t.Run("no less", func(t *testing.T) {
		const patience = 6 * time.Second // below 64*T1, and its rest far above what the machine makes late
		w := open(t, named, func(s *settings) { s.trunkB.Way.ConnectTimeout, s.cfg.RingTimeout = patience, time.Minute })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		time.Sleep(patience * 6 / 10)
		again := challenge(b, w.b)
		time.Sleep(patience * 6 / 10)
		again.says(180, "")
		a.response(180, "INVITE")
		again.says(486, "")
		a.fails(486)
		w.ends(8102, 8102)
		require.NotContains(t, w.logged(), "no word from the server")
	})
	t.Run("no more", func(t *testing.T) {
		var first *peer
		var z *zone
		w := open(t, named, byName(t, &first, &z, func(tr *trunk.Trunk) { tr.Way.ConnectTimeout = 300 * time.Millisecond }), func(s *settings) { s.cfg.RingTimeout = time.Minute })
		first.to = w.srv.UDPAddr()
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := first.ring()
		b.says(100, "")
		time.Sleep(400 * time.Millisecond)
		late := challenge(b, first)
		two := w.b.ring()
		require.Contains(t, w.logged(), "no word from the server")
		two.says(486, "")
		a.fails(486)
		late.says(100, "")
		late.cancelled()
		w.ends(8102, 8102)
	})
}

// TestDNSFails: a node starts although DNS does not answer, and its calls end
// soon.
func TestDNSFails(t *testing.T) {
	var first *peer
	var z *zone
	w := open(t, byName(t, &first, &z), func(*settings) { z.fails(true) })
	first.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	a.fails(503)
	w.ends(8020, 7508)
	require.Contains(t, w.logged(), "the trunk cannot be found")
}

// TestCallFromAName: a peer that is a name is known by the addresses it has, and
// so is a request in a dialog from another server of the trunk.
func TestCallFromAName(t *testing.T) {
	z := newZone(t)
	w := open(t, func(s *settings) {
		z.set("calls.carrier.test. 60 IN A " + s.trunkA.Peers[0].Net.Addr().String())
		s.cfg.DNS = []string{z.addr}
		s.trunkA.Peers = []trunk.Peer{{Host: "calls.carrier.test", Port: 0, Transport: "UDP"}}
	})
	// The name is asked for as that of a host, for nothing says that it has
	// services.
	eventually(t, "the name is found", func() bool { return w.srv.Accept(wirePeer(w.a.addr)) })
	a, b := w.talk()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
	require.False(t, w.srv.Accept(wirePeer(netip.MustParseAddrPort("127.0.0.77:5060"))))
}

// TestOutboundProxy: all goes to the proxy, with its Route; the domain is not
// in DNS. Inside the dialog the recorded route counts.
func TestOutboundProxy(t *testing.T) {
	w := open(t, func(s *settings) {
		s.trunkB.Way = trunk.Way{Proxy: s.trunkB.Address.String(), Domain: "ims.mnc000.mcc460.3gppnetwork.org"}
		s.trunkB.Address = netip.AddrPort{}
	})
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	require.Equal(t, "INVITE sip:"+numB+"@ims.mnc000.mcc460.3gppnetwork.org SIP/2.0", b.invite.start)
	require.Equal(t, "<sip:"+w.b.addr.String()+";lr>", b.invite.get("Route"))
	require.Contains(t, b.invite.get("To"), "<sip:"+numB+"@ims.mnc000.mcc460.3gppnetwork.org>")
	b.contact = "<sip:cscf@10.255.255.1>"
	b.says(180, "", "Record-Route: <sip:"+w.b.addr.String()+";lr;id=7>")
	a.response(180, "INVITE")
	a.cancel()
	m := w.b.request("CANCEL")
	require.Equal(t, "<sip:"+w.b.addr.String()+";lr>", m.get("Route"))
	a.fails(487)
	w.journal.ended(t)
}

// TestOrder: lower priorities first, then by weight; what has none comes last.
func TestOrder(t *testing.T) {
	all := []*trunk.Trunk{
		{Name: "spare", Way: trunk.Way{Priority: 2}}, {Name: "none"}, {Name: "three", Way: trunk.Way{Weight: 3}}, {Name: "one", Way: trunk.Way{Weight: 1}}, {Name: "none too"},
	}
	names := func(lot func(int) int) string {
		var list []string
		for _, tr := range inOrder(all, lot) {
			list = append(list, tr.Name)
		}
		return strings.Join(list, ", ")
	}
	require.Equal(t, "three, one, none, none too, spare", names(func(int) int { return 0 }))
	require.Equal(t, "one, three, none, none too, spare", names(func(n int) int { return n - 1 }))
	first := map[int]string{}
	for lot := range 4 {
		first[lot], _, _ = strings.Cut(names(func(n int) int { return min(lot, n-1) }), ",")
	}
	require.Equal(t, map[int]string{0: "three", 1: "three", 2: "three", 3: "one"}, first)
	require.Equal(t, "spare", all[0].Name, "the table keeps its order")
}

// TestPrefixes: a number goes over the trunks that serve it.
func TestPrefixes(t *testing.T) {
	var other *peer
	w := open(t, func(s *settings) {
		other = newPeer(t, "other", "127.0.0.4")
		s.more = append(s.more, trunk.Trunk{Name: "abroad", Address: other.addr, Way: trunk.Way{Prefixes: []string{"+852", "+8613800"}}})
		s.trunkB.Way.Prefixes = []string{"+1", "+86139"}
	})
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	w.b.ring().says(486, "")
	a.fails(486)
	w.ends(8102, 8102)
	require.Empty(t, other.everything())
}

func wirePeer(at netip.AddrPort) wire.Peer { return wire.Peer{Addr: at, Transport: "UDP"} }

// pings answers the OPTIONS of a peer until the test says otherwise.
func (p *peer) pings(status int) msg {
	p.t.Helper()
	m := p.request("OPTIONS")
	d := &side{p: p, mine: unique("o"), contact: "<sip:switch@carrier.test>"}
	d.take(m)
	if status > 0 {
		d.reply(m, status, "")
	}
	return m
}

// TestServerDownAndUp: three misses, and the calls go elsewhere at once; two
// answers, and they come again.
func TestServerDownAndUp(t *testing.T) {
	var second *peer
	w := open(t, func(s *settings) {
		second = newPeer(t, "second", "127.0.0.4")
		s.trunkB.Way.PingInterval = time.Second
		s.more = append(s.more, trunk.Trunk{Name: "spare", Address: second.addr, Way: trunk.Way{Priority: 1}})
	})
	second.to = w.srv.UDPAddr()
	m := w.b.pings(200)
	require.Equal(t, "0", m.get("Content-Length"))
	require.Empty(t, m.get("Contact"))
	up := func() bool { return w.srv.Trunks()[2].Up }
	require.True(t, up())
	require.Equal(t, "b", w.srv.Trunks()[2].Name)
	for range missesDown {
		w.b.pings(503)
	}
	eventually(t, "it is down", func() bool { return !up() })
	require.Contains(t, w.logged(), "a server of a trunk is down")
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	second.ring().says(486, "")
	a.fails(486)
	w.ends(8102, 8102)
	eventually(t, "it is up", func() bool {
		if m, ok := w.b.find(func(m msg) bool { return m.method() == "OPTIONS" }); ok {
			d := &side{p: w.b, mine: unique("o"), contact: "<sip:switch@carrier.test>"}
			d.take(m)
			d.reply(m, 404, "")
		}
		return up()
	})
	a = w.a.dial(numX, numA, w.mouthA.sdp(1))
	w.b.ring().says(486, "")
	a.fails(486)
	w.ends(8102, 8102)
}
