package sip

import (
	"github.com/emiago/sipgo/sip"

	"axgate/routing"
)

// endLetGo is the end of a call that another node has taken: nothing is said of it.
var endLetGo = routing.End{Word: "let_go", SIP: sip.StatusServiceUnavailable, Cause: 41, Quiet: true}

// LetGo forgets all answered calls, since others have declared this node dead and go
// on with them: no peer is told anything, and nothing is written. Calls that were not
// answered yet are ended at their peers, for nobody else does that; what is to be written of
// them others write. When it returns no answered call does anything any more.
func (s *Server) LetGo() {
	s.mu.Lock()
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
