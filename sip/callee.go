package sip

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/events"
	"axgate/media"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/digest"
	"axgate/sip/wire"
)

// calleeLeg is leg B: the dialog of one INVITE that we sent.
type calleeLeg struct {
	leg
	root      *branch // as the INVITE went out: no phone has spoken yet
	tx        *wire.ClientTx
	request   *sip.Request
	number    uint32 // CSeq of the request
	route     route
	shows     []sip.Header // who calls, as the trunk wants it
	proof     *digest.Exchange
	counted   bool          // its trunk counts it
	redirect  *sip.Response // it was redirected
	enlarged  bool          // it is over TCP for its size
	elsewhere bool          // it failed at this server, and another of the trunk may do better
	prolonged int           // how often it was repeated with a longer session
	rang      bool          // a provisional response came: CANCEL may be sent
	silence   alarm         // of a server that says nothing to its INVITE
	cancelled bool
	told      bool // CANCEL was sent
	settled   bool // the INVITE has its final response, or will have none
	until     time.Time
	pracks    []*sent // that wait for their answer, or did
}

// reach calls the callee over the routes there are, one after the other, until
// one answers.
func (c *call) reach() (routing.End, bool) {
	if end, left := c.leftMeanwhile(); left {
		return end, false
	}
	routes := c.srv.routes(c.d.Callee)
	if len(routes) == 0 {
		c.log.Error().Msg("no trunk and no registered phone to reach the callee: add a trunk with an address that serves its number")
		c.announce("", routing.SceneFault)
		return routing.EndNoRoute, false
	}
	if _, err := c.media.Reserve(media.Caller); err != nil { // nobody is rung for a call that cannot talk
		c.log.Error().Err(err).Msg("open the caller's audio")
		return endOf(err), false
	}
	now := c.now()
	var fresh bool
	if c.loop, fresh = c.srv.loops.enter(c.q, c.d, now); !fresh {
		c.log.Warn().Msg("the callee forwards its calls back to X")
		return endForwarded, false
	}
	c.rec.Out = now
	c.outDue = routes[0].name
	c.startWaiting()
	end, tried, ok := c.overRoutes(routes)
	c.calledOut() // of no INVITE that went out
	if ok {
		return end, true
	}
	if end.Word == routing.EndTrunk.Word || end.Word == routing.EndNoRoute.Word {
		if tried > 1 {
			end.Word, end.FailReason = routing.EndNoRoute.Word, routing.EndNoRoute.FailReason
		}
		c.stopWaiting()
		c.announce("", routing.SceneFault)
	}
	return end, false
}

// calledOut writes the callout event, once. It is behind the INVITE, which waits
// for nothing that does not decide whether it may go out.
func (c *call) calledOut() {
	if c.outDue == "" {
		return
	}
	c.log.Info().Str("route", c.outDue).Str("shown", string(c.d.Shown)).Msg("callout")
	c.outDue = ""
	c.note(events.CallOut, "")
}

// leftMeanwhile takes what has come in, and tells how the call ends if it is
// over before the next step: a caller who has gone is not connected to anybody.
func (c *call) leftMeanwhile() (routing.End, bool) {
	for {
		if in, ok := c.inbox.next(); ok {
			if h, ok := c.take(in); ok && h.side == media.Caller && (h.kind == left || h.kind == lost) {
				return c.callerLeft(h), true
			}
			continue
		}
		select {
		case end := <-c.orders:
			return *end, true
		default:
			return routing.End{}, false
		}
	}
}

// callerLeft is the end of a call whose caller went before the answer.
func (c *call) callerLeft(h happening) routing.End {
	if h.kind == lost {
		return routing.EndCallerGone
	}
	c.rec.ReleasedBy = 1
	if c.rec.Alerting.IsZero() {
		return routing.EndLeftEarly
	}
	return routing.EndLeftRinging
}

// ring sends one INVITE and waits for what becomes of it. again tells that
// another route may be tried.
func (c *call) ring(r route) (end routing.End, again, ok bool) {
	c.rec.SIPStatus, c.rec.UnswReason = 0, 0 // of the route before
	c.rec.CalleeTrunk = r.name
	b, err := c.invite(r)
	c.calledOut()
	if err != nil {
		c.srv.limits.leave(r.trunk)
		c.log.Error().Err(err).Msg("call the callee")
		return endOf(err), errors.Is(err, errMismatch), false
	}
	limit := c.srv.cfg.RingTimeout
	if r.ringTimeout > 0 {
		limit = min(limit, r.ringTimeout)
	}
	giveUp := time.NewTimer(limit)
	defer giveUp.Stop()
	repeat := time.NewTicker(c.srv.cfg.repeat)
	defer repeat.Stop()
	for {
		h := c.next(giveUp.C, c.waiting.ringbackDue(), repeat.C)
		c.srv.health.see(b.route, h, b.rang)
		switch h.kind {
		case ringing:
			c.rang(b, h.res)
		case answered:
			if end, ok = c.accepted(b, h.res); !ok {
				c.bye(&b.leg, end)
			}
			return end, !ok && c.rec.Alerting.IsZero(), ok
		case refused:
			end, again = c.refusal(b, h)
			return end, again, false
		case unheard:
			end, again = c.noWord(b)
			return end, again, false
		case left, lost:
			return c.callerLeft(h), false, false
		case silent:
			if h.side == media.Caller && c.a.up {
				return routing.EndCallerGone, false, false
			}
		case ordered:
			return *h.end, false, false
		case played:
			c.waiting.promptEnded(h.play)
			c.comfort()
		case described:
			c.comfort()
		case heard:
			if h.side == media.Callee {
				c.waiting.early = true
				c.comfort()
			}
		case timeUp:
			switch h.timer {
			case 0:
				if !b.rang && r.trunk != nil {
					end, again = c.noWord(b)
					return end, again, false
				}
				c.rec.UnswReason = routing.EndRingTimeout.Cause
				return routing.EndRingTimeout, false, false
			case 1:
				c.waiting.overdue = true
				c.comfort()
			case 2:
				c.a.stillTrying()
			}
		}
	}
}

// invite builds the callee's INVITE from nothing - X, the callee's number and
// our own addresses are all it knows - and sends it.
func (c *call) invite(r route) (*calleeLeg, error) {
	if c.d.Shown == "" {
		return nil, fmt.Errorf("call %s: no X to show", r.name)
	}
	port, err := c.calleePort()
	if err != nil {
		return nil, err
	}
	shown, err := c.srv.shownOn(r, c.d.Shown)
	if err != nil {
		return nil, err
	}
	me := c.srv.local(shown, r.to.Transport, r.trunk)
	if r.hide {
		me.Contact.User = ""
	}
	if r.line != "" {
		me.Contact.User = r.line // carriers look for the Contact that is registered
	}
	d := dialog.Calling(c.srv.from(r, shown), "", r.uri, r.to, me)
	d.Behind = r.behind
	d.Through(r.via...)
	b := &calleeLeg{root: &branch{dialog: d}, leg: leg{side: media.Callee, host: r.to.Addr.Addr(), trunk: r.trunk, inbox: c.inbox, media: true}, route: r, counted: true, proof: c.srv.provers[r.trunk].Begin()}
	b.branch = b.root
	b.shows = c.srv.asserted(r, shown)
	if b.security, err = c.srv.security(r.trunk, r.to.Transport); err != nil {
		return nil, err
	}
	passed, err := c.passing(r)
	if err != nil {
		return nil, err
	}
	b.sdp = c.newSession(&b.leg, port)
	b.sdp.Pass(passed)
	b.hide(c.q.Caller, c.srv.cfg.Plan.Country)
	if err := c.sendInvite(b, b.sdp.Offer()); err != nil {
		return nil, err
	}
	c.b = b
	c.tried = append(c.tried, b)
	return b, nil
}

// sendInvite sends the INVITE of a leg, the first or one with a proof.
func (c *call) sendInvite(b *calleeLeg, offer []byte) error {
	b.branch, b.branches = b.root, nil
	req, to := b.dialog.Invite(c.hops, offer)
	for _, h := range slices.Concat(b.supports(), b.begins(), b.asks(), b.shows) {
		req.AppendHeader(sip.HeaderClone(h))
	}
	if err := sign(b.dialog, b.proof, req); err != nil {
		return fmt.Errorf("call %s: %w", b.route.name, err)
	}
	to = c.large(b, req, to)
	c.srv.addLeg(&b.leg)
	b.request, b.number = req, req.CSeq().SeqNo
	b.tx = c.srv.stack.Send(req, to, func(res *sip.Response, err error) { c.response(&b.leg, res, err) })
	c.listenFor(b)
	return nil
}

// response hands a response to the call. Of provisional ones those that find
// the inbox full are dropped; a final one is never lost.
func (c *call) response(l *leg, res *sip.Response, err error) {
	switch {
	case err != nil:
		c.inbox.owe(input{what: inFailed, leg: l, err: err})
	case res.StatusCode < 200:
		c.inbox.post(input{what: inResponse, leg: l, res: res})
	default:
		c.inbox.owe(input{what: inResponse, leg: l, res: res})
	}
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

// endOf is the end of a call that a leg cannot be opened for.
func endOf(err error) routing.End {
	if errors.Is(err, media.ErrNoPorts) {
		return routing.EndOverload
	}
	if noMedia(err) {
		return endNoMedia
	}
	return routing.EndFault
}
