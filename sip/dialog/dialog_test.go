package dialog

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/sip/wire"
)

var (
	caller = wire.Peer{Addr: netip.MustParseAddrPort("198.51.100.7:5060"), Transport: "UDP"}
	callee = wire.Peer{Addr: netip.MustParseAddrPort("203.0.113.9:5060"), Transport: "UDP"}
	me     = Local{Contact: sip.Uri{Scheme: "sip", User: "18012345678", Host: "192.0.2.1", Port: 5060}, SentBy: "192.0.2.1:5060", Agent: "axgate", Allow: "INVITE, ACK, BYE, CANCEL"}
)

// message is a message as it comes from the wire.
func message[M sip.Message](t testing.TB, lines ...string) M {
	msg, err := sip.ParseMessage([]byte(strings.Join(append(lines, "Content-Length: 0"), "\r\n") + "\r\n\r\n"))
	require.NoError(t, err)
	return msg.(M)
}

// incoming is the INVITE that made the caller's dialog.
func incoming(t testing.TB, more ...string) *sip.Request {
	return message[*sip.Request](t, append([]string{"INVITE sip:18012345678@192.0.2.1 SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKa",
		`From: "Li Wei" <sip:13800000001@198.51.100.7>;tag=theirs`, "To: <sip:18012345678@192.0.2.1>", "Call-ID: a1@198.51.100.7", "CSeq: 314 INVITE"}, more...)...)
}

// inside is a request in that dialog.
func inside(t testing.TB, method string, cseq int, to, from string, more ...string) *sip.Request {
	return message[*sip.Request](t, append([]string{method + " sip:18012345678@192.0.2.1 SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKb",
		"From: <sip:13800000001@198.51.100.7>" + from, "To: <sip:18012345678@192.0.2.1>" + to, "Call-ID: a1@198.51.100.7", "CSeq: " + strconv.Itoa(cseq) + " " + method}, more...)...)
}

// calling is the callee's dialog after its first INVITE.
func calling() (*Dialog, *sip.Request) {
	d := Calling(sip.Uri{Scheme: "sip", User: "18012345678", Host: "192.0.2.1"}, "", sip.Uri{Scheme: "sip", User: "13900000009", Host: "203.0.113.9"}, callee, me)
	invite, _ := d.Invite(69, []byte("v=0\r\n"))
	return d, invite
}

// response answers our INVITE.
func response(t testing.TB, invite *sip.Request, status, tag string, more ...string) *sip.Response {
	return message[*sip.Response](t, append([]string{"SIP/2.0 " + status, "Via: " + invite.Via().Value(), "From: " + invite.From().Value(),
		"To: " + invite.To().Value() + tag, "Call-ID: " + invite.CallID().Value(), "CSeq: " + invite.CSeq().Value()}, more...)...)
}

func names(headers []sip.Header) []string {
	var all []string
	for _, h := range headers {
		all = append(all, h.Name())
	}
	return all
}

func routes(req *sip.Request) []string {
	var all []string
	for _, h := range req.GetHeaders("Route") {
		all = append(all, h.Value())
	}
	return all
}

// TestTags: both tags and the Call-ID name a dialog (RFC 3261 section 12); a
// request of another one is 481.
func TestTags(t *testing.T) {
	d := Answering(incoming(t), caller, me)
	require.Equal(t, "a1@198.51.100.7", d.CallID)
	require.Equal(t, "theirs", d.RemoteTag())
	require.NotEmpty(t, d.LocalTag())
	require.NotEqual(t, d.LocalTag(), Answering(incoming(t), caller, me).LocalTag())
	ours := ";tag=" + d.LocalTag()
	require.NoError(t, d.Check(inside(t, "BYE", 315, ours, ";tag=theirs")))
	for _, c := range [][2]string{{"", ";tag=theirs"}, {";tag=x", ";tag=theirs"}, {ours, ""}, {ours, ";tag=x"}, {";tag=theirs", ours}, {ours + "x", ";tag=theirs"}} {
		require.ErrorIs(t, d.Check(inside(t, "BYE", 400, c[0], c[1])), ErrTags, c)
	}
	require.NoError(t, d.Check(inside(t, "BYE", 316, ours, ";tag=theirs")), "a stranger's CSeq counts for nothing")

	b, invite := calling()
	require.NotEqual(t, d.CallID, b.CallID)
	require.Empty(t, b.RemoteTag())
	require.False(t, invite.To().Params.Has("tag"))
	b.Confirm(response(t, invite, "200 OK", ";tag=phone"))
	require.Equal(t, "phone", b.RemoteTag())
	bye, _ := b.Request(sip.BYE, "", nil)
	require.Equal(t, []string{b.LocalTag(), "phone"}, []string{bye.From().Params.GetOr("tag", ""), bye.To().Params.GetOr("tag", "")})

	tagless, invite := calling() // of before RFC 3261: tolerated
	tagless.Confirm(response(t, invite, "200 OK", ""))
	bye, _ = tagless.Request(sip.BYE, "", nil)
	require.False(t, bye.To().Params.Has("tag"))
}

// TestCSeq: ours rises by one with each request, theirs must not fall (RFC 3261
// sections 12.2.1.1 and 12.2.2).
func TestCSeq(t *testing.T) {
	d := Answering(incoming(t), caller, me)
	ours := ";tag=" + d.LocalTag()
	for _, c := range []struct {
		method string
		cseq   int
		want   error
	}{
		{"INFO", 313, ErrOldCSeq}, {"INFO", 0, ErrOldCSeq}, {"INFO", 315, nil}, {"INFO", 315, nil}, {"INFO", 314, ErrOldCSeq},
		{"INVITE", 320, nil}, {"INFO", 321, nil},
		{"ACK", 320, nil}, // has the number of its INVITE, whatever came between
		{"BYE", 320, ErrOldCSeq}, {"BYE", 2147483647, nil},
	} {
		require.Equal(t, c.want, d.Check(inside(t, c.method, c.cseq, ours, ";tag=theirs")), c)
	}
	require.NoError(t, d.Check(inside(t, "ACK", 2147483647, ours, ";tag=theirs")))

	b, invite := calling()
	require.Equal(t, "1 INVITE", invite.CSeq().Value())
	info, _ := b.Request(sip.INFO, "application/dtmf-relay", []byte("Signal=1"))
	require.Equal(t, "2 INFO", info.CSeq().Value())
	ack, _ := b.Ack(1)
	require.Equal(t, "1 ACK", ack.CSeq().Value())
	bye, _ := b.Request(sip.BYE, "", nil)
	require.Equal(t, "3 BYE", bye.CSeq().Value())
	bye, _ = d.Request(sip.BYE, "", nil)
	require.Equal(t, "1 BYE", bye.CSeq().Value(), "each side counts for itself")
	first := inside(t, "BYE", 7, ";tag="+b.LocalTag(), ";tag=phone")
	require.NoError(t, b.Check(first), "the first of a callee may have any number")
	require.ErrorIs(t, b.Check(inside(t, "BYE", 6, ";tag="+b.LocalTag(), ";tag=phone")), ErrOldCSeq)
}

// TestRouteSet: in the order of Record-Route as UAS, reversed as UAC (RFC 3261
// sections 12.1.1 and 12.1.2), and where requests go then (section 12.2.1.1).
func TestRouteSet(t *testing.T) {
	const one, two, strict = "<sip:198.51.100.1:5070;lr>", "<sip:198.51.100.2;lr=on>", "<sip:198.51.100.3:5080>"
	for _, c := range []struct {
		name        string
		recordRoute []string
		uri         string
		asUAS       []string
		to          string
		uriUAC      string
		asUAC       []string
		toUAC       string
	}{
		{"none", nil, "sip:phone@198.51.100.7:5062", nil, "198.51.100.7:5062", "sip:phone@198.51.100.7:5062", nil, "198.51.100.7:5062"},
		{"loose", []string{one, two}, "sip:phone@198.51.100.7:5062", []string{one, two}, "198.51.100.1:5070",
			"sip:phone@198.51.100.7:5062", []string{two, one}, "198.51.100.2:5060"},
		{"loose in a list", []string{one + ", " + two}, "sip:phone@198.51.100.7:5062", []string{one, two}, "198.51.100.1:5070",
			"sip:phone@198.51.100.7:5062", []string{two, one}, "198.51.100.2:5060"},
		{"strict first", []string{strict, two}, "sip:198.51.100.3:5080", []string{two, "<sip:phone@198.51.100.7:5062>"}, "198.51.100.3:5080",
			"sip:phone@198.51.100.7:5062", []string{two, strict}, "198.51.100.2:5060"},
		{"strict last", []string{one, strict}, "sip:phone@198.51.100.7:5062", []string{one, strict}, "198.51.100.1:5070",
			"sip:198.51.100.3:5080", []string{one, "<sip:phone@198.51.100.7:5062>"}, "198.51.100.3:5080"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := []string{"Contact: <sip:phone@198.51.100.7:5062>"}
			for _, rr := range c.recordRoute {
				lines = append(lines, "Record-Route: "+rr)
			}
			d := Answering(incoming(t, lines...), caller, me)
			bye, to := d.Request(sip.BYE, "", nil)
			require.Equal(t, c.uri, bye.Recipient.String())
			require.Equal(t, c.asUAS, routes(bye))
			require.Equal(t, wire.Peer{Addr: netip.MustParseAddrPort(c.to), Transport: "UDP"}, to)

			d, invite := calling()
			require.Empty(t, routes(invite))
			d.Confirm(response(t, invite, "200 OK", ";tag=1", lines...))
			for range 2 { // building a request changes nothing
				bye, to = d.Request(sip.BYE, "", nil)
				require.Equal(t, c.uriUAC, bye.Recipient.String())
				require.Equal(t, c.asUAC, routes(bye))
				require.Equal(t, netip.MustParseAddrPort(c.toUAC), to.Addr)
			}
			d.Behind = true
			_, to = d.Request(sip.BYE, "", nil)
			require.Equal(t, callee, to, "a peer behind a NAT is reached where it was heard")
		})
	}
}

// TestNextHop: the address of the target, or the peer itself where there is
// none that could be sent to.
func TestNextHop(t *testing.T) {
	tcp, tls := wire.Peer{Addr: caller.Addr, Transport: "TCP"}, wire.Peer{Addr: caller.Addr, Transport: "TLS"}
	for _, c := range []struct {
		contact string
		peer    wire.Peer
		want    string
	}{
		{"<sip:phone@198.51.100.8>", caller, "UDP 198.51.100.8:5060"},
		{"<sip:phone@[2001:db8::1]:5070>", caller, "UDP [2001:db8::1]:5070"},
		{"<sip:phone@[::ffff:198.51.100.8]>", caller, "UDP 198.51.100.8:5060"},
		{"<sip:phone@198.51.100.8;transport=TCP>", caller, "TCP 198.51.100.8:5060"},
		{"<sip:phone@198.51.100.8;transport=ws>", caller, "UDP 198.51.100.8:5060"},
		{"<sip:phone@pbx.example.com>", caller, caller.String()},
		{"<sip:phone@0.0.0.0>", caller, caller.String()},
		{"<sip:phone@198.51.100.8:70000>", caller, "UDP 198.51.100.8:5060"},
		{"<tel:+8613800000001>", caller, caller.String()},
		{"*", caller, caller.String()},
		{"<sip:phone@198.51.100.7:5999;transport=tcp>", tcp, tcp.String()}, // the connection that stands
		{"<sip:phone@198.51.100.8:5999>", tcp, "TCP 198.51.100.8:5999"},
		{"<sip:phone@198.51.100.8:5999;transport=tls>", tls, tls.String()}, // nobody knows that host's certificate
		{"<sip:phone@198.51.100.7:5060;transport=udp>", tls, tls.String()}, // others could read along
		{"<sips:phone@198.51.100.8>", caller, caller.String()},
		{"<sip:phone@198.51.100.8:5061;transport=TLS>", tcp, tcp.String()},
	} {
		d := Answering(incoming(t, "Contact: "+c.contact), c.peer, me)
		_, to := d.Request(sip.BYE, "", nil)
		require.Equal(t, c.want, to.String(), c.contact)
	}
}

// TestNamed: only what the peer's side has named is its word, and only in its own
// dialog.
func TestNamed(t *testing.T) {
	const contact, proxy = "sip:phone@198.51.100.7:5062", "sip:198.51.100.1;lr"
	lines := []string{"Contact: <" + contact + ">", "Record-Route: <" + proxy + ">"}
	a := Answering(incoming(t, lines...), caller, me)
	b, invite := calling()
	ours := b.target.String()
	b.Through(sip.Uri{Scheme: "sip", Host: "203.0.113.1"})
	for _, uri := range []string{ours, "sip:203.0.113.1", contact, proxy} {
		require.False(t, b.Named(uri), "nobody has answered: %s", uri)
	}
	b.Confirm(response(t, invite, "200 OK", ";tag=1", lines...))
	for _, d := range []*Dialog{a, b} {
		require.True(t, d.Named(contact))
		require.True(t, d.Named(proxy))
		for _, uri := range []string{"", ours, contact + ";x", "sip:203.0.113.1", strings.ToUpper(proxy)} {
			require.False(t, d.Named(uri), uri)
		}
	}
	silent := b.Fork(response(t, invite, "200 OK", ";tag=2"))
	for _, uri := range []string{ours, contact, proxy} {
		require.False(t, silent.Named(uri), "of another phone: %s", uri)
	}
}

// TestTargetRefresh (RFC 3261 section 12.2): a new Contact counts, the route
// set stays.
func TestTargetRefresh(t *testing.T) {
	d := Answering(incoming(t, "Contact: <sip:phone@198.51.100.7>", "Record-Route: <sip:198.51.100.1;lr>"), caller, me)
	d.Refresh(inside(t, "INVITE", 315, "", "", "Contact: <sip:new@198.51.100.8:5070?Subject=13800000001>", "Record-Route: <sip:203.0.113.1;lr>"))
	bye, _ := d.Request(sip.BYE, "", nil)
	require.Equal(t, "sip:new@198.51.100.8:5070", bye.Recipient.String())
	require.Equal(t, []string{"<sip:198.51.100.1;lr>"}, routes(bye))
	for _, none := range [][]string{nil, {"Contact: *"}} {
		d.Refresh(inside(t, "INVITE", 316, "", "", none...))
		bye, _ = d.Request(sip.BYE, "", nil)
		require.Equal(t, "sip:new@198.51.100.8:5070", bye.Recipient.String())
	}
}

// TestMoved: a phone behind a NAT gets another port, never another host.
func TestMoved(t *testing.T) {
	at := func(addr, transport string) wire.Peer {
		return wire.Peer{Addr: netip.MustParseAddrPort(addr), Transport: transport}
	}
	for _, c := range []struct {
		behind   bool
		was, now wire.Peer
		moves    bool
	}{
		{true, caller, at("198.51.100.7:40000", "UDP"), true},
		{false, caller, at("198.51.100.7:40000", "UDP"), false},
		{false, at("198.51.100.7:1", "TCP"), at("198.51.100.7:2", "TCP"), true},
		{false, at("198.51.100.7:1", "TLS"), at("198.51.100.7:2", "TLS"), true},
		{false, at("198.51.100.7:1", "TLS"), at("198.51.100.7:2", "TCP"), false},
		{true, caller, at("198.51.100.8:5060", "UDP"), false},
		{true, caller, at("198.51.100.7:40000", "TCP"), false},
	} {
		d := Answering(incoming(t), c.was, me)
		d.Behind = c.behind
		d.Moved(c.now)
		require.Equal(t, c.moves, d.Peer == c.now, c)
	}
}

// TestLost: a connection that the peer had made and that is gone gives way to
// one that can be made.
func TestLost(t *testing.T) {
	at := func(addr, transport string) wire.Peer {
		return wire.Peer{Addr: netip.MustParseAddrPort(addr), Transport: transport}
	}
	target := "Contact: <sip:phone@198.51.100.7:5070;transport=tcp>"
	d := Answering(incoming(t, target), at("198.51.100.7:40000", "TCP"), me)
	require.False(t, d.Lost(at("198.51.100.7:40001", "TCP")), "another")
	require.True(t, d.Lost(at("198.51.100.7:40000", "TCP")))
	_, to := d.Request(sip.BYE, "", nil)
	require.Equal(t, "TCP 198.51.100.7:5070", to.String())
	require.False(t, d.Lost(to), "there is no other place")

	for name, c := range map[string]*Dialog{
		"UDP":          Answering(incoming(t, target), at("198.51.100.7:40000", "UDP"), me),
		"behind a NAT": Answering(incoming(t, target), at("198.51.100.7:40000", "TCP"), me),
		"TLS, its own": Answering(incoming(t, target), at("198.51.100.7:40000", "TLS"), me),
	} {
		c.Behind = name == "behind a NAT"
		was := c.Peer
		require.False(t, c.Lost(was), name)
		require.Equal(t, was, c.Peer, name)
	}

	server := wire.Peer{Addr: netip.MustParseAddrPort("198.51.100.7:5061"), Transport: "TLS", Proof: "sbc"}
	d = Calling(sip.Uri{Host: "h"}, "", sip.Uri{Host: "h"}, server, me)
	d.Moved(at("198.51.100.7:40000", "TLS"))
	require.True(t, d.Lost(at("198.51.100.7:40000", "TLS")))
	require.Equal(t, server, d.Peer, "with the proof that it owes us")
}
