package sip

import (
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/identity"
	"axgate/sip/wire"
)

// fromCallee takes a response to an INVITE of ours.
func (c *call) fromCallee(in input) (happening, bool) {
	b := c.calleeOf(in.leg)
	if b == nil || b.settled {
		c.srv.strays.Add(1)
		return happening{}, false
	}
	b.silence.stop()
	switch {
	case in.what == inFailed:
		b.settles()
		b.gone = true
		c.forgetPracks(b)
		return happening{kind: refused, side: media.Callee, err: in.err}, b == c.b && !b.cancelled
	case in.res.StatusCode < 200:
		b.rang = true
		if b.cancelled {
			c.cancel(b)
			return happening{}, false
		}
		return c.progress(b, in.res)
	case in.res.StatusCode < 300:
		b.hear(in.res)
		c.sendAck(b.dialog.Ack(in.res.CSeq().SeqNo))
		b.answers()
		if b.cancelled { // the 200 crossed our CANCEL: nobody may be left on an open line
			c.bye(&b.leg, routing.EndTalk)
			return happening{}, false
		}
		b.allows(in.res)
		c.agree(&b.leg, b.settledBy(in.res))
		return happening{kind: answered, side: media.Callee, res: in.res}, true
	case !b.cancelled && (c.prove(b, in.res) || c.prolong(b, in.res) || c.insist(b, in.res)):
		return happening{}, false
	default:
		b.settles()
		b.gone = true
		c.forgetPracks(b)
		return happening{kind: refused, side: media.Callee, res: in.res}, b == c.b && !b.cancelled
	}
}

func (c *call) calleeOf(l *leg) *calleeLeg {
	for _, b := range c.tried {
		if &b.leg == l {
			return b
		}
	}
	return nil
}

// prove answers the digest challenge of a trunk; false: the response is to be
// taken as the failure that it is.
func (c *call) prove(b *calleeLeg, res *sip.Response) bool {
	if !c.challenged(&b.leg, b.proof, res) {
		return false
	}
	b.rang = false
	if err := c.sendInvite(b, b.sdp.Offer()); err != nil {
		c.log.Error().Err(err).Msg("repeat the INVITE with a proof")
		return false
	}
	return true
}

// strayed takes a 2xx that came outside its transaction: the ACK was lost, or
// another phone answered too late and must not be left on an open line.
func (c *call) strayed(l *leg, res *sip.Response) {
	c.srv.strays.Add(1)
	tag, _ := res.To().Params.Get("tag")
	n := res.CSeq().SeqNo
	if l.ours.given == n && n != 0 { // it is answered after all
		l.ours.given = 0
		c.sendAck(l.dialog.Ack(n))
		return
	}
	b := c.calleeOf(l)
	d := l.dialog
	switch {
	case l.up && (tag == d.RemoteTag() || tag == ""): // what says nothing of its phone is of the one that talks
	case b == nil || !b.settled || n != b.number:
		return
	default:
		if d = b.forks[tag]; d == nil {
			c.hangUpFork(b, tag, res)
			return
		}
	}
	if ack, to, ok := d.AckAgain(res); ok {
		c.sendAck(ack, to)
	}
}

func (c *call) hangUpFork(b *calleeLeg, tag string, res *sip.Response) {
	if len(b.forks) == maxBranches {
		return
	}
	if b.forks == nil {
		b.forks = make(map[string]*dialog.Dialog)
	}
	d := b.root.dialog.Fork(res)
	if br := b.of(res); br != nil && (br != b.branch || !b.up) { // it rang before: its numbers go on
		d = br.dialog
		d.Confirm(res)
	}
	b.forks[tag] = d
	c.log.Info().Msg("a second phone answered: it is hung up")
	c.sendAck(d.Ack(res.CSeq().SeqNo))
	c.send(&b.leg, d, order{method: sip.BYE}, func(*sip.Response, error) (happening, bool) { return happening{}, false })
}

func (c *call) sendAck(ack *sip.Request, to wire.Peer) {
	if err := c.srv.stack.Write(ack, to); err != nil {
		c.log.Info().Err(err).Msg("ACK")
	}
}

// accepted takes the callee's answer and the SDP in it.
func (c *call) accepted(b *calleeLeg, res *sip.Response) (routing.End, bool) {
	if len(res.Body()) > 0 {
		if err := c.acceptSDP(b, res); err != nil {
			c.log.Warn().Err(err).Msg("the callee's answer")
			if noMedia(err) {
				return endNoMedia, false
			}
			return routing.EndTrunk, false
		}
	} else if err := c.sameSDP(b); err != nil {
		c.log.Warn().Err(err).Msg("the callee answered without SDP")
		return routing.EndTrunk, false
	}
	c.media.Expect(media.Callee)
	return routing.End{}, true
}

// errNoSDP is an answer with which nothing was ever agreed.
var errNoSDP = errors.New("there was none before either")

// sameSDP is for an answer without SDP: it stays as the phone said while it
// rang, or, for want of that, as its network did under another tag.
func (c *call) sameSDP(b *calleeLeg) error {
	switch {
	case b.pointed == nil:
		return errNoSDP
	case b.pointed == b.branch:
		return nil
	case b.ready:
		return c.point(&b.leg, b.agreed)
	}
	b.sdp, b.agreed, b.ready, b.pointed = b.pointed.sdp, b.pointed.agreed, true, b.branch
	return nil
}

// refusal tells how a failed INVITE ends the call, and whether it was the
// trunk that failed, not the callee, so that another may be tried.
func (c *call) refusal(b *calleeLeg, h happening) (end routing.End, again bool) {
	alerted := !c.rec.Alerting.IsZero()
	if errors.Is(h.err, wire.ErrRefused) {
		return routing.EndFault, false
	}
	if h.res == nil {
		c.log.Warn().Err(h.err).Str("route", b.route.name).Msg("no answer from the route")
		c.rec.UnswReason, c.rec.SIPStatus = identity.CauseOf(sip.StatusRequestTimeout), sip.StatusRequestTimeout
		b.elsewhere = true
		return routing.EndTrunk, !alerted && !b.rang
	}
	status := h.res.StatusCode
	q850 := identity.ParseReason(h.res.GetHeaders("Reason")).Cause
	end = identity.FailureOf(status, q850)
	if status == sip.StatusRequestTimeout && alerted && end.Word == routing.EndTrunk.Word {
		end = routing.EndNoAnswer // it rang, and its network gave up
	}
	c.rec.SIPStatus, c.rec.UnswReason = status, identity.CauseOfFailure(h.res)
	switch {
	case q850 == 0 && status == sip.StatusRequestTerminated:
		c.rec.UnswReason = end.Cause
	case end.SIP == sip.StatusNotAcceptableHere: // by its Warning
		end.Cause = c.rec.UnswReason
	}
	b.elsewhere = ofServer(status)
	if status < 400 {
		b.redirect = h.res
	}
	c.srv.limits.rest(b.route, h.res, time.Now())
	c.log.Info().Int("status", status).Int("cause", c.rec.UnswReason).Str("end", end.Word).Msg("the callee's side refused")
	return end, end.Word == routing.EndTrunk.Word && !alerted && ofTrunk(status)
}

// ofTrunk are the statuses after which another trunk may do better. 480 is
// here for trunks that say by its cause that their network failed.
func ofTrunk(status int) bool {
	switch status {
	case sip.StatusRequestTimeout, sip.StatusInternalServerError, sip.StatusBadGateway, sip.StatusServiceUnavailable,
		sip.StatusGatewayTimeout, sip.StatusTemporarilyUnavailable, sip.StatusUnauthorized, sip.StatusProxyAuthRequired:
		return true
	}
	return false
}

// cancel takes the callee's INVITE back: at once if it may be (RFC 3261
// section 9.1), else at its first provisional response.
func (c *call) cancel(b *calleeLeg) {
	if b.settled || b.told {
		return
	}
	if !b.cancelled {
		b.silence.stop()
		b.cancelled = true
		b.until = time.Now().Add(64 * sip.T1)
	}
	if !b.rang {
		return
	}
	b.told = true
	b.until = time.Now().Add(64 * sip.T1)
	req := dialog.Cancel(b.request, identity.Reason(routing.EndTalk.Cause))
	c.srv.stack.Send(req, b.tx.To, func(*sip.Response, error) {})
}
