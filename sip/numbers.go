package sip

import (
	"axgate/routing"
)

// dialledX reads the X that somebody calls or writes to, spelled as they do
// where it came from.
func (s *Server) dialledX(from origin, number string) (routing.X, bool) {
	if from.trunk != nil {
		number = from.trunk.Dialled(number)
	}
	return s.cfg.Plan.ParseX(number)
}

// shownOn spells X as the caller on a route. An error is that the trunk's rules
// would show another number: nothing but an X of the tenant is ever shown.
func (s *Server) shownOn(r route, x routing.X) (string, error) {
	if r.trunk != nil {
		return r.trunk.Shown(&s.cfg.Plan, x)
	}
	return s.cfg.Plan.SpellX(x, r.fromFormat), nil
}
