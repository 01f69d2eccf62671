package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/media"
	"axgate/media/record"
	"axgate/routing"
	"axgate/sip/trunk"
)

// decided is the router of one AXB binding, whose facts need not be asked for.
type decided struct {
	*rules
	plan  routing.Plan
	app   routing.App
	facts routing.Facts
}

func (r *decided) Decide(_ context.Context, q routing.Question) (routing.Decision, error) {
	return routing.Decide(&r.plan, &r.app, q, r.facts), nil
}

// calledOut is a journal that tells of INVITEs that are out, and stores nothing.
type calledOut chan struct{}

func (c calledOut) Write(_ events.Call, evs ...events.Event) <-chan error {
	if evs[0].Kind == events.CallOut {
		c <- struct{}{}
	}
	done := make(chan error, 1)
	done <- nil
	return done
}

func (calledOut) Hurry() {}

// passage is a server between the sockets of two carriers.
type passage struct {
	b    *testing.B
	srv  *Server
	from *net.UDPConn // the caller's carrier
	to   *net.UDPConn // the callee's
	out  calledOut
	buf  [64 << 10]byte
}

func newPassage(b *testing.B) *passage {
	p := &passage{b: b, out: make(calledOut, 1)}
	var at [2]netip.AddrPort
	for i, conn := range []**net.UDPConn{&p.from, &p.to} {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, byte(2+i))})
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, c.Close()) })
		*conn, at[i] = c, c.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	table, err := trunk.New([]trunk.Trunk{
		{Name: "a", Peers: []trunk.Peer{{Net: netip.PrefixFrom(at[0].Addr(), 32)}}},
		{Name: "b", Peers: []trunk.Peer{{Net: netip.PrefixFrom(at[1].Addr(), 32)}}, Address: at[1],
			CalleeFormat: routing.FormatNational, FromFormat: routing.FormatNational, SendPAI: true},
	})
	require.NoError(b, err)
	engine, err := media.Open(media.Config{IP: netip.MustParseAddr("127.0.0.1"), PortMin: 18000, PortMax: 18999, Quarantine: time.Millisecond}, zerolog.Nop())
	require.NoError(b, err)
	tape := record.Open(record.WriterOptions{Workers: 1})
	plan := routing.ChinaPlan()
	router := &decided{rules: &rules{}, plan: plan, app: routing.App{Key: "app1", SP: "sp1", Mode: routing.AXB},
		facts: routing.Facts{Known: true, App: "app1", Status: routing.StatusNormal, AreaCode: "0755", Bindings: 1,
			ByCaller: &routing.Binding{ID: "bind1", App: "app1", Mode: routing.AXB, X: "+86" + numX, A: "+86" + numA, B: "+86" + numB}}}
	p.srv, err = Open(Config{Node: "n1", Host: "host1", UDP: "127.0.0.1:0", MediaIP: netip.MustParseAddr("127.0.0.1"), Plan: plan, Trunks: table,
		Agent: "axgate", Codecs: []string{"PCMA", "PCMU"}, RecordDir: b.TempDir()}, engine, router, p.out, prompts{}, tape, zerolog.Nop())
	require.NoError(b, err)
	p.srv.Serve()
	b.Cleanup(func() {
		require.NoError(b, p.srv.Shutdown(expired()))
		require.NoError(b, engine.Close())
		require.NoError(b, tape.Close())
	})
	return p
}

// asks is a request as the caller's carrier sends it.
func (p *passage) asks(method string, n int, tag, body string) []byte {
	here, more := p.from.LocalAddr(), ""
	if tag != "" {
		tag = ";tag=" + tag
	}
	if body != "" {
		more = "Content-Type: application/sdp\r\n"
	}
	return fmt.Appendf(nil, "%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-bench-%d;rport\r\nFrom: \"Caller\" <sip:%s@%s>;tag=caller%d\r\n"+
		"To: <sip:%s@%s>%s\r\nCall-ID: %d-caller@%s\r\nCSeq: 1 %s\r\nContact: <sip:%s@%s;transport=udp>\r\nMax-Forwards: 70\r\n"+
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE\r\nP-Asserted-Identity: <sip:+86%s@%s>\r\nSupported: timer, 100rel\r\nUser-Agent: a switch\r\n"+
		"%sContent-Length: %d\r\n\r\n%s",
		method, numX, p.srv.UDPAddr(), here, n, numA, here, n, numX, p.srv.UDPAddr(), tag, n, here, method, numA, here, numA, here, more, len(body), body)
}

const carriersOffer = "v=0\r\no=- 3827 3827 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 17000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\n" +
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"

func (p *passage) send(from *net.UDPConn, raw []byte) {
	if _, err := from.WriteToUDPAddrPort(raw, p.srv.UDPAddr()); err != nil {
		p.b.Fatal(err)
	}
}

// next is the next message that a carrier gets; it is good until the one after it.
func (p *passage) next(at *net.UDPConn) []byte {
	n, err := at.Read(p.buf[:])
	if err != nil {
		p.b.Fatal(err)
	}
	return p.buf[:n]
}

// turnDown ends a call: the callee is busy.
func (p *passage) turnDown(n int, invite msg) {
	p.send(p.to, fmt.Appendf(nil, "SIP/2.0 486 Busy Here\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=callee\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
		invite.get("Via"), invite.get("From"), invite.get("To"), invite.get("Call-ID"), invite.get("CSeq")))
	ack := read(string(p.next(p.to)))
	require.Equal(p.b, "ACK", ack.method())
	for {
		res := read(string(p.next(p.from)))
		if res.status() == 486 {
			p.send(p.from, p.asks("ACK", n, res.tag("To"), ""))
			break
		}
		require.Equal(p.b, 100, res.status())
	}
	eventually(p.b, "the call is over", func() bool {
		p.srv.mu.Lock()
		defer p.srv.mu.Unlock()
		return len(p.srv.calls) == 0
	})
}

// BenchmarkInvite is the way of a call through the node, from the bytes of a carrier's INVITE to those of the one to the
// callee: read, decided on known facts, built from nothing with ports for the audio, looked at, written. Redis and the
// journal's disk are not in it.
func BenchmarkInvite(b *testing.B) {
	p := newPassage(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		require.NoError(b, errors.Join(p.from.SetReadDeadline(time.Now().Add(patience)), p.to.SetReadDeadline(time.Now().Add(patience))))
		raw := p.asks("INVITE", n, "", carriersOffer)
		b.StartTimer()
		p.send(p.from, raw)
		out := p.next(p.to)
		<-p.out
		b.StopTimer()
		invite := read(string(out))
		require.Equal(b, "INVITE", invite.method())
		require.Contains(b, invite.get("From"), numX)
		require.Contains(b, invite.uri(), numB)
		require.NotContains(b, invite.raw, numA)
		p.turnDown(n, invite)
		b.StartTimer()
	}
}
