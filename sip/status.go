package sip

import (
	"strings"
	"time"

	"axgate/sip/enrol"
)

// TrunkStatus is a trunk as operators see it.
type TrunkStatus struct {
	Name string
	// Up tells that a call can go out over one of its servers, or that no call
	// goes out over it at all.
	Up      bool
	Calls   int            // at this moment, both ways
	Servers []ServerStatus // in the order in which they would be tried
	Failure string         // why none is known; empty: some are, or none is needed
	// Registration is ours with it; nil: it wants none.
	Registration *enrol.Status
}

// ServerStatus is one server of a trunk.
type ServerStatus struct {
	Address string // udp://192.0.2.7:5060
	Up      bool
	Since   time.Time // up or down; zero: it was not asked or called yet
	Heard   time.Time // when it answered last; zero: never
	Status  int       // of its last final answer; 0: none
	Misses  int       // in a row
	Rests   time.Time // it asked for no calls until then; zero: it did not
	Failure string    // why it did not answer last, such as a certificate of another name; empty: it did
}

// Trunks are the trunks of this node in the order of the configuration.
func (s *Server) Trunks() []TrunkStatus {
	var all []TrunkStatus
	now := time.Now()
	for _, t := range s.cfg.Trunks.All() {
		st := TrunkStatus{Name: t.Name, Calls: s.limits.count(t), Up: !t.CallsOut()}
		if l := s.lines.byTrunk[t]; l != nil {
			status := l.reg.Status()
			st.Registration = &status
		}
		if t.CallsOut() {
			servers, err := s.servers(s.tending, s.trunkRoute(t, ""))
			if err != nil {
				st.Failure = err.Error()
			}
			for _, r := range servers {
				c := s.health.look(r)
				one := ServerStatus{Address: strings.ToLower(r.to.Transport) + "://" + r.to.Addr.String(), Up: !s.health.down(r, now),
					Since: utc(c.since), Heard: utc(c.heard), Status: c.status, Misses: c.misses, Rests: utc(s.limits.restsUntil(r, now)), Failure: c.failure}
				st.Up = st.Up || one.Up && one.Rests.IsZero()
				st.Servers = append(st.Servers, one)
			}
		}
		all = append(all, st)
	}
	return all
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}
