// Package dialog is one leg's side of a SIP dialog (RFC 3261 section 12): its
// identifiers, sequence numbers, route set and remote target, and the messages
// built from them. A Dialog belongs to the goroutine of its call: requests of
// one leg are numbered and sent from one place.
package dialog

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
)

// Local is what we say of ourselves in a leg's messages.
type Local struct {
	Contact sip.Uri // our address, its user part an X or nothing
	SentBy  string  // host:port for Via
	Agent   string  // User-Agent; empty: none
	Allow   string  // Allow
}

// Dialog is the state of one leg. The zero value is of no use.
type Dialog struct {
	CallID string
	Peer   wire.Peer // where the leg's messages came from or were first sent to
	// Behind tells that the peer's Contact cannot be trusted to be reachable
	// (a softphone behind NAT): requests go to Peer.
	Behind bool

	home      wire.Peer // the server that a calling dialog began with
	me        *Local    // not changed: forks have the same
	localTag  string
	remoteTag string
	local     sip.Uri
	localName string
	remote    sip.Uri
	target    sip.Uri
	theirs    bool // the peer has named the target
	routes    []sip.Uri
	fresh     bool // nobody has answered: routes are those that it was given
	cseq      uint32
	seen      uint32 // the peer's highest CSeq
	heard     bool   // seen is valid

	proofs    []sip.Header // credentials of the last INVITE, for its ACK
	proofsFor uint32       // that INVITE's CSeq

	ackFor    uint32 // CSeq of the INVITE whose 2xx was acknowledged last; each repetition gets that ACK again
	ackBranch string // of its Via; empty: there was none
}

// Errors of Check, to be answered with the status that they name.
var (
	ErrOldCSeq = errors.New("CSeq is lower than one seen before: 500")
	ErrTags    = errors.New("tags are of no dialog here: 481")
)

// Answering starts the dialog of an INVITE that came in.
func Answering(invite *sip.Request, from wire.Peer, me Local) *Dialog {
	d := &Dialog{CallID: strings.Clone(invite.CallID().Value()), Peer: from, me: &me, localTag: sip.GenerateTagN(12),
		local: own(&invite.To().Address), remote: own(&invite.From().Address), seen: invite.CSeq().SeqNo, heard: true}
	tag, _ := invite.From().Params.Get("tag")
	d.remoteTag = strings.Clone(tag)
	for _, h := range invite.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			d.routes = append(d.routes, own(&rr.Address))
		}
	}
	d.target, d.theirs = d.remote, true
	d.refresh(invite.Contact())
	return d
}

// Calling starts the dialog of an INVITE that will go out to the peer.
func Calling(from sip.Uri, name string, to sip.Uri, peer wire.Peer, me Local) *Dialog {
	return &Dialog{CallID: sip.GenerateTagN(24), Peer: peer, home: peer, me: &me, localTag: sip.GenerateTagN(12),
		local: from, localName: name, remote: to, target: to, fresh: true}
}

// Over has the dialog begin over another way to the peer, before anybody has
// answered.
func (d *Dialog) Over(peer wire.Peer, me Local) { d.Peer, d.home, d.me = peer, peer, &me }

// Contact is how the peer is told to reach us.
func (d *Dialog) Contact() sip.Uri { return d.me.Contact }

// Through has the requests before the first answer name the way to the peer:
// an outbound proxy, or a Service-Route (RFC 3608). The answer brings the route
// set of the dialog.
func (d *Dialog) Through(routes ...sip.Uri) { d.routes = routes }

// LocalTag identifies the leg together with its Call-ID.
func (d *Dialog) LocalTag() string { return d.localTag }

// RemoteTag is empty until the peer of a calling dialog has named one.
func (d *Dialog) RemoteTag() string { return d.remoteTag }

// Confirm takes the tag, route set and target of the response that made the
// dialog (RFC 3261 section 12.1.2). A second call with another tag moves the
// dialog: caller-tune servers answer 183 and 200 under different tags.
func (d *Dialog) Confirm(res *sip.Response) {
	if tag, _ := res.To().Params.Get("tag"); tag != "" { // who forgets it in the answer still has it
		d.remoteTag = strings.Clone(tag)
	}
	d.fresh = false
	rr := res.GetHeaders("Record-Route")
	d.routes = make([]sip.Uri, 0, len(rr))
	for i := len(rr) - 1; i >= 0; i-- {
		if h, ok := rr[i].(*sip.RecordRouteHeader); ok {
			d.routes = append(d.routes, own(&h.Address))
		}
	}
	d.refresh(res.Contact())
}

// Fork is the dialog of a further 2xx to the same INVITE, fit for ACK and BYE.
// Nothing of what the first phone said is in it.
func (d *Dialog) Fork(res *sip.Response) *Dialog {
	f := *d
	f.target, f.theirs, f.remoteTag, f.seen, f.heard, f.ackBranch = d.remote, false, "", 0, false, ""
	f.Confirm(res)
	return &f
}

// Refresh takes a new remote target from a target refresh request or its 2xx
// (RFC 3261 section 12.2); the route set stays.
func (d *Dialog) Refresh(msg interface{ Contact() *sip.ContactHeader }) { d.refresh(msg.Contact()) }

// Moved notes where the peer's messages come from now: a phone behind a NAT
// gets another port there, a TCP connection is made anew. The host stays. It
// tells whether anything is another now.
func (d *Dialog) Moved(from wire.Peer) bool {
	moved := from.Addr != d.Peer.Addr && from.Addr.Addr() == d.Peer.Addr.Addr() && from.Transport == d.Peer.Transport && (d.Behind || from.Transport != "UDP")
	if moved {
		d.Peer = from
	}
	return moved
}

func (d *Dialog) refresh(c *sip.ContactHeader) {
	if c != nil && c.Address.Host != "" && !c.Address.Wildcard {
		d.target, d.theirs = own(&c.Address), true
	}
}

// Named tells whether a URI, as it stands in the Request-URI or a Route of a
// request, is one that the peer's side has named itself, word for word: the
// remote target, or one of the route set that its messages brought.
func (d *Dialog) Named(uri string) bool {
	if d.theirs {
		bare := d.target
		bare.Headers = nil
		if uri == bare.String() || uri == d.target.String() {
			return true
		}
	}
	return !d.fresh && slices.ContainsFunc(d.routes, func(r sip.Uri) bool { return uri == r.String() })
}

// Check tells whether a request belongs to this dialog and is not out of
// order (RFC 3261 section 12.2.2), and notes its CSeq. An ACK has that of its
// INVITE, and other requests may have come between the two.
func (d *Dialog) Check(req *sip.Request) error {
	to, _ := req.To().Params.Get("tag")
	from, _ := req.From().Params.Get("tag")
	if to != d.localTag || (d.remoteTag != "" && from != d.remoteTag) {
		return ErrTags
	}
	if req.Method == sip.ACK {
		return nil
	}
	n := req.CSeq().SeqNo
	if d.heard && n < d.seen {
		return ErrOldCSeq
	}
	d.seen, d.heard = n, true
	return nil
}

// next is where the dialog's requests go: the first route or the target when
// it is an address, else the peer itself. What came over TLS stays with the
// peer that proved itself: an address in a Contact has no name to be proven,
// and without TLS others could read along. Likewise a target that asks for TLS
// in a dialog without it gets its requests the way it came. Until somebody has
// answered the peer is the server that was chosen, whatever the URIs say.
func (d *Dialog) next() wire.Peer {
	if d.fresh || d.Behind || d.Peer.Transport == "TLS" {
		return d.Peer
	}
	to, ok := d.hop()
	if !ok || to.Transport == "TCP" && to.Addr.Addr() == d.Peer.Addr.Addr() && d.Peer.Transport == "TCP" {
		return d.Peer // the connection that stands (RFC 5923)
	}
	return to
}

// hop is where the first route or the target is; not ok: it is no address, or
// one to be reached over TLS.
func (d *Dialog) hop() (to wire.Peer, ok bool) {
	hop := &d.target
	if len(d.routes) > 0 {
		hop = &d.routes[0]
	}
	addr, err := netip.ParseAddr(strings.Trim(hop.Host, "[]"))
	if err != nil || addr.IsUnspecified() || secure(hop) {
		return to, false
	}
	port := hop.Port
	if port <= 0 || port > 65535 {
		port = sip.DefaultUdpPort
	}
	transport := d.Peer.Transport
	if t, ok := hop.UriParams.Get("transport"); ok {
		switch strings.ToUpper(t) {
		case "TCP", "UDP":
			transport = strings.ToUpper(t)
		}
	}
	return wire.Peer{Addr: netip.AddrPortFrom(addr.Unmap(), uint16(port)), Transport: transport}, true
}

// Lost tells that nothing leads to a peer any more that the dialog's requests
// went to: the connection is gone that it had made to us. From now on they go to
// where it said that it can be connected to, or over TLS to the server that the
// dialog began with. It is false if there is no such place, or none but this.
func (d *Dialog) Lost(peer wire.Peer) bool {
	if d.Behind || peer != d.Peer || peer.Transport == "UDP" {
		return false
	}
	to := d.home
	if at, ok := d.hop(); ok && peer.Transport == "TCP" {
		to = at
	}
	if !to.Addr.IsValid() || to == peer {
		return false
	}
	d.Peer = to
	return true
}

// secure tells whether an address is to be reached over TLS.
func secure(u *sip.Uri) bool {
	t, _ := u.UriParams.Get("transport")
	return u.Scheme == "sips" || strings.EqualFold(t, "tls")
}

// own is a copy of a URI of a message: a dialog lasts as long as its call, and a
// part of the message's text would keep all of it.
func own(u *sip.Uri) sip.Uri {
	c := *u.Clone()
	for _, text := range []*string{&c.Scheme, &c.User, &c.Password, &c.Host} {
		*text = strings.Clone(*text)
	}
	for _, params := range []sip.HeaderParams{c.UriParams, c.Headers} {
		for i := range params {
			params[i].K, params[i].V = strings.Clone(params[i].K), strings.Clone(params[i].V)
		}
	}
	return c
}
