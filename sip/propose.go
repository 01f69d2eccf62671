package sip

import (
	"errors"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/dialog"
	"axgate/sip/identity"
	"axgate/sip/sdp"
	"axgate/sip/wire"
)

// ours is what we want of a leg's peer in a talk, and how far it is: one INVITE
// or UPDATE at a time.
type ours struct {
	refresh bool  // the session is to be refreshed
	resume  bool  // the peer is to be told our address; see resume.go
	way     stops // the direction that the peer shall be offered
	told    stops // the one that it was offered
	before  stops // the one that it was offered before
	pending *sent // nil: nothing is asked at the moment
	moves   bool  // pending offers another direction
	again   alarm // until what was refused may be asked once more
	tries   int   // how often it was refused
	limit   alarm // of pending: no re-INVITE is waited for without an end
	given   uint32
}

// stops is a direction by what must not flow, from us and to us.
type stops struct{ from, to bool }

// maxAsked bounds how often what a peer had no time for is asked again.
const maxAsked = 5

// pursue asks a leg's peer for what we want of it, if it is time for that.
// Whatever has kept it from being so calls it again.
func (c *call) pursue(l *leg) {
	o := &l.ours
	if o.pending != nil || o.again.on() || !l.up || !l.ready || l.gone || l.byeDue || l.unacked.waiting() {
		return
	}
	o.moves = o.way != o.told
	switch {
	case o.resume:
		o.moves = false
		c.propose(l, sip.INVITE, l.sdp.Again())
	case o.moves:
		o.before, o.told = o.told, o.way
		c.propose(l, sip.INVITE, l.sdp.Redirect(!o.way.from, !o.way.to))
	case o.refresh && l.takesUpdate():
		c.propose(l, sip.UPDATE, nil)
	case o.refresh:
		c.propose(l, sip.INVITE, l.sdp.Again())
	}
}

// takesUpdate tells whether the peer is refreshed by UPDATE.
func (l *leg) takesUpdate() bool { return l.updates && !l.timer().NoUpdate }

// allows notes what a message of the peer says of the methods that it takes.
func (l *leg) allows(m headed) {
	if len(m.GetHeaders("Allow")) == 0 {
		return
	}
	l.updates, l.informs = false, false
	for _, method := range tags(m, "Allow") {
		l.updates = l.updates || sip.RequestMethod(method) == sip.UPDATE
		l.informs = l.informs || sip.RequestMethod(method) == sip.INFO
	}
}

// propose sends an INVITE or UPDATE inside a leg's dialog.
func (c *call) propose(l *leg, method sip.RequestMethod, offer []byte) {
	o := order{method: method, headers: append(l.supports(), l.asks()...), body: offer}
	if offer != nil {
		o.contentType = "application/sdp"
	}
	p := c.send(l, l.dialog, o, func(res *sip.Response, err error) (happening, bool) { return c.proposed(l, res, err) })
	l.ours.pending = p
	if method == sip.INVITE {
		l.ours.limit.set(c.inbox, 64*sip.T1, func() (happening, bool) { return c.overdue(l, p) })
	}
}

// overdue gives up a re-INVITE that has had no final response: it is taken
// back if it may be, and then not waited for any more.
func (c *call) overdue(l *leg, p *sent) (happening, bool) {
	if p.over || p.tx == nil {
		return happening{}, false
	}
	if p.rang.Swap(false) && !l.gone {
		c.srv.stack.Send(dialog.Cancel(p.request, identity.Reason(16)), p.tx.To, func(*sip.Response, error) {})
		l.ours.limit.set(c.inbox, 64*sip.T1, func() (happening, bool) { return c.overdue(l, p) })
		return happening{}, false
	}
	c.drop(p)
	return c.proposed(l, nil, wire.ErrNoAnswer)
}

// proposed takes what became of our INVITE or UPDATE. 481 and 408 end the
// dialog; after any other failure the session is as it was (RFC 3261 section
// 14.1, RFC 4028 section 10).
func (c *call) proposed(l *leg, res *sip.Response, err error) (happening, bool) {
	o := &l.ours
	p := o.pending
	o.pending = nil
	o.limit.stop()
	status := sip.StatusServiceUnavailable // it could not be sent, RFC 3261 section 8.1.3.1
	switch {
	case res != nil:
		status = res.StatusCode
	case errors.Is(err, wire.ErrNoAnswer):
		status = sip.StatusRequestTimeout
		o.given = p.request.CSeq().SeqNo
	}
	if status < 300 {
		c.renewed(l, p, res)
		return happening{}, false
	}
	if o.moves {
		l.sdp.Undo()
		o.told = o.before
	}
	if l.gone {
		return happening{}, false
	}
	c.log.Info().Err(err).Stringer("leg", l.side).Str("method", string(p.order.method)).Int("status", status).Msg("our request in the call failed")
	if status == sip.StatusCallTransactionDoesNotExists || status == sip.StatusRequestTimeout {
		return dead(l.side), true
	}
	if res != nil && l.expiry.on() {
		c.awaitRefresh(l) // it is still there
	}
	if wait, again := c.mayAsk(l, p, status, res); again {
		o.tries++
		o.again.set(c.inbox, wait, func() (happening, bool) { c.pursue(l); return happening{}, false })
		return happening{}, false
	}
	if o.resume { // it will never hear us
		return dead(l.side), true
	}
	c.forgo(l)
	return happening{}, false
}

// mayAsk tells whether what was refused may be asked once more, and when.
func (c *call) mayAsk(l *leg, p *sent, status int, res *sip.Response) (time.Duration, bool) {
	switch {
	case l.ours.tries < maxAsked && l.ours.resume && (res == nil || status >= 500 && status < 600 && res.GetHeader("Retry-After") == nil):
		return c.span(1) / 2, true // the network may be about to learn where we are
	case l.ours.tries >= maxAsked || res == nil:
		return 0, false
	case status == sip.StatusRequestPending:
		return c.glare(l), true
	case status == sip.StatusInternalServerError && res.GetHeader("Retry-After") != nil:
		after, _, _ := strings.Cut(res.GetHeader("Retry-After").Value(), ";")
		after, _, _ = strings.Cut(after, "(")
		return c.span(min(seconds(after), 10)), true
	case status == statusTooShort && wishOf(res).least > l.session.least:
		l.session.least = wishOf(res).least
		return 0, true
	}
	if p.order.method == sip.UPDATE && (status == sip.StatusMethodNotAllowed || status == sip.StatusNotImplemented || status == sip.StatusBadExtension) {
		l.updates = false // by re-INVITE, then
		return 0, true
	}
	return 0, false
}

// forgo lets go of what the peer does not want: its session stays as it is, and
// is refreshed in half of the time that is left of it.
func (c *call) forgo(l *leg) {
	o := &l.ours
	o.tries = 0
	if o.moves {
		o.moves, o.way = false, o.told
		c.pursue(l)
		return
	}
	o.refresh = false
	left := max(c.span(l.session.expires)/4, c.span(10))
	l.refresh.set(c.inbox, left, func() (happening, bool) {
		o.refresh = true
		c.pursue(l)
		return happening{}, false
	})
}

// renewed takes the 2xx to our INVITE or UPDATE.
func (c *call) renewed(l *leg, p *sent, res *sip.Response) {
	l.dialog.Refresh(res)
	if p.order.method == sip.INVITE {
		c.sendAck(l.dialog.Ack(res.CSeq().SeqNo))
	}
	if l.gone {
		return
	}
	l.allows(res)
	l.ours.tries, l.ours.moves = 0, false
	c.changes()
	if len(res.Body()) > 0 && len(p.order.body) > 0 {
		if err := c.acceptAnswer(l, res); err != nil {
			c.log.Warn().Err(err).Stringer("leg", l.side).Msg("the answer to our offer in the call")
		}
	}
	c.agree(l, l.settledBy(res))
	if p.order.method == sip.INVITE {
		c.returned(l)
	}
	c.pursue(l)
}

// acceptAnswer applies the answer to an offer of ours in a call.
func (c *call) acceptAnswer(l *leg, m interface {
	ContentType() *sip.ContentTypeHeader
	Body() []byte
}) error {
	remote, err := sdp.ParseFor(l.security, contentType(m), m.Body())
	if err != nil {
		return err
	}
	agreed, err := l.sdp.Accept(remote)
	if err != nil || l.ready && agreed == l.agreed {
		return err
	}
	if err := c.point(l, agreed); err != nil {
		return err
	}
	c.carryHold(l)
	return nil
}
