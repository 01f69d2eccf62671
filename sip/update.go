package sip

import (
	"errors"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/sdp"
	"axgate/sip/wire"
)

// update takes an UPDATE (RFC 3311), in a talk or before it: with an offer it
// changes the session, without one it refreshes it.
func (c *call) update(l *leg, tx *wire.ServerTx) {
	req := tx.Request
	offer := len(req.Body()) > 0
	if offer && c.crosses(l, tx) || c.short(l, tx) {
		return
	}
	var body []byte
	if offer {
		var ok bool
		if body, ok = c.answerOffer(l, tx); !ok {
			return
		}
		l.moved = !l.up
	}
	res := c.accept(l, tx, body)
	if err := tx.Respond(res); err != nil {
		c.log.Info().Err(err).Msg("answer to an UPDATE")
	}
	c.carryHold(l)
}

// reoffer takes a re-INVITE. It is answered from the leg's own state; the other
// leg is not disturbed unless it shall be told of a hold (RFC 3261 section
// 14.2, RFC 3264 section 8).
func (c *call) reoffer(l *leg, tx *wire.ServerTx) {
	if c.crosses(l, tx) || c.short(l, tx) {
		return
	}
	var body []byte
	if offered := len(tx.Request.Body()) == 0; offered {
		body = l.sdp.Current()
		l.offered = true
	} else {
		var ok bool
		if body, ok = c.answerOffer(l, tx); !ok {
			return
		}
	}
	res := c.accept(l, tx, body)
	l.unacked.start(tx, res)
	if err := tx.Respond(res); err != nil {
		c.log.Info().Err(err).Msg("answer to a re-INVITE")
	}
	c.carryHold(l)
}

// short refuses a session that is too short; it tells whether it did.
func (c *call) short(l *leg, tx *wire.ServerTx) bool {
	headers, short := tooShort(l.timer(), tx.Request)
	if short {
		c.reply(l, tx, statusTooShort, phrase(statusTooShort), headers...)
	}
	return short
}

// answerOffer takes the peer's offer and gives the answer. One that cannot be
// taken is refused, and the session stays as it was.
func (c *call) answerOffer(l *leg, tx *wire.ServerTx) ([]byte, bool) {
	answer, agreed, err := c.newAnswer(l, tx.Request)
	if err != nil {
		c.log.Info().Err(err).Str("method", string(tx.Request.Method)).Msg("an offer in the call is refused, the session stays as it was")
		status, headers := refusalOf(err)
		c.reply(l, tx, status, phrase(status), headers...)
		return nil, false
	}
	if err := c.point(l, agreed); err != nil {
		c.log.Warn().Err(err).Str("method", string(tx.Request.Method)).Msg("an offer in the call")
		c.reply(l, tx, sip.StatusInternalServerError, "Server Internal Error")
		return nil, false
	}
	return answer, true
}

// refusalOf is the answer to an offer in a call that cannot be taken.
func refusalOf(err error) (status int, headers []sip.Header) {
	switch {
	case errors.Is(err, sdp.ErrType):
		return sip.StatusUnsupportedMediaType, []sip.Header{sip.NewHeader("Accept", "application/sdp")}
	case errors.Is(err, sdp.ErrMalformed):
		return sip.StatusBadRequest, nil
	}
	return sip.StatusNotAcceptableHere, nil
}

// accept is the 2xx to a re-INVITE or UPDATE: its Contact is the target from
// now on, and the session begins anew.
func (c *call) accept(l *leg, tx *wire.ServerTx, body []byte) *sip.Response {
	l.dialog.Refresh(tx.Request)
	agreed, headers := l.answers(tx.Request)
	res := l.dialog.Reply(tx.Request, sip.StatusOK, "OK")
	for _, h := range append(l.supports(), headers...) {
		res.AppendHeader(h)
	}
	if body != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		res.SetBody(body)
	}
	c.agree(l, agreed)
	c.changes()
	return res
}
