package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// route is one way to a callee: its registered phone, or a trunk.
type route struct {
	name             string
	uri              sip.Uri // Request-URI and To
	to               wire.Peer
	behind           bool // requests go to where the phone registered from
	trunk            *trunk.Trunk
	fromFormat       routing.Format
	fromDomain       string
	sendPAI, sendPPI bool
	hide             bool
	ringTimeout      time.Duration
}

// routes are the ways to a number, the best first.
func (s *Server) routes(callee routing.Number) []route {
	if s.cfg.Registrar != nil {
		if at, ok := s.cfg.Registrar.Lookup(string(callee), time.Now()); ok {
			return []route{{name: "phone", uri: at.URI, to: wire.Peer{Addr: at.Source, Transport: at.Transport}, behind: true, fromFormat: routing.FormatE164}}
		}
	}
	var all []route
	now := time.Now()
	for _, t := range s.cfg.Trunks.Out() {
		if s.limits.resting(t, now) {
			continue
		}
		uri := sip.Uri{Scheme: "sip", User: s.cfg.Plan.Spell(callee, t.CalleeFormat), Host: t.Address.Addr().String(), Port: int(t.Address.Port())}
		all = append(all, route{name: t.Name, uri: uri, to: wire.Peer{Addr: t.Address, Transport: t.Transport}, behind: t.NATMedia, trunk: t,
			fromFormat: t.FromFormat, fromDomain: t.FromDomain, sendPAI: t.SendPAI, sendPPI: t.SendPPI, hide: t.Hide, ringTimeout: t.RingTimeout})
	}
	return all
}

// codecs is the order in which codecs are offered to a peer.
func (c *call) codecs(o origin) []string {
	if o.trunk != nil && len(o.trunk.Codecs) > 0 {
		return o.trunk.Codecs
	}
	return c.srv.cfg.Codecs
}
