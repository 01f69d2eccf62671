package sip

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/wire"
)

// hushTime is for how long nothing is answered in dialogs that were let go of: as
// long as a request may be repeated that its peer sent before it knew (64*T1).
const hushTime = 32 * time.Second

// between is a node whose life was declared over, until it is sure of the next one. The
// server's lock guards it.
type between struct {
	lives  bool // a new call would be of the life that is over
	hushed map[legKey]struct{}
	until  time.Time // in which those are
}

// endLetGo is the end of a call that another node has taken: nothing is said of it.
var endLetGo = routing.End{Word: "let_go", SIP: sip.StatusServiceUnavailable, Cause: 41, Quiet: true}

// LetGo forgets all answered calls, since others have declared this node dead and go
// on with them: no peer is told anything, and nothing is written. Calls that were not
// answered yet are ended at their peers, for nobody else does that; what is to be written of
// them others write. When it returns no answered call does anything any more, and
// new ones are refused with 503 until Holds tells that the next life has begun.
func (s *Server) LetGo() {
	s.mu.Lock()
	s.between.lives = true
	var all []*call
	for _, c := range s.calls {
		c.letGo.Store(true)
		all = append(all, c)
	}
	s.mu.Unlock()
	if len(all) == 0 {
		return
	}
	s.log.Warn().Int("calls", len(all)).Msg("let go of: others have declared this node dead")
	for _, c := range all {
		c.order(endLetGo)
	}
	for _, c := range all {
		if !c.over.Load() {
			<-c.gone
		}
	}
}

// vanish ends a call that others have: its sockets, alarms and marks, nothing else.
func (c *call) vanish() {
	defer close(c.gone)
	c.srv.hush(c)
	c.over.Store(true)
	c.srv.up.Add(-1)
	c.stopAlarms()
	for _, l := range c.allLegs() {
		l.unacked.stop()
		l.ours.limit.stop()
	}
	c.a.reliable.stop()
	c.media.Abandon()
	c.audio = nil
	if c.tape.file != nil {
		c.tape.file.Abandon()
	}
	c.srv.router.Forget(c.session)
	c.srv.loops.leave(&c.loop)
	if c.counted {
		c.srv.limits.leave(c.from.trunk)
	}
	for _, b := range c.tried {
		c.uncount(b)
		b.silence.stop()
	}
}

// watchLives sees, until ctx ends, that calls are taken again when they can be.
func (s *Server) watchLives(ctx context.Context) {
	every(ctx, fenceStep, func() {
		s.fence.passes(present())
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unsure()
		if b := &s.between; b.hushed != nil && time.Now().After(b.until) {
			b.hushed = nil
		}
	})
}

// betweenLives tells whether a call that begins now would be of a life that is over.
func (s *Server) betweenLives() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsure()
}

// unsure is betweenLives with the lock held.
func (s *Server) unsure() bool {
	if s.between.lives && s.cfg.Holds != nil && s.cfg.Holds() {
		s.between.lives = false
	}
	return s.between.lives
}

// hush has nothing answered in the dialogs of a call that others have: that they
// are not known here is no word to their peers.
func (s *Server) hush(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &s.between
	if b.hushed == nil {
		b.hushed = map[legKey]struct{}{}
	}
	b.until = time.Now().Add(hushTime)
	for _, l := range c.allLegs() {
		b.hushed[legKey{l.dialog.CallID, l.dialog.LocalTag()}] = struct{}{}
	}
}

// hushes ignores a request in a dialog that was let go of; false: it is of another.
func (s *Server) hushes(tx *wire.ServerTx) bool {
	tag, _ := tx.Request.To().Params.Get("tag")
	s.mu.Lock()
	_, hushed := s.between.hushed[legKey{tx.Request.CallID().Value(), tag}]
	hushed = hushed && time.Now().Before(s.between.until)
	s.mu.Unlock()
	if hushed {
		tx.Ignore()
	}
	return hushed
}
