package sip

import (
	"context"
	"fmt"
	"time"

	"axgate/events"
	"axgate/logging"
	"axgate/media"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// resumption is how far a call of another node is gone on with.
type resumption struct {
	on    bool          // else the call is our own
	from  string        // its node
	died  time.Time     // when that was alive last, by the call's clock
	ahead time.Duration // by how much this machine's clock is ahead of that
	back  [2]bool       // the peer of a side has taken our address
}

// Orphan is an answered call of a node that died, with all that this node needs to
// go on with it. Either Adopt or Drop is called, once.
type Orphan struct {
	c   *call
	Was events.Call // as its node kept it
	Seq int         // of the last event that is in Was
}

// Death is when a node died, by the clock of its own machine: whatever it told of its
// calls stands by that one, and may be hours from ours.
type Death struct {
	Alive time.Time // when it was alive last; zero: that is not known
	Now   time.Time // what its clock shows now; zero: what ours does
}

// Estate is what a dead node left to this one. It is for one goroutine.
type Estate struct {
	srv  *Server
	died Death
	// homes are where the trunks of its calls are. Each is looked up once: where DNS does
	// not answer, every one of many calls would wait for that.
	homes map[home]wire.Peer
}

// home is a trunk with the transport of a leg over it.
type home struct {
	trunk     *trunk.Trunk
	transport string
}

// Estate is that of a node that died.
func (s *Server) Estate(died Death) *Estate {
	return &Estate{srv: s, died: died, homes: map[home]wire.Peer{}}
}

// Prepare makes a call of what the dead node kept of it (Talks). Nobody is told
// anything yet. An error is ErrForm, ErrNoTrunk, or one of the media engine.
func (e *Estate) Prepare(state []byte) (*Orphan, error) {
	t, err := readTalk(state)
	if err != nil {
		return nil, fmt.Errorf("go on with a call: %w", err)
	}
	c, err := e.restore(t)
	if err != nil {
		return nil, fmt.Errorf("go on with call %s: %w", t.Call.Session, err)
	}
	return &Orphan{c, t.Call, t.Seq}, nil
}

// Adopt goes on with the call: both peers are told by re-INVITE where it and its
// audio are now. Its end is told as that of a call of this node, by events with
// numbers above seq. A peer that knows nothing of the call any more, or says nothing,
// ends it. An error is ErrCarried or ErrClosed; then the call is as it was.
func (o *Orphan) Adopt(seq int) error {
	o.c.record.seq = max(seq, o.Seq) // before it is run
	s, c := o.c.srv, o.c
	a, b := legKey{c.a.dialog.CallID, c.a.dialog.LocalTag()}, legKey{c.b.dialog.CallID, c.b.dialog.LocalTag()}
	if err := s.enlist(c); err != nil {
		o.Drop()
		return fmt.Errorf("go on with call %s: %w", c.session, err)
	}
	s.unparked(a)
	s.unparked(b)
	return nil
}

// Drop leaves the call alone.
func (o *Orphan) Drop() { o.c.media.Abandon() }

// enlist has the server run a call of another node.
func (s *Server) enlist(c *call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() || s.stack.Closed() { // an heir that ends would end its calls
		return ErrClosed
	}
	a, b := legKey{c.a.dialog.CallID, c.a.dialog.LocalTag()}, legKey{c.b.dialog.CallID, c.b.dialog.LocalTag()}
	if s.calls[c.session] != nil || s.legs[a] != nil || s.legs[b] != nil {
		return ErrCarried
	}
	s.legs[a], s.legs[b] = &c.a.leg, &c.b.leg
	s.calls[c.session] = c
	s.up.Add(1)
	s.limits.carry(c.from.trunk)
	s.limits.carry(c.b.trunk)
	c.counted, c.b.counted = true, true
	s.wait.Go(func() {
		defer s.forget(c)
		c.run()
	})
	return nil
}

// restore makes a call of what another node kept of it.
func (e *Estate) restore(t *savedTalk) (*call, error) {
	s := e.srv
	c := &call{srv: s, began: time.Now(), session: t.Call.Session, hops: dialog.DefaultHops, inbox: newInbox(), orders: make(chan *routing.End, 1), gone: make(chan struct{}), media: s.engine.NewCall(), rec: t.Call,
		resumed: resumption{on: true}}
	c.resumed.clock(e.died, time.Duration(t.Ahead)*time.Millisecond)
	c.audio = c.media.Events()
	c.log = s.log.With().Str("session", c.session).Str("caller", logging.Mask(t.Call.Caller)).Str("x", t.Call.X).Logger()
	c.resumed.from, c.rec.Node, c.rec.Incarnation = c.rec.Node, s.cfg.Node, s.cfg.Incarnation()
	c.q = routing.Question{Session: c.session, X: routing.X(t.Call.X), Caller: routing.Number(t.Call.Caller), At: t.Call.In}
	c.d = routing.Decision{Step: routing.Dial, Direction: routing.Direction(t.Call.Direction), Shown: routing.X(t.Call.Shown), Callee: routing.Number(t.Call.Callee),
		Caller: c.q.Caller, Record: t.Record, Hint: t.Hint, MaxMinutes: t.MaxMinutes, LastMinute: t.LastMinute,
		App: &routing.App{Key: t.Call.App, SP: t.Call.SP, Mode: routing.Mode(t.Call.Mode), Stereo: t.App.Stereo, Informs: t.App.Informs, Prompts: t.App.Prompts, Defaults: t.App.Usual}}
	c.b = &calleeLeg{settled: true}
	c.tried = []*calleeLeg{c.b}
	c.a.final = true
	for side, saved := range []*savedLeg{media.Caller: &t.Caller, media.Callee: &t.Callee} {
		l := c.legOf(media.Side(side))
		tr, err := s.trunkNamed(t.trunkOf(media.Side(side)))
		if err == nil {
			err = e.restoreLeg(c, l, media.Side(side), tr, saved)
		}
		if err != nil {
			c.media.Close()
			return nil, err
		}
	}
	c.from = origin{trunk: c.a.trunk, named: t.Named, phone: t.Phone}
	c.b.root, c.b.route = c.b.branch, route{name: t.Call.CalleeTrunk, trunk: c.b.trunk}
	c.b.branches = []*branch{c.b.branch}
	c.a.hide(c.d.Callee, s.cfg.Plan.Country)
	c.b.hide(c.q.Caller, s.cfg.Plan.Country)
	return c, nil
}

// trunkNamed is the trunk of a saved leg; nil: it is that of a phone.
func (s *Server) trunkNamed(name string) (*trunk.Trunk, error) {
	if name == phonesName {
		return nil, nil
	}
	for _, t := range s.cfg.Trunks.All() {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrNoTrunk, name)
}

// restoreLeg makes one leg of what was kept, with our addresses in place of the
// other node's.
func (e *Estate) restoreLeg(c *call, l *leg, side media.Side, tr *trunk.Trunk, saved *savedLeg) error {
	s, transport := e.srv, saved.Dialog.Transport()
	me := s.local(saved.Dialog.User, transport, tr)
	if saved.Dialog.Secure {
		me.Contact.Scheme = "sips"
		me.Contact.UriParams.Remove("transport")
	}
	port, err := c.media.Reserve(side)
	if err != nil {
		return err
	}
	l.branch = &branch{dialog: dialog.Restored(saved.Dialog, e.homeOf(tr, transport), me), agreed: saved.Agreed, ready: true}
	l.side, l.host, l.trunk, l.inbox, l.media, l.up = side, saved.Dialog.Host(), tr, c.inbox, true, true
	l.security = saved.Security
	l.sdp = c.newSession(l, port)
	l.sdp.Restore(saved.SDP)
	l.session = session{expires: saved.Expires, least: saved.Least, ours: saved.Ours, theirs: saved.Theirs}
	l.updates, l.informs, l.keys = saved.Updates, saved.Informs, saved.Keys
	l.ours.way = stops{from: saved.Way[0], to: saved.Way[1]}
	l.ours.told = stops{from: saved.SDP.Stops[0], to: saved.SDP.Stops[1]}
	return nil
}

// homeOf is the server's, looked up once.
func (e *Estate) homeOf(t *trunk.Trunk, transport string) wire.Peer {
	at := home{t, transport}
	to, known := e.homes[at]
	if !known {
		to = e.srv.homeOf(t, transport)
		e.homes[at] = to
	}
	return to
}

// homeOf is a server of a trunk that can be connected to, for a leg that came over
// a connection which the trunk had made; not valid: there is none.
func (s *Server) homeOf(t *trunk.Trunk, transport string) wire.Peer {
	if t == nil || transport == "UDP" {
		return wire.Peer{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	all, err := s.servers(ctx, s.trunkRoute(t, ""))
	if err != nil {
		return wire.Peer{}
	}
	for _, r := range all {
		if r.to.Transport == transport {
			return r.to
		}
	}
	return wire.Peer{}
}

// resume is the story of a call that another node began: from its being told to
// both peers to the reason of its end.
func (c *call) resume() (routing.End, bool) {
	c.log.Warn().Str("node", c.resumed.from).Dur("after", c.now().Sub(c.resumed.died)).Dur("clock_ahead", c.resumed.ahead).Msg("the call goes on here: its node died")
	c.loop, _ = c.srv.loops.enter(c.q, c.d, time.Now())
	c.srv.loops.answered(&c.loop)
	c.srv.router.Carry(c.q, routing.Extension(c.rec.Extension), c.d)
	c.talking = true
	for _, l := range []*leg{&c.a.leg, &c.b.leg} {
		c.repoint(l)
		l.ours.resume = true
		c.pursue(l)
	}
	c.media.Connect(true, true)
	c.hearTones()
	if c.rec.RecordFile != "" && !c.rec.Recording.IsZero() {
		c.continueTape()
	}
	if c.d.Record && !c.rec.RecordWanted { // its node died before the hint was over
		if end, ok := c.hinted(); !ok {
			return end, false
		}
		c.startTape()
	}
	c.changes()
	return routing.End{}, true
}

// hinted plays the record hint once both are there to hear it.
func (c *call) hinted() (routing.End, bool) {
	for !c.resumed.back[media.Caller] || !c.resumed.back[media.Callee] {
		if end, over := c.overBy(c.next()); over {
			return end, false
		}
	}
	return c.hint()
}

// repoint has audio flow with a peer as it was agreed, at once: it may take our
// address before we hear that it did. Under a key it has to wait for the new ones.
func (c *call) repoint(l *leg) {
	if l.security != sdp.Off && l.sdp.Keyed() {
		l.agreed = sdp.Agreed{Held: l.agreed.Held, Codec: l.agreed.Codec}
		return
	}
	if err := c.point(l, l.agreed); err != nil {
		c.log.Warn().Err(err).Stringer("leg", l.side).Msg("go on with the audio")
	}
}

// returned notes that the peer of a leg has taken our address.
func (c *call) returned(l *leg) {
	if !l.ours.resume {
		return
	}
	l.ours.resume = false
	c.resumed.back[l.side] = true
	c.log.Info().Stringer("leg", l.side).Dur("after", c.now().Sub(c.resumed.died)).Msg("the peer goes on with the call here")
	c.media.Expect(l.side)
	c.carryHold(l)
}

// clock takes over the clock that the call's times stand by; the dead node's own was
// ahead of it.
func (r *resumption) clock(died Death, ahead time.Duration) {
	if !died.Now.IsZero() {
		r.ahead = time.Now().Round(0).Sub(died.Now.Round(0))
	}
	r.ahead += ahead
	if !died.Alive.IsZero() {
		r.died = died.Alive.Round(0).Add(-ahead)
	}
}

// lostAt is when a call that is over ended, if a peer never took our address: as
// it would have, had nobody gone on with it.
func (c *call) lostAt(now time.Time) time.Time {
	r := &c.resumed
	if !r.on {
		return now
	}
	ended := now
	if (!r.back[media.Caller] || !r.back[media.Callee]) && c.rec.ReleasedBy == 0 {
		ended = r.died
	}
	if ended.Before(c.rec.Answered) {
		return c.rec.Answered
	}
	return ended
}
