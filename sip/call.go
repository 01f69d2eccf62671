package sip

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"axgate/events"
	"axgate/logging"
	"axgate/media"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/identity"
	"axgate/sip/sdp"
	"axgate/sip/wire"
)

// call is one call through X: two legs, their media, and the record of it. One
// goroutine owns all of it; messages, audio events and orders reach it through
// channels.
type call struct {
	srv     *Server
	log     zerolog.Logger
	session string
	from    origin
	hops    int // Max-Forwards of the callee leg's INVITE

	q routing.Question
	d routing.Decision

	a        callerLeg
	b        *calleeLeg   // the one that is tried, or talks
	tried    []*calleeLeg // all of them, b included
	media    *media.Call
	audio    <-chan media.Event // nil once the media is closed
	calleeAt uint16             // the RTP port towards the callee

	inbox   *inbox
	orders  chan *routing.End
	counted bool           // the caller's trunk counts it
	over    atomic.Bool    // it ends by itself already
	outDue  string         // the route of a callout event that is not written yet
	saidBye identity.Given // why a side hung up, by its own words

	loop       looped
	unanswered int  // requests of ours in dialogs; see send.go
	talking    bool // both hear each other

	began   time.Time // here
	decided time.Time // by the rules, the first time
	ended   *Ended    // nil: nobody watches, or it goes on

	unsaved bool // the state that others could go on with is not what it was
	kept    bool // they have one
	resumed resumption
	letGo   atomic.Bool   // others have declared this node dead: the call is theirs
	gone    chan struct{} // closed once it is over, or let go of

	rec     events.Call
	record  recordKeeper
	tape    tape
	waiting waiting // what the caller hears until the callee answers
}

// waitTime bounds each wait for the router - cache, ledger and all - and for the
// journal. On a machine that has too much to do, a call that comes late is
// better than none; a caller hears nothing meanwhile, and gives up after that.
const waitTime = 8 * time.Second

func (s *Server) newCall(tx *wire.ServerTx, who origin, key inviteKey, hops int) *call {
	now := time.Now()
	c := &call{srv: s, began: now, session: s.session(now), from: who, hops: hops, inbox: newInbox(), orders: make(chan *routing.End, 1), gone: make(chan struct{}), media: s.engine.NewCall()}
	c.audio = c.media.Events()
	c.log = s.log.With().Str("session", c.session).Logger()
	user := tx.Request.Recipient.User
	me := s.local(user, tx.From.Transport, who.trunk)
	if _, ok := s.cfg.Plan.ParseX(user); !ok {
		me.Contact.User = ""
	}
	if tx.From.Transport == "TLS" && tx.Request.Recipient.Scheme == "sips" { // RFC 3261 section 12.1.1
		me.Contact.Scheme = "sips"
		me.Contact.UriParams.Remove("transport")
	}
	c.a = callerLeg{leg: leg{branch: &branch{dialog: dialog.Answering(tx.Request, tx.From, me)}, side: media.Caller, host: tx.From.Addr.Addr(), trunk: who.trunk, inbox: c.inbox}, tx: tx, invite: key}
	c.a.allows(tx.Request)
	c.a.reliable.on = reliableWith(&c.a.leg, tx.Request)
	c.a.reliable.must = has(tags(tx.Request, "Require"), reliableTag)
	c.a.dialog.Behind = who.trunk == nil || who.trunk.NATMedia || who.named
	c.rec = events.Call{Session: c.session, ICID: uuid.NewString(), Node: s.cfg.Node, Host: s.cfg.Host, In: now, Direction: int(routing.Abnormal)}
	if who.trunk != nil { // a phone's is its own invention
		c.rec.ChargingID = identity.ChargingID(tx.Request)
	}
	c.rec.CallerTrunk = who.name()
	return c
}

// order asks the call to end this way; false: it is ending already.
func (c *call) order(end routing.End) bool {
	if c.over.Load() {
		return false
	}
	select {
	case c.orders <- &end:
		return true
	default:
		return false
	}
}

// run is the life of the call.
func (c *call) run() {
	end, talks := c.story()
	if talks { // here, where the stack holds little: see wait
		end = c.talk()
	}
	c.close(end)
}

// close ends the call that way.
func (c *call) close(end routing.End) {
	if c.holds() || !c.shared() {
		c.tearDown(end)
		c.settle()
		c.settled()
	} else {
		c.vanish()
	}
	for _, l := range c.allLegs() {
		l.ours.limit.stop()
	}
	for _, in := range c.inbox.close() {
		if in.what == inRequest {
			c.srv.noDialog(in.tx)
		}
	}
}

// story tells the call from its arrival until both talk, or to the reason of its end.
func (c *call) story() (routing.End, bool) {
	if c.resumed.on {
		return c.resume()
	}
	if end, ok := c.arrive(); !ok {
		return end, false
	}
	if c.d.Step == routing.Refuse {
		return c.refuse(), false
	}
	if c.d.Step == routing.Collect {
		if end, ok := c.collect(); !ok {
			return end, false
		}
	}
	if c.d.Step == routing.Ask {
		if end, ok := c.ask(); !ok {
			return end, false
		}
	}
	if end, ok := c.reach(); !ok {
		return end, false
	}
	return c.join()
}

// The ways a call ends that concern nobody but the one who sent the INVITE.
var (
	endBadType     = routing.End{Word: "bad_content_type", SIP: sip.StatusUnsupportedMediaType, Cause: 79, Quiet: true}
	endBadOffer    = routing.End{Word: "bad_offer", SIP: sip.StatusBadRequest, Cause: 127, Quiet: true}
	endNoCodec     = routing.End{Word: "no_common_codec", SIP: sip.StatusNotAcceptableHere, Cause: 88, Quiet: true}
	endNotRecorded = routing.End{Word: "journal_down", StateCode: 8020, FailReason: 8020, SIP: sip.StatusServiceUnavailable, Cause: 41, Quiet: true}
)

// endTooSlow is a fault that is none of what is stored: there is too much to do.
// Elsewhere or a little later the call may be put through, which 503 tells.
var endTooSlow = routing.End{Word: routing.EndFault.Word, StateCode: routing.EndFault.StateCode, FailReason: routing.EndFault.FailReason,
	SIP: sip.StatusServiceUnavailable, Cause: routing.EndFault.Cause}

// faultOf is the end of a call that an error of router or journal ends.
func faultOf(err error) routing.End {
	if errors.Is(err, errSlow) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, routing.ErrAway) {
		return endTooSlow
	}
	return routing.EndFault
}

// endLoop is the end of a call that an X makes: one of ours, which came back to
// the X that it showed, or to another that it called. It would go round until Max-Forwards is used up.
var endLoop = routing.End{Word: "loop", SIP: sip.StatusLoopDetected, Cause: 25, Quiet: true}

// arrive finds out who calls which X, and what is to be done.
func (c *call) arrive() (routing.End, bool) {
	defer c.srv.overload.arriving.Add(-1)
	var known bool
	if c.q, known = c.srv.question(c); !known {
		return routing.EndUnknownX, false
	}
	plain := c.log.With().Str("caller", logging.Mask(string(c.q.Caller))).Logger()
	c.log = plain.With().Str("x", logging.Mask(string(c.q.X))).Logger() // until it is known to be an X, it may be somebody's number
	if string(c.q.Caller) == string(c.q.X) || c.srv.loops.ours(c.q) {
		return endLoop, false
	}
	if end, ok := c.readOffer(); !ok {
		return end, false
	}
	c.counted = c.srv.limits.enter(c.from.trunk)
	full := !c.counted || c.srv.full()
	ctx, cancel := context.WithTimeout(context.Background(), c.srv.cfg.patience)
	defer cancel()
	d, err := c.srv.router.Decide(ctx, c.q)
	if err != nil {
		c.log.Error().Err(err).Msg("decide")
		d.Step, d.End, d.Scene, d.Direction = routing.Refuse, faultOf(errors.Join(err, ctx.Err())), routing.SceneFault, routing.Abnormal
	}
	if d.App != nil {
		c.log = plain.With().Str("x", string(c.q.X)).Logger()
	}
	c.adopt(d)
	if d.App == nil {
		return d.End, false
	}
	if err := c.called(d.Step == routing.Ask && !full); err != nil {
		c.log.Error().Err(err).Msg("the journal takes no call")
		c.record = recordKeeper{} // nobody was rung: nothing is owed
		return endNotRecorded, false
	}
	if full {
		return routing.EndOverload, false
	}
	return routing.End{}, true
}

// readOffer takes the caller's SDP; an INVITE without one is offered ours
// with the answer (RFC 3261 section 13.2.1).
func (c *call) readOffer() (routing.End, bool) {
	req := c.a.tx.Request
	var err error
	if c.a.security, err = c.srv.security(c.from.trunk, c.a.tx.From.Transport); err != nil {
		c.log.Info().Err(err).Msg("the caller's media")
		return endNoCodec, false
	}
	if len(req.Body()) == 0 {
		return routing.End{}, true
	}
	var offer *sdp.Remote
	offer, err = sdp.ParseFor(c.a.security, contentType(req), req.Body())
	switch {
	case errors.Is(err, sdp.ErrNoAudio), errors.Is(err, sdp.ErrSecure), errors.Is(err, sdp.ErrSuite):
		return endNoCodec, false
	case errors.Is(err, sdp.ErrType):
		return endBadType, false
	case err != nil:
		c.log.Info().Err(err).Msg("the caller's SDP")
		return endBadOffer, false
	case offer.Common(c.codecs(c.from)) != nil && len(offer.Passable(c.codecs(c.from))) == 0, !offer.Reachable(c.srv.cfg.MediaIP):
		return endNoCodec, false
	}
	c.a.offer = offer
	return routing.End{}, true
}

// adopt makes a decision the call's own.
func (c *call) adopt(d routing.Decision) {
	c.d = d
	if c.decided.IsZero() {
		c.decided = c.now()
	}
	c.a.hide(d.Callee, c.srv.cfg.Plan.Country)
	c.rec.X, c.rec.Caller, c.rec.Callee, c.rec.Shown = string(c.q.X), string(c.q.Caller), string(d.Callee), string(d.Shown)
	c.rec.Direction, c.rec.UserData, c.rec.AreaCode, c.rec.Why = int(d.Direction), d.UserData, d.AreaCode, d.Why
	c.rec.Binding, c.rec.Extension = "", ""
	if d.App != nil {
		c.rec.App, c.rec.SP, c.rec.Mode = d.App.Key, d.App.SP, string(d.App.Mode)
	}
	if d.Binding != nil {
		c.rec.Binding, c.rec.Extension = d.Binding.Subscription(), string(d.Binding.Ext)
	}
	step := c.log.Info().Str("why", d.Why)
	if d.Step == routing.Dial {
		step = step.Str("callee", logging.Mask(string(d.Callee)))
	}
	step.Msg("decided")
}

// refuse plays the prompt of a refused call, to a caller who is still there, and
// tells how it ends.
func (c *call) refuse() routing.End {
	if _, left := c.leftMeanwhile(); !left {
		c.announce(c.d.Prompt, c.d.Scene)
	}
	return c.d.End
}

func contentType(m interface{ ContentType() *sip.ContentTypeHeader }) string {
	if h := m.ContentType(); h != nil {
		return h.Value()
	}
	return "application/sdp"
}
