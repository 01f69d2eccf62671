package sip

import (
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/events"
	"axgate/media"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/identity"
	"axgate/sip/sdp"
	"axgate/sip/wire"
)

// calleeLeg is leg B: the dialog of one INVITE that we sent.
type calleeLeg struct {
	leg
	tx        *wire.ClientTx
	request   *sip.Request
	route     route
	rang      bool // a provisional response came: CANCEL may be sent
	cancelled bool
	told      bool // CANCEL was sent
	settled   bool // the INVITE has its final response, or will have none
	until     time.Time
}

// reach calls the callee over the routes there are, one after the other, until
// one answers.
func (c *call) reach() (routing.End, bool) {
	routes := c.srv.routes(c.d.Callee)
	if len(routes) == 0 {
		c.log.Error().Msg("no trunk and no registered phone to reach the callee: add a trunk with an address")
		c.announce("", routing.SceneFault)
		return routing.EndNoRoute, false
	}
	c.rec.Out = time.Now()
	c.log.Info().Str("route", routes[0].name).Str("shown", string(c.d.X)).Msg("callout")
	_ = c.emit(events.CallOut, "")
	c.startWaiting()
	var end routing.End
	for i, r := range routes {
		var again, ok bool
		end, again, ok = c.ring(r)
		if ok {
			return end, true
		}
		if !again {
			break
		}
		if i == len(routes)-1 {
			if len(routes) > 1 {
				end = routing.EndNoRoute
			}
			c.stopWaiting()
			c.announce("", routing.SceneFault)
		}
	}
	return end, false
}

// ring sends one INVITE and waits for what becomes of it. again tells that
// another route may be tried.
func (c *call) ring(r route) (end routing.End, again, ok bool) {
	b, err := c.invite(r)
	if err != nil {
		c.log.Error().Err(err).Msg("call the callee")
		if errors.Is(err, media.ErrNoPorts) {
			return routing.EndOverload, false, false
		}
		return routing.EndFault, false, false
	}
	limit := c.srv.cfg.RingTimeout
	if r.ringTimeout > 0 {
		limit = min(limit, r.ringTimeout)
	}
	giveUp := time.NewTimer(limit)
	defer giveUp.Stop()
	for {
		h := c.next(giveUp.C, c.waiting.ringbackDue())
		switch h.kind {
		case ringing:
			c.rang(b, h.res)
		case answered:
			return c.accepted(b, h.res)
		case refused:
			return c.refusal(b, h)
		case left:
			if h.side == media.Callee {
				continue // a BYE before the answer: its INVITE fails by itself
			}
			c.rec.ReleasedBy = 1
			if c.rec.Alerting.IsZero() {
				return routing.EndLeftEarly, false, false
			}
			return routing.EndLeftRinging, false, false
		case lost:
			return routing.EndCallerGone, false, false
		case silent:
			if h.side == media.Caller && c.a.up {
				return routing.EndCallerGone, false, false
			}
		case ordered:
			return h.end, false, false
		case played:
			c.waiting.promptEnded(h.play)
			c.comfort()
		case heard:
			if h.side == media.Callee {
				c.waiting.early = true
				c.comfort()
			}
		case timeUp:
			if h.timer == 0 {
				return routing.EndRingTimeout, false, false
			}
			c.waiting.overdue = true
			c.comfort()
		}
	}
}

// invite builds the callee's INVITE from nothing - X, the callee's number and
// our own addresses are all it knows - and sends it.
func (c *call) invite(r route) (*calleeLeg, error) {
	x := string(c.d.X)
	port, err := c.calleePort()
	if err != nil {
		return nil, err
	}
	me := c.srv.local(c.srv.cfg.Plan.SpellX(c.d.X, r.fromFormat), r.to.Transport)
	from := sip.Uri{Scheme: "sip", User: c.srv.cfg.Plan.SpellX(c.d.X, r.fromFormat), Host: r.fromDomain}
	if from.Host == "" {
		from.Host = c.srv.cfg.Domain
	}
	if r.hide {
		from = sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}
	}
	d := dialog.Calling(from, "", r.uri, r.to, me)
	d.Behind = r.behind
	b := &calleeLeg{leg: leg{side: media.Callee, dialog: d, inbox: c.inbox, media: true}, route: r}
	b.sdp = sdp.NewSession(c.srv.cfg.MediaIP, port, c.codecs(origin{trunk: r.trunk}))
	req, to := d.Invite(c.hops, b.sdp.Offer())
	if r.sendPAI || r.hide {
		asserted := "<sip:" + c.srv.cfg.Plan.SpellX(c.d.X, r.fromFormat) + "@" + c.srv.cfg.Domain + ">"
		req.AppendHeader(sip.NewHeader("P-Asserted-Identity", asserted))
	}
	if r.sendPPI {
		req.AppendHeader(sip.NewHeader("P-Preferred-Identity", "<sip:"+c.srv.cfg.Plan.SpellX(c.d.X, r.fromFormat)+"@"+from.Host+">"))
	}
	if r.hide {
		req.AppendHeader(sip.NewHeader("Privacy", "id"))
	}
	if x == "" {
		return nil, fmt.Errorf("call %s: no X to show", r.name)
	}
	c.b = b
	c.tried = append(c.tried, b)
	c.srv.addLeg(&b.leg)
	b.request = req
	b.tx = c.srv.stack.Send(req, to, func(res *sip.Response, err error) {
		in := input{what: inResponse, leg: &b.leg, res: res, err: err}
		if err != nil {
			in.what = inFailed
		}
		c.inbox <- in // the call lives until its INVITE is settled
	})
	return b, nil
}

// calleePort keeps one port through all attempts: only one talks.
func (c *call) calleePort() (uint16, error) {
	if c.b == nil {
		port, err := c.media.Reserve(media.Callee)
		if err != nil {
			return 0, fmt.Errorf("open the callee's audio: %w", err)
		}
		c.calleeAt = port
	}
	return c.calleeAt, nil
}

// fromCallee takes a response to an INVITE of ours.
func (c *call) fromCallee(in input) (happening, bool) {
	var b *calleeLeg
	for _, t := range c.tried {
		if &t.leg == in.leg {
			b = t
		}
	}
	switch {
	case b == nil || b.settled:
		return happening{}, false
	case in.what == inFailed:
		b.settled, b.gone = true, true
		return happening{kind: refused, side: media.Callee, err: in.err}, b == c.b && !b.cancelled
	case in.res.StatusCode < 200:
		b.rang = true
		if b.cancelled {
			c.cancel(b)
			return happening{}, false
		}
		return happening{kind: ringing, res: in.res}, in.res.StatusCode > 100
	case in.res.StatusCode < 300:
		b.settled = true
		b.dialog.Confirm(in.res)
		c.ack(b, in.res)
		b.up = true
		if b.cancelled { // the 200 crossed our CANCEL: nobody may be left on an open line
			c.bye(&b.leg, routing.EndTalk)
			return happening{}, false
		}
		return happening{kind: answered, res: in.res}, true
	default:
		b.settled, b.gone = true, true
		return happening{kind: refused, side: media.Callee, res: in.res}, b == c.b && !b.cancelled
	}
}

func (c *call) ack(b *calleeLeg, res *sip.Response) {
	ack, to := b.dialog.Ack(res.CSeq().SeqNo, nil)
	if err := c.srv.stack.Write(ack, to); err != nil {
		c.log.Info().Err(err).Msg("ACK to the callee")
	}
}

// strayed takes a 2xx that came outside its transaction: the ACK was lost, or
// another phone answered too late.
func (c *call) strayed(l *leg, res *sip.Response) {
	tag, _ := res.To().Params.Get("tag")
	if tag == l.dialog.RemoteTag() {
		if ack, to, ok := l.dialog.AckAgain(res); ok {
			_ = c.srv.stack.Write(ack, to)
		}
		return
	}
	for _, b := range c.tried {
		if &b.leg != l {
			continue
		}
		fork := b.dialog.Fork(res)
		ack, to := fork.Ack(res.CSeq().SeqNo, nil)
		_ = c.srv.stack.Write(ack, to)
		bye, to := fork.Request(sip.BYE, "", nil)
		c.srv.stack.Send(bye, to, func(*sip.Response, error) {})
	}
}

// accepted takes the callee's answer and the SDP in it.
func (c *call) accepted(b *calleeLeg, res *sip.Response) (routing.End, bool, bool) {
	if len(res.Body()) > 0 {
		if err := c.acceptSDP(b, res); err != nil {
			c.log.Warn().Err(err).Msg("the callee's answer")
			return routing.EndTrunk, false, false
		}
	} else if !b.ready {
		c.log.Warn().Msg("the callee answered without SDP")
		return routing.EndTrunk, false, false
	}
	return routing.End{}, false, true
}

// refusal tells how a failed INVITE ends the call.
func (c *call) refusal(b *calleeLeg, h happening) (end routing.End, again, ok bool) {
	if h.res == nil {
		c.log.Warn().Err(h.err).Str("route", b.route.name).Msg("no answer from the route")
		c.rec.UnswReason, c.rec.SIPStatus = identity.CauseOf(sip.StatusRequestTimeout), sip.StatusRequestTimeout
		return routing.EndTrunk, !b.rang, false
	}
	q850, _, _ := identity.ParseReason(h.res.GetHeaders("Reason"))
	end = identity.FailureOf(h.res.StatusCode, q850)
	c.rec.SIPStatus, c.rec.UnswReason = h.res.StatusCode, end.Cause
	if q850 != 0 {
		c.rec.UnswReason = q850
	}
	c.log.Info().Int("status", h.res.StatusCode).Int("cause", c.rec.UnswReason).Str("end", end.Word).Msg("the callee's side refused")
	trunkFailed := end.Word == routing.EndTrunk.Word && c.rec.Alerting.IsZero()
	return end, trunkFailed, false
}

// cancel takes the callee's INVITE back: at once if it may be (RFC 3261
// section 9.1), else at its first provisional response.
func (c *call) cancel(b *calleeLeg) {
	if b.settled || b.told {
		return
	}
	if !b.cancelled {
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
