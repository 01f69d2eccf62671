package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/routing"
	"axgate/sip/identity"
)

// Bounds of how long a caller waits for a trunk that works.
const (
	maxTries     = 8                // INVITEs
	failoverTime = 30 * time.Second // after which no other way is tried
)

// overRoutes calls the callee over one server after the other until one
// answers. Servers that are known to be down are tried if no other is there.
// tried counts the INVITEs.
func (c *call) overRoutes(routes []route) (end routing.End, tried int, ok bool) {
	s := &hunt{end: routing.EndNoRoute, until: time.Now().Add(failoverTime)}
	for _, down := range []bool{false, true} {
		for _, r := range routes {
			if c.overServers(r, s, down); s.over || s.ok {
				return s.end, s.tried, s.ok
			}
		}
		if s.tried > 0 || s.full {
			break
		}
	}
	if s.full && s.tried == 0 {
		s.end = routing.EndOverload
	}
	return s.end, s.tried, s.ok
}

// hunt is how far the search for a trunk that works has come.
type hunt struct {
	end   routing.End // that of the last try
	tried int
	full  bool // a trunk carries all that it may
	over  bool // no other way is to be tried
	ok    bool // the callee answered
	until time.Time
}

// overServers calls over the servers of one trunk that are down, or those that
// are not.
func (c *call) overServers(r route, s *hunt, down bool) {
	servers, err := c.srv.servers(c.srv.tending, r)
	if err != nil {
		c.log.Warn().Err(err).Str("route", r.name).Msg("the trunk cannot be found")
		return
	}
	if end, gone := c.leftMeanwhile(); gone { // while DNS was asked
		s.end, s.over = end, true
		return
	}
	for i := 0; i < len(servers); i++ {
		one, now := servers[i], time.Now()
		switch {
		case c.srv.limits.resting(one, now) || c.srv.health.down(one, now) != down:
			continue
		case !c.srv.overload.out(r.trunk, now), !c.srv.limits.enter(r.trunk):
			c.log.Warn().Str("route", r.name).Msg("the trunk carries all the calls it may")
			s.full = true
			return
		}
		var again bool
		before := c.b
		if s.end, again, s.ok = c.ringOn(one, s); s.ok {
			return
		}
		if !again || s.tried >= maxTries || time.Now().After(s.until) {
			s.over = true
			return
		}
		if c.b == before { // no leg came to be, and ring has taken it off the count
			return
		}
		c.uncount(c.b)
		if !c.b.elsewhere {
			return
		}
		servers = afterLarge(servers, i, c.b)
	}
}

// uncount has a leg no longer count for its trunk.
func (c *call) uncount(b *calleeLeg) {
	if b.counted {
		b.counted = false
		c.srv.limits.leave(b.route.trunk)
	}
}

// ofServer are the statuses after which another server of the same trunk may do
// better (RFC 3263 section 4.3).
func ofServer(status int) bool {
	return status == sip.StatusServiceUnavailable || status == sip.StatusRequestTimeout
}

// listenFor waits for the first word of a trunk's server to an INVITE. One that
// is repeated, with a proof or a longer session, has its own time: that of
// ringing bounds all of them.
func (c *call) listenFor(b *calleeLeg) {
	if b.route.trunk == nil {
		return
	}
	b.silence.set(c.inbox, b.route.trunk.Way.ConnectTimeout, func() (happening, bool) {
		return happening{kind: unheard, side: media.Callee}, b == c.b
	})
}

// noWord gives up a server that has not said anything to its INVITE. If it
// wakes up it finds the INVITE taken back.
func (c *call) noWord(b *calleeLeg) (end routing.End, again bool) {
	c.log.Warn().Str("route", b.route.name).Stringer("server", b.route.to).Dur("waited", b.route.trunk.Way.ConnectTimeout).Msg("no word from the server")
	c.srv.health.missed(b.route, time.Now(), missedBy(nil, nil))
	c.rec.SIPStatus, c.rec.UnswReason = sip.StatusRequestTimeout, identity.CauseOf(sip.StatusRequestTimeout)
	b.elsewhere = true
	c.cancel(b)
	return routing.EndTrunk, c.rec.Alerting.IsZero()
}
