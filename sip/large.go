package sip

import (
	"errors"
	"slices"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
)

// largest is the most bytes of a request over UDP to a peer of which nobody
// knows what its network takes (RFC 3261 section 18.1.1).
const largest = 1300

// large has an INVITE that is too large for UDP go over TCP, and all of its
// dialog with it, if the trunk takes that. It returns where it goes.
func (c *call) large(b *calleeLeg, req *sip.Request, to wire.Peer) wire.Peer {
	t := b.route.trunk
	if t == nil || !t.Way.TCPLarge || b.route.small || to.Transport != "UDP" || !c.srv.stack.TCPAddr().IsValid() || len(wire.TextOf(req).Bytes()) <= largest {
		return to
	}
	to.Transport = "TCP"
	me := c.srv.local(b.dialog.Contact().User, to.Transport, t)
	b.dialog.Over(to, me)
	sentBy(req, to.Transport, me.SentBy)
	if contact := req.Contact(); contact != nil {
		contact.Address = *me.Contact.Clone()
	}
	b.route.to, b.enlarged = to, true
	c.log.Debug().Stringer("server", to).Msg("the INVITE is too large for UDP")
	return to
}

// largeInside has a request inside a dialog that is too large for UDP go over
// TCP, if the trunk takes that; the dialog stays where it is. It returns where
// it goes.
func (c *call) largeInside(p *sent, req *sip.Request, to wire.Peer) wire.Peer {
	t := p.leg.trunk
	if t == nil || !t.Way.TCPLarge || p.small || to.Transport != "UDP" || !c.srv.stack.TCPAddr().IsValid() || len(wire.TextOf(req).Bytes()) <= largest {
		return to
	}
	to.Transport = "TCP"
	sentBy(req, to.Transport, c.srv.local("", to.Transport, t).SentBy)
	c.log.Debug().Stringer("server", to).Str("method", string(req.Method)).Msg("the request is too large for UDP")
	return to
}

// overUDPAfterAll tells whether a request that TCP did not carry is to be
// sent over UDP, whatever its size (RFC 3261 section 18.1.1).
func (p *sent) overUDPAfterAll(err error) bool {
	if p.small || p.tx == nil || p.tx.To.Transport != "TCP" || p.dialog.Peer.Transport != "UDP" || !errors.Is(err, wire.ErrUnreachable) {
		return false
	}
	p.small = true
	return true
}

// sentBy has the Via of a request say over what it goes and where answers come.
func sentBy(req *sip.Request, transport, at string) {
	via := req.Via()
	via.Transport, via.Host, via.Port = transport, hostOf(at), portOf(at)
}

// afterLarge puts a server to which TCP did not lead in again, over UDP (RFC
// 3261 section 18.1.1).
func afterLarge(servers []route, i int, b *calleeLeg) []route {
	if !b.enlarged || b.rang {
		return servers
	}
	again := servers[i]
	again.small = true
	return slices.Insert(servers, i+1, again)
}
