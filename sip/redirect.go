package sip

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/resolve"
	"axgate/sip/trunk"
)

const (
	maxRedirects = 3 // one after the other
	maxContacts  = 8 // of one redirection that are looked at
)

// ringOn calls the callee over one server of a trunk, and over those of it that
// redirections lead to, if the trunk has them followed. Each INVITE has its place
// in the trunk's limits, the first of them by the caller.
func (c *call) ringOn(r route, s *hunt) (end routing.End, again, ok bool) {
	for depth := 0; ; depth++ {
		s.tried++
		before := c.b
		c.waiting.deserted(false) // by the server before
		c.comfort()
		end, again, ok = c.ring(r)
		if ok || c.b == before || c.b.redirect == nil || depth == maxRedirects || s.tried >= maxTries {
			return end, again, ok
		}
		next, found := c.redirected(c.b)
		if !found {
			return end, again, ok
		}
		c.uncount(c.b)
		now := time.Now()
		if now.After(s.until) || !c.srv.overload.out(r.trunk, now) || !c.srv.limits.enter(r.trunk) {
			return end, again, ok
		}
		c.log.Info().Str("route", r.name).Stringer("server", next.to).Msg("the trunk sends the call to another of its servers")
		r = next
	}
}

// redirected is the route that a redirection leads to: to the same number at
// another server of the same trunk. Whatever else it says is not followed: only
// who is bound is called, and only over what is configured.
func (c *call) redirected(b *calleeLeg) (route, bool) {
	t := b.route.trunk
	if t == nil || !t.Way.Follow3xx || !c.rec.Alerting.IsZero() {
		return route{}, false
	}
	servers, err := c.srv.servers(c.srv.tending, b.route)
	if err != nil {
		return route{}, false
	}
	now := time.Now()
	for _, uri := range contactsOf(b.redirect) {
		if !c.isCallee(b.route, uri) {
			c.log.Warn().Str("route", b.route.name).Msg("a redirection to another number is not followed")
			continue
		}
		for _, r := range servers {
			if r.to != b.route.to && leadsTo(t, uri, r) && !c.srv.limits.resting(r, now) && !c.srv.health.down(r, now) {
				return r, true
			}
		}
	}
	return route{}, false
}

// contactsOf are the URIs of a redirection, the preferred first (RFC 3261
// section 8.1.3.4).
func contactsOf(res *sip.Response) []sip.Uri {
	var all []*sip.ContactHeader
	for _, h := range res.GetHeaders("Contact") {
		if one, ok := h.(*sip.ContactHeader); ok && !one.Address.Wildcard && len(all) < maxContacts {
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b *sip.ContactHeader) int { return cmp.Compare(preference(b), preference(a)) })
	uris := make([]sip.Uri, len(all))
	for i, one := range all {
		uris[i] = one.Address
	}
	return uris
}

// preference is q of a Contact, 0 to 1; without one 1.
func preference(h *sip.ContactHeader) float64 {
	text, ok := h.Params.Get("q")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// isCallee tells whether a URI names the callee: as the trunk's rules spell it,
// or in any other spelling of the plan.
func (c *call) isCallee(r route, uri sip.Uri) bool {
	user, _, _ := strings.Cut(uri.User, ";")
	if user != "" && user == r.uri.User {
		return true
	}
	n, ok := c.srv.cfg.Plan.ReadNumber(user)
	return ok && n == c.d.Callee
}

// leadsTo tells whether a URI is of a server of the trunk: it has its address,
// or the trunk's own name. The Request-URI stays as it is for all of them.
func leadsTo(t *trunk.Trunk, uri sip.Uri, server route) bool {
	uri.Host = strings.Trim(uri.Host, "[]")
	hop, err := resolve.HopOf(uri)
	switch {
	case err != nil, hop.Transport != "" && hop.Transport != server.to.Transport, hop.Secure && server.to.Transport != resolve.TLS:
		return false
	}
	if ip, ok := hop.IP(); ok {
		port := hop.Port
		if port == 0 {
			port = usualPort(server.to.Transport)
		}
		return ip == server.to.Addr.Addr().Unmap() && port == server.to.Addr.Port()
	}
	host, _ := t.Host()
	return (hop.Port == 0 || hop.Port == server.to.Addr.Port()) && (strings.EqualFold(hop.Host, host) || strings.EqualFold(hop.Host, t.Hop().Host))
}

// usualPort is where a transport is without a port in the URI (RFC 3261 section
// 19.1.2).
func usualPort(transport string) uint16 {
	if transport == resolve.TLS {
		return 5061
	}
	return 5060
}
