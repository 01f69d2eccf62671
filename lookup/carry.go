package lookup

import "axgate/routing"

// Carry takes over what another node, which died, reserved for an answered call,
// and counts the call as this node's. It does not wait.
func (r *Router) Carry(q routing.Question, ext routing.Extension, d routing.Decision) {
	switch d.App.Mode {
	case routing.AX:
		r.cfg.Cache.Carry(q.Session, q.X, "")
	case routing.AXE:
		r.cfg.Cache.Carry(q.Session, q.X, ext)
	}
	r.use.Carry(q.Session, d.App.SP, q.X)
}

// Forget lets go of a call that another node has taken over. Its place on X is that
// node's. It does not wait.
func (r *Router) Forget(session string) {
	r.cfg.Cache.Yield(session)
	r.use.Leave(session)
}
