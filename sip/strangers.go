package sip

import (
	"net/netip"
	"slices"

	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// Accept lets in whoever is a trunk, or may watch us, and anybody if softphones may
// register or a trunk may call from anywhere.
func (s *Server) Accept(from wire.Peer) bool { return s.serves(from) || s.watched(from) }

// serves tells whether somebody may have more than answers to OPTIONS.
func (s *Server) serves(from wire.Peer) bool {
	return s.named.asks != nil || fromTrunk(s.cfg.Trunks, from)
}

// watched tells whether somebody may have answers to OPTIONS.
func (s *Server) watched(from wire.Peer) bool {
	at := from.Addr.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(s.cfg.Watchers, func(p netip.Prefix) bool { return p.Contains(at) })
}

// known tells whether a source is a trunk, or was lately by its proof.
func (s *Server) known(from wire.Peer) bool {
	return fromTrunk(s.cfg.Trunks, from) || s.named.known(from.Addr.Addr())
}

// fromTrunk tells whether a message comes from a trunk, or from where we call.
func fromTrunk(trunks *trunk.Table, from wire.Peer) bool {
	if _, ok := trunks.From(from.Addr, from.Transport); ok {
		return true
	}
	return trunks.Called(from.Addr.Addr())
}

// Bans are the addresses of which nothing is read now.
func (s *Server) Bans() []wire.Ban { return s.stack.Bans() }

// FloodCounts are the messages of strangers that were thrown away, by reason.
func (s *Server) FloodCounts() wire.FloodCounts { return s.stack.FloodCounts() }

// Unban lets an address in again; it tells whether it was banned.
func (s *Server) Unban(addr netip.Addr) bool { return s.stack.Unban(addr) }
