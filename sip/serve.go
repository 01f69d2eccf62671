package sip

import (
	"context"
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/media/dtmf"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/sdp"
	"axgate/sip/wire"
)

// serve answers a request inside a dialog of the call; it returns what the
// story has to know of it.
func (c *call) serve(l *leg, tx *wire.ServerTx) (happening, bool) {
	req := tx.Request
	switch err := l.turn(req); {
	case errors.Is(err, dialog.ErrTags):
		c.reply(l, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return happening{}, false
	case errors.Is(err, dialog.ErrOldCSeq):
		c.reply(l, tx, sip.StatusInternalServerError, "CSeq Out Of Order")
		return happening{}, false
	}
	if l.dialog.Moved(tx.From) {
		c.changes()
	}
	l.allows(req)
	c.regated(l, req)
	if required := unmet(req); len(required) > 0 && req.Method != sip.BYE {
		c.reply(l, tx, sip.StatusBadExtension, "Bad Extension", sip.NewHeader("Unsupported", strings.Join(required, ", ")))
		return happening{}, false
	}
	if l.gone && req.Method != sip.BYE && req.Method != sip.PRACK { // these two may have been sent before it was over
		c.reply(l, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return happening{}, false
	}
	switch req.Method {
	case sip.BYE:
		return c.hungUp(l, tx)
	case sip.INVITE:
		c.reoffer(l, tx)
	case sip.UPDATE:
		c.update(l, tx)
	case sip.PRACK:
		return c.pracked(l, tx)
	case sip.INFO:
		return c.info(l, tx)
	case sip.OPTIONS:
		c.reply(l, tx, sip.StatusOK, "OK", sip.NewHeader("Allow", allow), sip.NewHeader("Accept", "application/sdp"))
	default:
		status, phrase := notServed(req.Method)
		c.reply(l, tx, status, phrase, sip.NewHeader("Allow", allow))
	}
	return happening{}, false
}

// hungUp takes a BYE. A callee that has not answered cannot hang up (RFC 3261
// section 15): its INVITE is still to be answered.
func (c *call) hungUp(l *leg, tx *wire.ServerTx) (happening, bool) {
	if l.side == media.Callee && !l.up {
		c.reply(l, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return happening{}, false
	}
	c.reply(l, tx, sip.StatusOK, "OK")
	if l.gone {
		return happening{}, false
	}
	l.unacked.stop() // who hangs up waits for no answer any more
	l.leave()
	c.released(tx.Request)
	return happening{kind: left, side: l.side}, true
}

func (c *call) reply(l *leg, tx *wire.ServerTx, status int, phrase string, headers ...sip.Header) {
	res := l.dialog.Reply(tx.Request, status, phrase)
	for _, h := range headers {
		res.AppendHeader(h)
	}
	if err := tx.Respond(res); err != nil {
		c.log.Debug().Err(err).Msg("could not answer")
	}
}

func (c *call) newAnswer(l *leg, req *sip.Request) ([]byte, sdp.Agreed, error) {
	remote, err := sdp.ParseFor(l.security, contentType(req), req.Body())
	if err != nil {
		return nil, sdp.Agreed{}, err
	}
	return l.sdp.Answer(remote)
}

// lateAnswer applies the answer that an ACK brings to an offer in our 2xx. A
// caller whose INVITE had no offer and whose ACK has no answer cannot talk.
func (c *call) lateAnswer(l *leg, ack *sip.Request) (happening, bool) {
	first := l.side == media.Caller && c.a.offer == nil && !l.ready
	if !l.offered && !first {
		return happening{}, false
	}
	l.offered = false
	err := c.acceptAnswer(l, ack)
	if err != nil {
		c.log.Info().Err(err).Msg("no usable answer in the ACK")
		return happening{kind: lost}, first
	}
	return happening{kind: described}, first
}

// info takes a key pressed by SIP INFO (RFC 6086, legacy use).
func (c *call) info(l *leg, tx *wire.ServerTx) (happening, bool) {
	if len(tx.Request.Body()) == 0 { // a keep-alive of some phones
		c.reply(l, tx, sip.StatusOK, "OK")
		return happening{}, false
	}
	if tx.Request.GetHeader("Info-Package") != nil {
		c.reply(l, tx, 469, "Bad Info Package") // RFC 6086 section 4.2.2
		return happening{}, false
	}
	key, length, err := dtmf.ParseInfo(contentType(tx.Request), tx.Request.Body())
	if err != nil {
		c.reply(l, tx, sip.StatusUnsupportedMediaType, "Unsupported Media Type", sip.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
		return happening{}, false
	}
	c.reply(l, tx, sip.StatusOK, "OK")
	if !c.keysBy(l, byInfo) {
		return happening{}, false
	}
	return happening{kind: digit, side: l.side, digit: key, info: true, length: length}, true
}

// tell runs what the router wants to know beside the call, so that a slow
// ledger delays nobody's ringing.
func (c *call) tell(what string, f func(context.Context, routing.Question, routing.Decision) error) {
	q, d := c.q, c.d
	c.srv.wait.Add(1)
	go func() {
		defer c.srv.wait.Done()
		ctx, cancel := context.WithTimeout(context.Background(), c.srv.cfg.patience)
		defer cancel()
		if err := f(ctx, q, d); err != nil {
			c.log.Error().Err(err).Msg(what)
		}
	}()
}
