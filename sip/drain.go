package sip

// Drain has new calls refused with 503 and Retry-After, and keep-alives answered so,
// while the calls that are up go on; or has them taken again.
func (s *Server) Drain(on bool) { s.drained.Store(on) }

// closedDoor tells whether new calls are to go elsewhere: this node drains, or ends, or
// others have declared it dead and it is not alive again.
func (s *Server) closedDoor() bool { return s.drained.Load() || s.draining.Load() || s.betweenLives() }
