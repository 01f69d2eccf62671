package sip

import (
	"net/netip"

	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// Accept lets in whoever is a trunk, and anybody if softphones may register.
func (s *Server) Accept(from wire.Peer) bool {
	return s.cfg.Registrar != nil || fromTrunk(s.cfg.Trunks, from)
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
