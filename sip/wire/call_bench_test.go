package wire_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/sip/dialog"
	"axgate/sip/identity"
	"axgate/sip/wire"
)

// offer is a description as trunks send it.
const offer = "v=0\r\no=- 3827 3827 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\n" +
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"

const allows = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, NOTIFY, MESSAGE"

// bridge is a B2BUA of messages alone: what comes on one leg it says on the
// other, without routes, media or records.
type bridge struct {
	b     testing.TB
	stack *wire.Stack
	trunk wire.Peer

	caller, callee *dialog.Dialog
	invited        *wire.ServerTx
	sent           *sip.Request // the last on the callee's leg
}

func (*bridge) Accept(wire.Peer) bool               { return true }
func (*bridge) Cancel(*wire.ServerTx, *sip.Request) {}
func (*bridge) Stray(*sip.Response, wire.Peer)      {}
func (r *bridge) done(err error)                    { require.NoError(r.b, err) }
func (r *bridge) local() dialog.Local {
	return dialog.Local{Contact: contact, SentBy: "192.0.2.1:5060", Agent: "axgate", Allow: allows}
}

var contact = sip.Uri{Scheme: "sip", User: "17010000001", Host: "192.0.2.1", Port: 5060}

// Request takes the caller's INVITE and BYE.
func (r *bridge) Request(tx *wire.ServerTx) {
	if tx.Request.Method == sip.BYE {
		r.done(r.caller.Check(tx.Request))
		r.done(tx.Respond(r.caller.Reply(tx.Request, 200, "OK")))
		req, to := r.callee.Request(sip.BYE, "", nil)
		req.AppendHeader(sip.NewHeader("Reason", "Q.850;cause=16"))
		r.sent = r.stack.Send(req, to, r.told).Request
		return
	}
	r.invited = tx
	r.caller = dialog.Answering(tx.Request, tx.From, r.local())
	r.done(tx.Respond(r.caller.Reply(tx.Request, 100, "Trying")))
	r.callee = dialog.Calling(sip.Uri{Scheme: "sip", User: "17010000001", Host: "192.0.2.1"}, "", sip.Uri{Scheme: "sip", User: "13900000002", Host: "192.0.2.30"}, r.trunk, r.local())
	req, to := r.callee.Invite(69, []byte(offer))
	req.AppendHeader(sip.NewHeader("Supported", "timer"))
	r.sent = r.stack.Send(req, to, r.told).Request
}

// told takes what the callee answers.
func (r *bridge) told(res *sip.Response, err error) {
	r.done(err)
	if res.StatusCode == 100 || res.CSeq().MethodName != sip.INVITE {
		return
	}
	r.callee.Confirm(res)
	out := r.caller.Reply(r.invited.Request, res.StatusCode, res.Reason)
	if res.StatusCode == 200 {
		out.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		out.SetBody([]byte(offer))
	}
	r.done(r.invited.Respond(out))
}

// Ack takes the caller's ACK.
func (r *bridge) Ack(req *sip.Request, _ wire.Peer) {
	r.done(r.caller.Check(req))
	ack, to := r.callee.Ack(r.sent.CSeq().SeqNo)
	r.done(r.stack.Write(ack, to))
}

// asks is a request of the caller.
func (r *bridge) asks(method string, n int, body string) []byte {
	to, cseq := "<sip:17010000001@192.0.2.1>", 1
	if method != "INVITE" {
		to += ";tag=" + r.caller.LocalTag()
	}
	if method == "BYE" {
		cseq = 2
	}
	more := ""
	if body != "" {
		more = "Content-Type: application/sdp\r\n"
	}
	return fmt.Appendf(nil, "%s sip:17010000001@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK-%s-%d;rport\r\n"+
		"From: \"Caller\" <sip:13800000001@192.0.2.20>;tag=caller%d\r\nTo: %s\r\nCall-ID: %d-caller@192.0.2.20\r\nCSeq: %d %s\r\n"+
		"Contact: <sip:13800000001@192.0.2.20:5060;transport=udp>\r\nMax-Forwards: 70\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE\r\n"+
		"P-Asserted-Identity: <sip:+8613800000001@192.0.2.20>\r\nSupported: timer, 100rel\r\nUser-Agent: a switch\r\n%sContent-Length: %d\r\n\r\n%s",
		method, method, n, n, to, n, cseq, method, more, len(body), body)
}

// answers is a response of the callee to what was sent last.
func (r *bridge) answers(status, body string) []byte {
	to := r.sent.To().Value()
	if !strings.Contains(to, ";tag=") && status != "100 Trying" {
		to += ";tag=callee"
	}
	more := ""
	if body != "" {
		more = "Content-Type: application/sdp\r\n"
	}
	return fmt.Appendf(nil, "SIP/2.0 %s\r\nVia: %s;received=192.0.2.1\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:13900000002@%s>\r\n"+
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nServer: a switch\r\n%sContent-Length: %d\r\n\r\n%s",
		status, r.sent.Via().Value(), r.sent.From().Value(), to, r.sent.CallID().Value(), r.sent.CSeq().Value(), r.trunk.Addr, more, len(body), body)
}

func newBridge(b testing.TB) *bridge {
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // what is sent is thrown away
	require.NoError(b, err)
	b.Cleanup(func() { _ = sink.Close() })
	r := &bridge{b: b, trunk: wire.Peer{Addr: sink.LocalAddr().(*net.UDPAddr).AddrPort(), Transport: "UDP"}}
	r.stack, err = wire.Open(wire.Config{UDP: "127.0.0.1:0", Check: func(_ sip.Message, text *wire.Text) error {
		for name, value := range text.Fields {
			if err := identity.Check(name, value); err != nil {
				return err
			}
		}
		return nil
	}}, zerolog.Nop())
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, r.stack.Close()) })
	r.stack.Serve(r)
	return r
}

// BenchmarkCall is what all messages of a call cost: seven that come and seven
// that go, from the bytes to the socket.
func BenchmarkCall(b *testing.B) {
	r := newBridge(b)
	from := r.trunk
	take := func(raw []byte) {
		if !r.stack.Take(raw, from) {
			b.Fatalf("not taken: %s", raw)
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		take(r.asks("INVITE", n, offer))
		take(r.answers("100 Trying", ""))
		take(r.answers("180 Ringing", ""))
		take(r.answers("200 OK", offer))
		take(r.asks("ACK", n, ""))
		take(r.asks("BYE", n, ""))
		take(r.answers("200 OK", ""))
		if left := r.stack.Transactions(); left > 0 && n == 1 {
			b.Fatalf("%d transactions are left", left)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/14, "ns/message")
}
