package sip

import (
	"errors"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/dialog"
	"axgate/sip/digest"
	"axgate/sip/wire"
)

// order is a request inside a dialog without what the dialog adds to it, so
// that it can be sent again under another CSeq.
type order struct {
	method      sip.RequestMethod
	headers     []sip.Header
	contentType string
	body        []byte
}

// sent is a request of ours inside a dialog that waits for its final response.
// It belongs to the call's goroutine, but for rang.
type sent struct {
	leg     *leg
	dialog  *dialog.Dialog
	order   order
	then    func(res *sip.Response, err error) (happening, bool)
	request *sip.Request // as it was sent last
	tx      *wire.ClientTx
	proof   *digest.Exchange
	small   bool        // over UDP whatever the size
	over    bool        // nothing of it is waited for
	rang    atomic.Bool // it has a provisional response
}

// send sends a request inside a dialog of a leg. All of ours go this way but
// the INVITE that makes the dialog, ACK and CANCEL. then is called in the
// call's goroutine, once, with the final response or with why there is none;
// it returns what the story has to know of it.
func (c *call) send(l *leg, d *dialog.Dialog, o order, then func(*sip.Response, error) (happening, bool)) *sent {
	p := &sent{leg: l, dialog: d, order: o, then: then, proof: c.srv.provers[l.trunk].Begin()}
	c.unanswered++
	c.transmit(p)
	return p
}

func (c *call) transmit(p *sent) {
	req, to := p.dialog.Request(p.order.method, p.order.contentType, p.order.body)
	for _, h := range p.order.headers {
		req.AppendHeader(h)
	}
	done := func(res *sip.Response, err error) {
		if res != nil && res.StatusCode < 200 {
			p.rang.Store(true)
			return
		}
		c.inbox.owe(input{what: inOutcome, leg: p.leg, sent: p, res: res, err: err})
	}
	p.request, p.tx = req, nil
	if err := sign(p.dialog, p.proof, req); err != nil {
		done(nil, err)
		return
	}
	p.tx = c.srv.stack.Send(req, c.largeInside(p, req, to), done)
}

// outcome takes what became of a request of ours; one that was challenged is
// repeated with a proof.
func (c *call) outcome(in input) (happening, bool) {
	p := in.sent
	if p.over {
		return happening{}, false
	}
	if p.overUDPAfterAll(in.err) || p.connectsAnew(in.err) || c.challenged(p.leg, p.proof, in.res) {
		c.transmit(p)
		return happening{}, false
	}
	c.drop(p)
	return p.then(in.res, in.err)
}

// connectsAnew tells whether a request is to be sent again over a connection of
// its own: the one that the peer had made to us is gone (RFC 3261 section 18.1.1).
func (p *sent) connectsAnew(err error) bool {
	return p.tx != nil && errors.Is(err, wire.ErrUnreachable) && p.dialog.Lost(p.tx.To)
}

// drop stops waiting for a request of ours.
func (c *call) drop(p *sent) {
	if p.over {
		return
	}
	p.over = true
	c.unanswered--
	if p.tx != nil {
		p.tx.End()
	}
}
