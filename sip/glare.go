package sip

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/sip/wire"
)

// crosses tells whether an INVITE of the peer, or an UPDATE with an offer, comes
// at a wrong time, and refuses it: 491 while an offer or INVITE of ours waits,
// 500 while one of theirs does (RFC 3261 section 14.2, RFC 3311 section 5.2). A
// 2xx of ours whose ACK is missing is no reason: who asks on has got it.
func (c *call) crosses(l *leg, tx *wire.ServerTx) bool {
	method := tx.Request.Method
	late := l.side == media.Caller && l.up && !l.ready // our offer went out with the 200
	early := l.side == media.Callee && !l.up && (!l.ready || method == sip.INVITE)
	owed := l.side == media.Caller && !l.up && !l.ready && c.a.offer == nil && c.a.early != nil // our offer waits for its PRACK
	switch {
	case owed:
		c.reply(l, tx, sip.StatusRequestPending, phrase(sip.StatusRequestPending))
	case l.side == media.Caller && !l.up && (!l.firm || method == sip.INVITE):
		c.reply(l, tx, sip.StatusInternalServerError, "Request Pending", sip.NewHeader("Retry-After", strconv.Itoa(rand.IntN(11))))
	case late, early, l.offered, l.proposes(method):
		c.reply(l, tx, sip.StatusRequestPending, phrase(sip.StatusRequestPending))
	default:
		return false
	}
	return true
}

// proposes tells whether a request of ours is under way that one of the peer's
// must not cross: an offer, or an INVITE where theirs is one.
func (l *leg) proposes(method sip.RequestMethod) bool {
	p := l.ours.pending
	return p != nil && (len(p.order.body) > 0 || method == sip.INVITE && p.order.method == sip.INVITE)
}

// glare is how long we wait after 491: who made the Call-ID waits longer, so
// that the two do not cross again (RFC 3261 section 14.1).
func (c *call) glare(l *leg) time.Duration {
	steps := rand.IntN(201)
	if l.side == media.Callee {
		steps = 210 + rand.IntN(191)
	}
	return time.Duration(steps) * c.srv.cfg.second / 100
}
