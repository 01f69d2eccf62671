package sip

import (
	"fmt"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/sdp"
	"axgate/sip/wire"
)

// callerLeg is leg A: the dialog of the INVITE that came in.
type callerLeg struct {
	leg
	tx        *wire.ServerTx
	invite    inviteKey
	offer     *sdp.Remote // nil: the INVITE had none
	early     []byte      // the SDP of our 183 and, unchanged, of our 200
	reliable  reliable
	progress  *sip.Response // the last provisional response but 100
	final     bool          // the INVITE was answered finally
	cancelled bool
}

// respond sends a response to the caller's INVITE, built from the caller's own
// request and nothing else.
func (a *callerLeg) respond(status int, phrase string, body []byte, headers ...sip.Header) error {
	if a.final {
		return nil
	}
	p := provisional{status, phrase, body, headers}
	if status > 100 && status < 200 {
		switch {
		case a.mute():
			return nil
		case a.provides():
			return a.provide(p)
		}
	}
	res := a.response(p)
	if a.final = status >= 200; a.final {
		a.reliable.stop()
	}
	if status > 100 && status < 200 {
		a.progress = res
	}
	if status >= 200 && status < 300 {
		a.unacked.start(a.tx, res)
	}
	return a.tx.Respond(res)
}

// response builds one to the caller's INVITE.
func (a *callerLeg) response(p provisional) *sip.Response {
	res := a.dialog.Reply(a.tx.Request, p.status, p.phrase)
	for _, h := range p.headers {
		res.AppendHeader(h)
	}
	if p.body != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		res.SetBody(p.body)
	}
	return res
}

// stillTrying repeats the last provisional response, so that proxies on the
// way do not give up a long ringing (RFC 3261 section 13.3.1.1).
func (a *callerLeg) stillTrying() {
	if a.final || a.mute() {
		return
	}
	if a.progress == nil {
		a.progress = a.dialog.Reply(a.tx.Request, sip.StatusSessionInProgress, "Session Progress")
	}
	if a.provides() { // a number of its own, and no SDP: that would be an offer
		_ = a.provide(provisional{status: a.progress.StatusCode, phrase: a.progress.Reason})
		return
	}
	_ = a.tx.Respond(a.progress) // if it is lost, the next one is due in a minute
}

// openCaller gives the caller's leg its port and its SDP, once. Without an
// offer there is nothing to answer yet: ours goes out with the 200.
func (c *call) openCaller() error {
	if c.a.early != nil {
		return nil
	}
	port, err := c.media.Reserve(media.Caller)
	if err != nil {
		return fmt.Errorf("open the caller's audio: %w", err)
	}
	c.a.media = true
	c.a.sdp = c.newSession(&c.a.leg, port)
	c.a.sdp.Pass(c.taken())
	if c.a.offer == nil {
		c.a.early = c.a.sdp.Offer()
		return nil
	}
	body, agreed, err := c.a.sdp.Answer(c.a.offer)
	if err != nil {
		return fmt.Errorf("answer the caller's SDP: %w", err)
	}
	if c.b != nil && c.b.ready && !matches(agreed.Codec, c.b.agreed.Codec) {
		return errMismatch
	}
	c.a.early = body
	return c.point(&c.a.leg, agreed)
}

// answerCaller sends the 200. An error is why there can be no talk.
func (c *call) answerCaller() error {
	if c.a.up {
		return nil
	}
	if err := c.openCaller(); err != nil {
		return err
	}
	c.a.up = true
	c.media.Expect(media.Caller)
	body := c.a.early
	if c.a.firm { // the caller has it for certain: more would be another offer
		body = nil
	}
	agreed, headers := c.a.answers(c.a.tx.Request)
	err := c.a.respond(sip.StatusOK, "OK", body, append(c.a.supports(), headers...)...)
	c.agree(&c.a.leg, agreed)
	return err
}

// hangUpCaller ends leg A: a failure before the answer, BYE after it.
func (c *call) hangUpCaller(end routing.End) {
	if c.a.gone {
		if !c.a.final {
			_ = c.a.respond(sip.StatusRequestTerminated, phrase(sip.StatusRequestTerminated), nil)
		}
		return
	}
	if c.a.up {
		c.bye(&c.a.leg, end)
		return
	}
	c.a.gone = true
	status := end.SIP
	switch {
	case c.a.cancelled:
		status = sip.StatusRequestTerminated
	case status == 0: // ends that are known after an answer only
		status = identity.StatusOf(end.Cause, c.saidBye.User)
	}
	headers := []sip.Header{sip.NewHeader("Reason", identity.Reason(end.Cause))}
	switch status {
	case sip.StatusServiceUnavailable:
		if waitsFor(end) {
			headers = append(headers, c.srv.retryAfter())
		}
	case sip.StatusUnsupportedMediaType:
		headers = append(headers, sip.NewHeader("Accept", "application/sdp"))
	}
	if err := c.a.respond(status, phrase(status), nil, headers...); err != nil {
		c.log.Info().Err(err).Msg("final response to the caller")
	}
}

// waitsFor tells whether a 503 is of this node, so that the caller's carrier had
// better wait. What a callee's trunk failed at is no reason for that.
func waitsFor(end routing.End) bool {
	return end.Word != routing.EndTrunk.Word && end.Word != routing.EndNoRoute.Word
}

var phrases = map[int]string{
	sip.StatusOK: "OK", sip.StatusRinging: "Ringing", sip.StatusSessionInProgress: "Session Progress", sip.StatusCallIsForwarded: "Call Is Being Forwarded", sip.StatusQueued: "Queued",
	sip.StatusLoopDetected: "Loop Detected", statusTooShort: "Session Interval Too Small", sip.StatusRequestPending: "Request Pending", sip.StatusAccepted: "Accepted", sip.StatusRequestEntityTooLarge: "Request Entity Too Large",
	sip.StatusBadRequest: "Bad Request", sip.StatusForbidden: "Forbidden", sip.StatusNotFound: "Not Found",
	sip.StatusTemporarilyUnavailable: "Temporarily Unavailable", sip.StatusBusyHere: "Busy Here",
	sip.StatusUnsupportedMediaType: "Unsupported Media Type", sip.StatusRequestTerminated: "Request Terminated", sip.StatusNotAcceptableHere: "Not Acceptable Here",
	sip.StatusInternalServerError: "Server Internal Error", sip.StatusServiceUnavailable: "Service Unavailable",
	sip.StatusGlobalDecline: "Decline",
}

// phrase is our own words for a status; the callee's are never passed on.
func phrase(status int) string {
	if p, ok := phrases[status]; ok {
		return p
	}
	return "Call Failed"
}
