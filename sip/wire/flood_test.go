package wire

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

func peerAt(addr string) Peer { return Peer{Addr: netip.MustParseAddrPort(addr), Transport: "UDP"} }

// clocked is a guard whose time the test moves.
func clocked(cfg Flood) (*guard, *time.Time) {
	g := newGuard(cfg)
	now := time.Unix(1700000000, 0)
	g.now, g.turned = func() time.Time { return now }, now
	return g, &now
}

func passes(g *guard, from Peer, n int) (passed int) {
	for range n {
		if g.pass(from) {
			passed++
		}
	}
	return passed
}

func TestFloodRate(t *testing.T) {
	trunk := peerAt("192.0.2.1:5060")
	g, now := clocked(Flood{Rate: 10, Burst: 20, Known: func(p Peer) bool { return p == trunk }})
	a, b := peerAt("198.51.100.1:5060"), peerAt("198.51.100.2:5060")
	require.Equal(t, 20, passes(g, a, 100))
	require.Equal(t, 20, passes(g, b, 100), "each source has its own measure")
	require.Equal(t, 0, passes(g, peerAt("198.51.100.1:9999"), 1), "another port is no other source")
	require.Equal(t, 100, passes(g, trunk, 100), "a trunk is not bounded")
	*now = now.Add(time.Second)
	require.Equal(t, 10, passes(g, a, 100))
	*now = now.Add(90 * time.Second)
	require.Equal(t, 20, passes(g, a, 100))
	require.EqualValues(t, 80+80+1+90+80, g.counts.Limited)
	six := peerAt("[2001:db8::1]:5060")
	require.Equal(t, 20, passes(g, six, 20))
	require.Equal(t, 0, passes(g, peerAt("[2001:db8::ffff]:5060"), 20), "a /64 is one source")
	require.Equal(t, 20, passes(g, peerAt("[2001:db8:0:1::1]:5060"), 20))
}

func TestFloodOff(t *testing.T) {
	g, _ := clocked(Flood{})
	require.Equal(t, 1000, passes(g, peerAt("198.51.100.1:1"), 1000))
	require.Empty(t, g.new, "nothing is kept")
}

func TestFloodOfSources(t *testing.T) {
	g, now := clocked(Flood{Rate: 1, Burst: 5, Refusals: 3})
	old := peerAt("198.51.100.1:5060")
	require.True(t, g.pass(old))
	for i := range 3 * maxSources {
		from := Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1), Transport: "UDP"}
		g.pass(from)
		g.refused(from, 1)
	}
	require.LessOrEqual(t, len(g.new)+len(g.old), 2*maxSources)
	require.True(t, g.pass(old), "who was here before is not hurt")
	*now = now.Add(2 * floodSpan)
	g.pass(old)
	*now = now.Add(2 * floodSpan)
	g.pass(old)
	require.Len(t, g.new, 1)
	require.Len(t, g.old, 1)
	require.Empty(t, g.bans)
}

func TestBan(t *testing.T) {
	g, now := clocked(Flood{Refusals: 3, Ban: time.Minute})
	s := &Stack{guard: g}
	a := peerAt("198.51.100.1:5060")
	g.refused(a, 1)
	g.refused(a, 1)
	require.True(t, g.pass(a))
	g.served(a)
	g.refused(a, 2)
	require.True(t, g.pass(a), "who proved itself begins anew")
	g.refused(a, 1)
	require.Equal(t, 0, passes(g, a, 5))
	require.Equal(t, []Ban{{Source: netip.MustParsePrefix("198.51.100.1/32"), Since: *now, Until: now.Add(time.Minute), Refusals: 3, Dropped: 5}}, s.Bans())
	require.EqualValues(t, 5, s.FloodCounts().Banned)
	*now = now.Add(time.Minute + time.Second)
	require.True(t, g.pass(a))
	require.Empty(t, s.Bans())
	g.refused(a, 3)
	require.False(t, g.pass(a))
	require.True(t, s.Unban(a.Addr.Addr()))
	require.False(t, s.Unban(a.Addr.Addr()))
	require.True(t, g.pass(a))
	g.refused(a, 2)
	*now = now.Add(2 * floodSpan)
	g.refused(a, 2)
	require.True(t, g.pass(a), "refusals of long ago do not count")
}

// TestScan has a scanner unanswered, and a stranger who is refused again and
// again banned over the wire, UDP and TCP.
func TestScan(t *testing.T) {
	h := newCollector()
	h.onReq = func(tx *ServerTx) {
		status := 404
		if tx.Request.Method == "REGISTER" {
			status = 200
		}
		_ = tx.Respond(Reply(tx.Request, status, "X"))
	}
	s, err := Open(Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", Flood: Flood{Refusals: 8}}, zerolog.Nop())
	require.NoError(t, err)
	s.Serve(h)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	r := newRaw(t)
	send := func(wait time.Duration, method string, n int, header string) string {
		r.send(s.UDPAddr(), strings.Replace(r.request(method, fmt.Sprint(method, n), n, ""), "Content-Length", header+"Content-Length", 1))
		return status(r.read(wait))
	}
	const soon, none = 5 * time.Second, 250 * time.Millisecond // for an answer that must come, and for one that must not
	require.Empty(t, send(none, "OPTIONS", 1, "User-Agent: friendly-scanner\r\n"))
	require.EqualValues(t, 1, s.FloodCounts().Scanners)
	require.Equal(t, "200 X", send(soon, "REGISTER", 2, ""), "and what it cost is forgotten")
	for i := range 8 {
		require.Equal(t, "404 X", send(soon, "INVITE", 10+i, ""))
		r.send(s.UDPAddr(), r.request("ACK", fmt.Sprint("INVITE", 10+i), 10+i, ""))
	}
	require.Empty(t, send(none, "INVITE", 30, ""))
	require.Len(t, s.Bans(), 1)
	require.Empty(t, newStream(t, s).end(), "nor is it heard over TCP")
	require.True(t, s.Unban(netip.MustParseAddr("127.0.0.1")))
	require.Equal(t, "404 X", send(soon, "INVITE", 31, ""))
}

// TestFloodInStream has a connection closed whose messages are too many.
func TestFloodInStream(t *testing.T) {
	s := openWith(t, Config{Flood: Flood{Rate: 0.001, Burst: 3}})
	p := newStream(t, s) // which is the first of three
	var all strings.Builder
	for i := range 5 {
		all.WriteString(option(i, empty))
	}
	p.send(all.String())
	require.Equal(t, 2, strings.Count(p.end(), "SIP/2.0 200 OK"))
	require.EqualValues(t, 1, s.FloodCounts().Limited)
	require.Empty(t, newStream(t, s).end())
}
