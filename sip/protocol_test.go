package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/sip/trunk"
)

func TestOutsideADialog(t *testing.T) {
	w := open(t)
	for name, c := range map[string]struct {
		method string
		status int
		header string
	}{
		"OPTIONS":   {"OPTIONS", 200, "Allow"},
		"SUBSCRIBE": {"SUBSCRIBE", 405, "Allow"}, "NOTIFY": {"NOTIFY", 405, "Allow"}, "PUBLISH": {"PUBLISH", 405, "Allow"},
		"REFER": {"REFER", 405, "Allow"}, "MESSAGE": {"MESSAGE", 405, "Allow"}, "REGISTER": {"REGISTER", 405, "Allow"},
		"unknown": {"BREAKFAST", 501, "Allow"},
		"BYE":     {"BYE", 481, ""}, "INFO": {"INFO", 481, ""}, "UPDATE": {"UPDATE", 481, ""}, "PRACK": {"PRACK", 481, ""},
	} {
		d := w.a.outside(c.method)
		m := d.response(c.status, c.method)
		require.NotEmpty(t, m.tag("To"), name)
		if c.header != "" {
			require.NotEmpty(t, m.get(c.header), name)
		}
		require.NotContains(t, m.get("Allow"), "REFER")
	}
	for _, method := range []string{"SUBSCRIBE", "NOTIFY", "PUBLISH"} { // whatever the event: none is
		require.NotContains(t, w.a.outside(method, "Event: presence").response(405, method).get("Allow"), method)
	}
	d := w.a.outside("CANCEL")
	d.response(481, "CANCEL")
	gone := w.a.outside("OPTIONS")
	gone.response(200, "OPTIONS")
	for _, method := range []string{"BYE", "INVITE", "INFO", "OPTIONS"} {
		d := &side{p: w.a, callID: unique("gone"), me: gone.me, other: gone.other, mine: "x", theirs: "nobody", target: gone.target, contact: gone.contact}
		d.cseq, d.branch = 7, unique("z9hG4bK")
		d.lastInviteSeq = 7
		w.a.send(d.text(method, 7, d.branch, ""))
		m := d.response(481, method)
		if method == "INVITE" {
			d.nack(m)
		}
	}
	w.a.send(gone.text("ACK", 9, unique("z9hG4bK"), "")) // a stray one is no reason for anything
	w.a.outside("OPTIONS").response(200, "OPTIONS")
}

func TestInsideADialog(t *testing.T) {
	other := netip.MustParseAddr("127.0.0.9")
	w := open(t, func(s *settings) {
		s.more = append(s.more, trunk.Trunk{Name: "other", Peers: []trunk.Peer{{Net: netip.PrefixFrom(other, 32)}}})
	})
	a, b := w.talk()
	for method, status := range map[string]int{"OPTIONS": 200, "UPDATE": 200, "REFER": 405, "SUBSCRIBE": 405, "NOTIFY": 405, "PUBLISH": 405, "MESSAGE": 405, "PRACK": 481, "BREAKFAST": 501} {
		a.request(method, "", "Event: refer")
		a.response(status, method)
		b.request(method, "", "Event: refer")
		b.response(status, method)
	}
	t.Run("a lower CSeq", func(t *testing.T) {
		w.a.send(a.text("OPTIONS", 1, unique("z9hG4bK"), ""))
		w.a.await("500", func(m msg) bool { n, _ := m.cseq(); return n == 1 && m.status() == 500 })
	})
	t.Run("another From tag", func(t *testing.T) {
		was := a.mine
		a.mine = "guess"
		a.request("BYE", "")
		a.response(481, "BYE")
		a.mine = was
	})
	t.Run("another To tag", func(t *testing.T) {
		was := a.theirs
		a.theirs = "guess"
		a.request("BYE", "")
		a.response(481, "BYE")
		a.theirs = was
	})
	t.Run("from elsewhere", func(t *testing.T) {
		stranger := newPeer(t, "stranger", other.String())
		stranger.to = w.srv.UDPAddr()
		copied := *a
		copied.p = stranger
		copied.request("BYE", "")
		copied.response(403, "BYE")
		copied.cseq += 5
		copied.reinvite(w.mouthA.sdp(9))
		copied.fails(403)
		copied.p = w.b
		copied.request("BYE", "")
		copied.response(403, "BYE")
		w.bothHear()
	})
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestStrangers are not answered at all.
func TestStrangers(t *testing.T) {
	w := open(t)
	p := newPeer(t, "stranger", "127.0.0.9")
	p.to = w.srv.UDPAddr()
	p.dial(numX, numA, w.mouthA.sdp(1))
	p.outside("OPTIONS")
	time.Sleep(100 * time.Millisecond)
	require.Empty(t, p.everything())
	require.Zero(t, w.open())
}

func TestInvitesThatAreTurnedAway(t *testing.T) {
	w := open(t)
	sdp := w.mouthA.sdp(1)
	for name, c := range map[string]struct {
		sdp     string
		headers []string
		status  int
		header  string
	}{
		"no hops left":        {sdp, []string{"Max-Forwards: 0"}, 483, ""},
		"unknown extension":   {sdp, []string{"Require: 100rel, precondition", "Require: foo"}, 420, "Unsupported: precondition, foo"},
		"no audio":            {strings.Replace(sdp, "m=audio", "m=video", 1), nil, 488, ""},
		"SRTP only":           {strings.Replace(sdp, "RTP/AVP", "RTP/SAVP", 1), nil, 488, ""},
		"no codec in common":  {strings.NewReplacer("RTP/AVP 8 0 101", "RTP/AVP 18 96").Replace(sdp), nil, 488, ""},
		"no way to its audio": {strings.ReplaceAll(sdp, "IP4 127.0.0.2", "IP6 2001:db8::1"), nil, 488, ""},
		"broken SDP":          {"v=0\r\nm=audio x\r\n", nil, 400, ""},
		"no SDP at all":       {"hello", nil, 400, ""},
		"another type":        {"<x/>", []string{"Content-Type: application/xml"}, 415, "Accept: application/sdp"},
		"multipart":           {"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", []string{"Content-Type: multipart/mixed;boundary=b"}, 415, ""},
	} {
		d := w.a.dial(numX, numA, c.sdp, c.headers...)
		m := d.fails(c.status)
		if c.header != "" {
			name, value, _ := strings.Cut(c.header, ": ")
			require.Equal(t, value, m.get(name))
		}
		require.NotEmpty(t, m.raw, name)
	}
	eventually(t, "no call", func() bool { return w.open() == 0 })
	require.Empty(t, w.b.everything())
	require.Empty(t, w.journal.evs)
}

func TestHops(t *testing.T) {
	w := open(t)
	for given, passed := range map[string]string{"1": "0", "70": "69", "300": "254"} {
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), "Max-Forwards: "+given)
		b := w.b.ring()
		require.Equal(t, passed, b.invite.get("Max-Forwards"))
		b.says(486, "")
		a.fails(486)
	}
}

func TestMergedInvite(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	first := a.branch
	w.a.send(a.text("INVITE", 1, first, w.mouthA.sdp(1))) // a repetition: nothing new
	branch := unique("z9hG4bK")
	w.a.send(a.text("INVITE", 1, branch, w.mouthA.sdp(1))) // the same by another way
	m := w.a.await("482", func(m msg) bool { return m.status() == 482 })
	require.Contains(t, m.get("Via"), branch)
	a.branch = branch
	a.nack(m)
	a.branch = first
	w.b.never(20*time.Millisecond, "a second call", func(m msg) bool { return m.method() == "INVITE" })
	b.says(486, "")
	a.fails(486)
	w.ends(8102, 8102)
}

// TestManyAtOnce: who floods a dialog is told so, and holds up nobody else.
func TestManyAtOnce(t *testing.T) {
	w := open(t)
	wait := make(chan struct{})
	w.journal.delays(func(e events.Event) (<-chan struct{}, error) {
		if e.Kind == events.Answer {
			return wait, nil
		}
		return nil, nil
	})
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	b.says(180, "")
	a.theirs = a.response(180, "INVITE").tag("To")
	b.says(200, w.mouthB.sdp(1))
	b.acked() // now the call waits for its record
	w.mouthB.talksTo(b.invite)
	for range 200 {
		b.request("OPTIONS", "")
	}
	w.b.await("503", func(m msg) bool { return m.status() == 503 })
	w.a.outside("OPTIONS").response(200, "OPTIONS")
	close(wait)
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.bothHear()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestMalformed: well-framed errors are answered with 400, the rest is
// dropped, and a good call goes through afterwards.
func TestMalformed(t *testing.T) {
	w := open(t)
	d := w.a.dial(numX, numA, "")
	good := d.text("INVITE", 1, "BRANCH", w.mouthA.sdp(1))
	d.cancel()
	d.fails(487)
	eventually(t, "no call", func() bool { return w.open() == 0 })
	swap := func(old, new string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, new, 1)
	}
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"method of CSeq":      {swap("CSeq: 1 INVITE", "CSeq: 1 BYE"), 400},
		"no Contact":          {swap("Contact:", "X-Contact:"), 400},
		"no From tag":         {swap(";tag="+d.mine, ""), 400},
		"version":             {swap(" SIP/2.0\r\n", " SIP/9.0\r\n"), 505},
		"bad Max-Forwards":    {swap("Max-Forwards: 70", "Max-Forwards: many"), 0},
		"bad Via":             {swap("Via: SIP/2.0/UDP", "Via: nonsense"), 0},
		"no Call-ID":          {swap("Call-ID:", "X-ID:"), 0},
		"huge CSeq":           {swap("CSeq: 1 ", "CSeq: 99999999999999 "), 0},
		"content too long":    {swap("Content-Length: ", "Content-Length: 9"), 0},
		"content negative":    {swap("Content-Length: ", "Content-Length: -"), 0},
		"zero bytes":          {"\x00\x00\x00\x00", 0},
		"half a request":      {good[:len(good)/3], 0},
		"a line without end":  {"INVITE sip:" + strings.Repeat("1", 50000), 0},
		"thousand headers":    {swap("Max-Forwards", strings.Repeat("X-A: b\r\n", 3000)+"Max-Forwards"), -1},
		"nested quotes":       {swap("From: <", "From: \"\\\"\\\\\" <"), -1},
		"bad escape in X":     {swap("INVITE sip:"+numX, "INVITE sip:%zz"), -1},
		"tel URI":             {swap("INVITE sip:"+numX+"@"+w.a.to.String(), "INVITE tel:+86"+numX), -1},
		"response to nothing": {"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n", 0},
	} {
		text := strings.Replace(strings.Replace(c.text, "BRANCH", unique("z9hG4bK"), 1), d.callID, unique("bad"), 1)
		w.a.send(text)
		m := read(text)
		id := m.get("Call-ID")
		if c.status > 0 {
			got := w.a.await(fmt.Sprint(name, ": ", c.status), func(m msg) bool { return m.get("Call-ID") == id && m.status() >= 200 })
			require.Equal(t, c.status, got.status(), name)
		}
	}
	w.a.outside("OPTIONS").response(200, "OPTIONS") // all before it was read
	eventually(t, "no call", func() bool {          // those that were good enough became calls
		if b, ok := w.b.find(func(m msg) bool { return m.method() == "INVITE" }); ok {
			s := &side{p: w.b, mine: unique("b"), contact: "<sip:x@" + w.b.addr.String() + ">"}
			s.take(b)
			s.says(486, "")
		}
		return w.open() == 0
	})
	a, b := w.talk()
	w.bothHear()
	a.bye()
	b.hungUp()
}

// TestRouteSet: requests of ours take the way that Record-Route asked for, in
// the order of each side.
func TestRouteSet(t *testing.T) {
	w := open(t)
	here := w.a.addr.String()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1), "Record-Route: <sip:"+here+";lr>, <sip:10.9.9.9;lr>")
	b := w.b.ring()
	to := w.b.addr.String()
	b.says(200, w.mouthB.sdp(1), "Record-Route: <sip:10.8.8.8;lr>, <sip:"+to+";lr>")
	ack := b.acked()
	require.Equal(t, "Route: <sip:"+to+";lr>\r\nRoute: <sip:10.8.8.8;lr>\r\n", ack.lines("Route"))
	require.True(t, strings.HasPrefix(ack.start, "ACK sip:device@"), ack.start)
	ok := a.response(200, "INVITE")
	require.Contains(t, ok.lines("Record-Route"), "10.9.9.9")
	a.ack("")
	b.bye()
	bye := a.hungUp()
	require.Equal(t, "Route: <sip:"+here+";lr>\r\nRoute: <sip:10.9.9.9;lr>\r\n", bye.lines("Route"))
	w.ends(0, 0)
}

// TestTargetRefresh: a new Contact in a re-INVITE is where requests go.
func TestTargetRefresh(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	b.contact = "<sip:moved@" + w.b.addr.String() + ">"
	b.reinvite(w.mouthB.sdp(1))
	b.response(200, "INVITE")
	b.ack("")
	a.bye()
	require.True(t, strings.HasPrefix(b.hungUp().start, "BYE sip:moved@"))
}
