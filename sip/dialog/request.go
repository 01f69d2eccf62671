package dialog

import (
	"net"
	"strconv"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
)

// DefaultHops is the Max-Forwards of requests that no call passed on to us.
const DefaultHops = 70

// Invite builds the first INVITE of a calling dialog from nothing.
// hops is its Max-Forwards.
func (d *Dialog) Invite(hops int, sdp []byte) (*sip.Request, wire.Peer) {
	req, to := d.request(sip.INVITE, hops)
	d.offer(req, sdp)
	return req, to
}

// Request builds a request inside the dialog with the next CSeq and tells
// where it goes. A body needs its Content-Type.
func (d *Dialog) Request(method sip.RequestMethod, contentType string, body []byte) (*sip.Request, wire.Peer) {
	req, to := d.request(method, DefaultHops)
	if method == sip.INVITE || method == sip.UPDATE {
		req.AppendHeader(d.contact())
		req.AppendHeader(sip.NewHeader("Allow", d.me.Allow))
	}
	if body != nil {
		req.AppendHeader(sip.NewHeader("Content-Type", contentType))
	}
	req.SetBody(body)
	return req, to
}

func (d *Dialog) offer(req *sip.Request, sdp []byte) {
	req.AppendHeader(d.contact())
	req.AppendHeader(sip.NewHeader("Allow", d.me.Allow))
	if sdp != nil {
		req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	req.SetBody(sdp)
}

func (d *Dialog) request(method sip.RequestMethod, hops int) (*sip.Request, wire.Peer) {
	d.cseq++
	return d.build(method, d.cseq, hops, sip.GenerateBranch())
}

// build writes the headers of RFC 3261 section 12.2.1.1.
func (d *Dialog) build(method sip.RequestMethod, cseq uint32, hops int, branch string) (*sip.Request, wire.Peer) {
	to := d.next()
	target, routes := d.target, d.routes
	if len(routes) > 0 {
		if _, loose := routes[0].UriParams.Get("lr"); !loose { // a strict router, RFC 3261 section 16.12
			target, routes = routes[0], append(append([]sip.Uri(nil), routes[1:]...), d.target)
		}
	}
	target.Headers = nil
	req := sip.NewRequest(method, target)
	req.AppendHeader(d.via(to.Transport, branch))
	for i := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: *routes[i].Clone()})
	}
	mf := sip.MaxForwardsHeader(hops)
	req.AppendHeader(&mf)
	from := &sip.FromHeader{DisplayName: d.localName, Address: *d.local.Clone()}
	from.Params.Add("tag", d.localTag)
	req.AppendHeader(from)
	toh := &sip.ToHeader{Address: *d.remote.Clone()}
	if d.remoteTag != "" {
		toh.Params.Add("tag", d.remoteTag)
	}
	req.AppendHeader(toh)
	callID := sip.CallIDHeader(d.CallID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: method})
	if d.me.Agent != "" {
		req.AppendHeader(sip.NewHeader("User-Agent", d.me.Agent))
	}
	return req, to
}

func (d *Dialog) via(transport, branch string) *sip.ViaHeader {
	host, port, err := net.SplitHostPort(d.me.SentBy)
	if err != nil {
		host = d.me.SentBy
	}
	n, _ := strconv.Atoi(port)
	v := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: transport, Host: host, Port: n}
	v.Params.Add("branch", branch)
	v.Params.Add("rport", "")
	return v
}

func (d *Dialog) contact() *sip.ContactHeader {
	return &sip.ContactHeader{Address: *d.me.Contact.Clone()}
}

// Cancel builds the CANCEL of an INVITE that is under way (RFC 3261 section
// 9.1): the same branch, Request-URI, To, From, Call-ID and CSeq number.
func Cancel(invite *sip.Request, reason string) *sip.Request {
	req := sip.NewRequest(sip.CANCEL, *invite.Recipient.Clone())
	req.AppendHeader(invite.Via().Clone())
	sip.CopyHeaders("Route", invite, req)
	mf := sip.MaxForwardsHeader(DefaultHops)
	req.AppendHeader(&mf)
	req.AppendHeader(sip.HeaderClone(invite.From()))
	req.AppendHeader(sip.HeaderClone(invite.To()))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	if reason != "" {
		req.AppendHeader(sip.NewHeader("Reason", reason))
	}
	req.SetBody(nil)
	return req
}

// Proved notes the credentials of an INVITE that is about to leave: its ACK has
// the same (RFC 3261 section 13.2.2.4).
func (d *Dialog) Proved(invite *sip.Request) {
	d.proofs, d.proofsFor = nil, invite.CSeq().SeqNo
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		d.proofs = append(d.proofs, invite.GetHeaders(name)...)
	}
}

// Ack builds the ACK to a 2xx of the INVITE with this CSeq. What it needs to be
// the same for a repetition of the 2xx is remembered (RFC 3261 section 13.2.2.4);
// SDP it has none.
func (d *Dialog) Ack(cseq uint32) (*sip.Request, wire.Peer) {
	d.ackFor, d.ackBranch = cseq, sip.GenerateBranch()
	return d.ack()
}

func (d *Dialog) ack() (*sip.Request, wire.Peer) {
	req, to := d.build(sip.ACK, d.ackFor, DefaultHops, d.ackBranch)
	if d.ackFor == d.proofsFor {
		for _, h := range d.proofs {
			req.AppendHeader(sip.HeaderClone(h))
		}
	}
	req.SetBody(nil)
	return req, to
}

// AckAgain is the ACK for a repeated 2xx, if one was sent.
func (d *Dialog) AckAgain(res *sip.Response) (*sip.Request, wire.Peer, bool) {
	if d.ackBranch == "" || res.CSeq().SeqNo != d.ackFor {
		return nil, wire.Peer{}, false
	}
	req, to := d.ack()
	return req, to, true
}

// Reply builds a response inside the dialog, with its tag, and with Contact
// and Allow where RFC 3261 section 12.1.1 and RFC 3311 want them.
func (d *Dialog) Reply(req *sip.Request, status int, phrase string) *sip.Response {
	res := wire.Reply(req, status, phrase)
	if status > 100 {
		res.To().Params.Add("tag", d.localTag)
	}
	if status > 100 && status < 300 && (req.Method == sip.INVITE || req.Method == sip.UPDATE) {
		res.AppendHeader(d.contact())
		res.AppendHeader(sip.NewHeader("Allow", d.me.Allow))
	}
	return res
}
