package phone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/media/dtmf"
)

// onInvite takes a new call, or a change to one. It returns when the INVITE
// has its final response: the SIP stack ends the transaction after it.
func (p *Phone) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	if req.From() == nil || req.To() == nil || req.CallID() == nil || req.CSeq() == nil || req.Contact() == nil {
		refuse(req, tx, sip.StatusBadRequest, "Bad Request")
		return
	}
	if tag, _ := req.To().Params.Get("tag"); tag != "" {
		c := p.find(req.CallID().Value())
		if c == nil {
			refuse(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
			return
		}
		c.changed(req, tx)
		return
	}
	c, err := newCall(p, false, req.CallID().Value())
	if err != nil {
		refuse(req, tx, sip.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	c.invite, c.tx = req, tx
	c.peerTag, _ = req.From().Params.Get("tag")
	c.peer, c.local = *req.From().Address.Clone(), *req.To().Address.Clone()
	c.target = *req.Contact().Address.Clone()
	c.peerSeq = req.CSeq().SeqNo
	for _, h := range req.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			c.routes = append(c.routes, *rr.Address.Clone())
		}
	}
	if !tx.OnCancel(c.cancelled) || !p.add(c) {
		c.audio.close()
		refuse(req, tx, sip.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	select {
	case p.incoming <- c:
	default:
		_ = c.Reject(sip.StatusBusyHere, 17)
	}
	select {
	case <-c.settled:
	case <-tx.Done():
	case <-p.stop.Done():
		return
	}
	c.mu.Lock()
	gaveUp, refused := c.gaveUp, !c.up
	c.mu.Unlock()
	switch {
	case gaveUp != nil:
		c.over(End{By: Remote, Status: sip.StatusRequestTerminated, Phrase: "Request Terminated", Reason: reasonOf(gaveUp)})
	case refused: // Reject has said how
		c.over(End{By: Remote, Err: tx.Err()})
	}
}

func refuse(req *sip.Request, tx sip.ServerTransaction, code int, phrase string) {
	_ = tx.Respond(sip.NewResponseFromRequest(req, code, phrase, nil))
}

// cancelled is called when the caller gives up; the stack answers 487. It only
// takes note: the stack holds its locks here.
func (c *Call) cancelled(req *sip.Request) {
	c.mu.Lock()
	c.gaveUp = req
	c.mu.Unlock()
	c.settle()
}

func (c *Call) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.settled:
	default:
		close(c.settled)
	}
}

// respond answers the call's INVITE.
func (c *Call) respond(code int, phrase string, body []byte, headers ...sip.Header) error {
	c.mu.Lock()
	res := c.response(c.invite, code, phrase, body, headers...)
	tx, over := c.tx, c.ended || c.gaveUp != nil || c.up
	c.mu.Unlock()
	if c.out {
		return fmt.Errorf("answer %d: the call went out from here", code)
	}
	if over {
		return fmt.Errorf("answer %d: %w", code, errEnded)
	}
	if err := tx.Respond(res); err != nil {
		return fmt.Errorf("answer %d: %w", code, err)
	}
	c.mu.Lock()
	c.status(res)
	c.mu.Unlock()
	return nil
}

// response builds a response with the dialog's tag. The caller holds the lock.
func (c *Call) response(req *sip.Request, code int, phrase string, body []byte, headers ...sip.Header) *sip.Response {
	res := sip.NewResponseFromRequest(req, code, phrase, nil)
	if to := res.To(); to != nil {
		to.Params.Add("tag", c.localTag)
	}
	if code < 300 && req.Method == sip.INVITE {
		appendAll(res, c.phone.contact(), sip.NewHeader("Allow", allow))
	}
	appendAll(res, headers...)
	if body != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	res.SetBody(body)
	return res
}

// Ring answers 180: the phone rings.
func (c *Call) Ring() error { return c.respond(sip.StatusRinging, "Ringing", nil) }

// RingEarly answers 183 with SDP: what Say sends from now on is early media.
func (c *Call) RingEarly() error {
	c.mu.Lock()
	body, err := c.answerOffer(c.invite.Body())
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("early media: %w", err)
	}
	return c.respond(183, "Session Progress", body)
}

// Answer answers 200 and returns when the ACK came.
func (c *Call) Answer(ctx context.Context) error {
	c.mu.Lock()
	var body []byte
	var err error
	if len(c.invite.Body()) == 0 {
		body, c.offerSent = c.offer(sendRecv), true
	} else {
		body, err = c.answerOffer(c.invite.Body())
	}
	seq := c.invite.CSeq().SeqNo
	ack := make(chan struct{})
	c.acked[seq] = ack
	res := c.response(c.invite, sip.StatusOK, "OK", body)
	c.mu.Unlock()
	if err != nil {
		_ = c.Reject(sip.StatusNotAcceptableHere, 88)
		return fmt.Errorf("answer: %w", err)
	}
	if err := c.respond(sip.StatusOK, "OK", body); err != nil {
		return err
	}
	if !c.phone.begin(func() { c.repeat(res, ack) }) {
		return fmt.Errorf("answer: %w", errEnded)
	}
	select {
	case <-ack:
		return nil
	case <-c.done:
		return fmt.Errorf("answer: %w", errEnded)
	case <-ctx.Done():
		return fmt.Errorf("answer: no ACK: %w", ctx.Err())
	}
}

// repeat sends a 2xx again until its ACK comes (RFC 3261 section 13.3.1.4).
func (c *Call) repeat(res *sip.Response, ack <-chan struct{}) {
	defer c.settle()
	limit := time.NewTimer(64 * sip.T1)
	defer limit.Stop()
	for wait := sip.T1; ; wait = min(2*wait, sip.T2) {
		select {
		case <-ack:
			return
		case <-c.done:
			return
		case <-c.phone.stop.Done():
			return
		case <-limit.C:
			ctx, stop := context.WithTimeout(c.phone.stop, 5*time.Second)
			defer stop()
			_ = c.bye(ctx, "", errors.New("no ACK"))
			return
		case <-time.After(wait):
			_ = c.phone.ua.TransportLayer().WriteMsg(res)
		}
	}
}

// Reject refuses the call with a status of 300 and above, and a Q.850 cause in
// its Reason header; cause 0: none.
func (c *Call) Reject(code, cause int) error {
	if code < 300 || code > 699 {
		return fmt.Errorf("reject: status %d: want 300 to 699", code)
	}
	phrase, ok := phrases[code]
	if !ok {
		phrase = "Refused"
	}
	var headers []sip.Header
	reason := ""
	if cause != 0 {
		reason = fmt.Sprintf("Q.850;cause=%d", cause)
		headers = append(headers, sip.NewHeader("Reason", reason))
	}
	if err := c.respond(code, phrase, nil, headers...); err != nil {
		return err
	}
	c.over(End{By: Local, Status: code, Phrase: phrase, Reason: reason})
	c.settle()
	return nil
}

var phrases = map[int]string{
	403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 410: "Gone", 480: "Temporarily Unavailable", 484: "Address Incomplete",
	486: "Busy Here", 488: "Not Acceptable Here", 500: "Server Internal Error", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}

// changed takes a re-INVITE and answers it from the live state.
func (c *Call) changed(req *sip.Request, tx sip.ServerTransaction) {
	c.mu.Lock()
	if req.CSeq().SeqNo <= c.peerSeq {
		c.mu.Unlock()
		refuse(req, tx, sip.StatusInternalServerError, "Server Internal Error")
		return
	}
	c.peerSeq = req.CSeq().SeqNo
	c.target = *req.Contact().Address.Clone()
	var body []byte
	var err error
	if len(req.Body()) == 0 {
		body, c.offerSent = c.offer(sendRecv), true
	} else {
		body, err = c.answerOffer(req.Body())
	}
	if err != nil {
		res := c.response(req, sip.StatusNotAcceptableHere, "Not Acceptable Here", nil)
		c.mu.Unlock()
		_ = tx.Respond(res)
		return
	}
	ack := make(chan struct{})
	c.acked[c.peerSeq] = ack
	res := c.response(req, sip.StatusOK, "OK", body)
	c.mu.Unlock()
	if tx.Respond(res) == nil {
		c.repeat(res, ack)
	}
}

// onAck takes the ACK of a 2xx.
func (p *Phone) onAck(req *sip.Request, _ sip.ServerTransaction) {
	if req.CallID() == nil || req.CSeq() == nil {
		return
	}
	c := p.find(req.CallID().Value())
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ack, ok := c.acked[req.CSeq().SeqNo]
	if !ok {
		return
	}
	delete(c.acked, req.CSeq().SeqNo)
	if c.offerSent {
		c.offerSent = false
		_ = c.acceptAnswer(req.Body()) // without it nothing is sent or heard
	}
	close(ack)
}

// onBye ends a call.
func (p *Phone) onBye(req *sip.Request, tx sip.ServerTransaction) {
	c := p.of(req, tx)
	if c == nil {
		return
	}
	_ = tx.Respond(sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil))
	c.over(End{By: Remote, Reason: reasonOf(req)})
}

// onInfo takes a key press.
func (p *Phone) onInfo(req *sip.Request, tx sip.ServerTransaction) {
	c := p.of(req, tx)
	if c == nil {
		return
	}
	kind := ""
	if h := req.ContentType(); h != nil {
		kind = h.Value()
	}
	key, _, err := dtmf.ParseInfo(kind, req.Body())
	if err != nil {
		refuse(req, tx, sip.StatusUnsupportedMediaType, "Unsupported Media Type")
		return
	}
	c.audio.mu.Lock()
	c.audio.press(Digit{At: time.Now(), Key: key, By: Info})
	c.audio.mu.Unlock()
	_ = tx.Respond(sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil))
}

// of finds the call of a request inside a dialog, or answers 481.
func (p *Phone) of(req *sip.Request, tx sip.ServerTransaction) *Call {
	if req.CallID() != nil && req.From() != nil && req.To() != nil {
		if c := p.find(req.CallID().Value()); c != nil {
			ours, _ := req.To().Params.Get("tag")
			theirs, _ := req.From().Params.Get("tag")
			c.mu.Lock()
			match := ours == c.localTag && theirs == c.peerTag
			c.mu.Unlock()
			if match {
				return c
			}
		}
	}
	refuse(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	return nil
}
