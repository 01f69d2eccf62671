package sip

import (
	"context"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// unregisterTime bounds how long the trunks may take to take our registrations
// back when the process ends.
const unregisterTime = 3 * time.Second

// lines are our registrations with trunks. The set does not change.
type lines struct {
	byTrunk map[*trunk.Trunk]*line
	byToken map[string]*line
}

// openLines makes the registrations; they begin with startLines.
func (s *Server) openLines() error {
	s.lines = lines{map[*trunk.Trunk]*line{}, map[string]*line{}}
	for _, t := range s.cfg.Trunks.Out() {
		if !t.Enrol.On {
			continue
		}
		l, err := s.newLine(t, s.log)
		if err != nil {
			return err
		}
		s.lines.byTrunk[t], s.lines.byToken[l.token] = l, l
	}
	return nil
}

func (s *Server) startLines() {
	for _, l := range s.lines.byTrunk {
		l.reg.Start()
	}
}

// closeLines takes all registrations back.
func (s *Server) closeLines() {
	ctx, cancel := context.WithTimeout(context.Background(), unregisterTime)
	defer cancel()
	var wait sync.WaitGroup
	for _, l := range s.lines.byTrunk {
		wait.Go(func() {
			if err := l.reg.Close(ctx); err != nil {
				s.log.Warn().Err(err).Str("trunk", l.trunk.Name).Msg("the registration is not taken back")
			}
		})
	}
	wait.Wait()
}

// lost has lines register again whose connection ended: their calls come by it.
func (s *Server) lost(peer wire.Peer) {
	for _, l := range s.lines.byTrunk {
		if l.at() == peer {
			l.reg.Renew()
		}
	}
}

// calledLine is the line whose Contact a request calls, sent from where that is
// registered or from where else the trunk's calls may come from.
func (s *Server) calledLine(req *sip.Request, from wire.Peer) *line {
	l := s.lines.byToken[req.Recipient.User]
	if l == nil || !s.ofLine(l, from) {
		return nil
	}
	return l
}

// ofLine tells whether a message comes from the trunk of a line.
func (s *Server) ofLine(l *line, from wire.Peer) bool {
	if at := l.at(); at.Addr.IsValid() && at.Addr.Addr() == from.Addr.Addr() {
		return true
	}
	t, ok := s.cfg.Trunks.From(from.Addr, from.Transport)
	return ok && t == l.trunk
}

// hasLine tells whether a trunk with a line that passes is registered there.
func (s *Server) hasLine(from wire.Peer, passes func(*trunk.Trunk) bool) bool {
	for t, l := range s.lines.byTrunk {
		if at := l.at(); at.Addr.IsValid() && at.Addr.Addr() == from.Addr.Addr() && passes(t) {
			return true
		}
	}
	return false
}

// calledX is the X that a request is for. One to a line has our Contact as
// Request-URI: what was called stands in P-Called-Party-ID or To, or else it is
// the line itself.
func (s *Server) calledX(req *sip.Request, who origin) (routing.X, bool) {
	if who.line == nil {
		dialled, ok := identity.Dialled(req)
		if !ok {
			return "", false
		}
		return s.dialledX(who, dialled)
	}
	if x, ok := s.relayedX(req, who); ok {
		return x, true
	}
	user, _ := who.line.trunk.Enrol.Line()
	return s.dialledX(who, user)
}
