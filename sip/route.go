package sip

import (
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// route is one way to a callee: its registered phone, or a trunk.
type route struct {
	name             string
	uri              sip.Uri   // Request-URI and To
	via              []sip.Uri // Route headers
	small            bool      // over UDP whatever the size
	to               wire.Peer // a trunk's server is chosen by servers
	behind           bool      // requests go to where the phone registered from
	trunk            *trunk.Trunk
	line             string // user part of the registered Contact; empty: the trunk wants no registration
	fromFormat       routing.Format
	fromDomain       string
	sendPAI, sendPPI bool
	hide             bool
	ringTimeout      time.Duration
}

// phonesName is the name of the way to registered phones, among those of trunks.
const phonesName = "phone"

// routes are the ways to a number, the best first.
func (s *Server) routes(callee routing.Number) []route {
	if r, ok := s.phoneRoute(callee, time.Now()); ok {
		return []route{r}
	}
	var all []route
	for _, t := range inOrder(s.cfg.Trunks.Out(), rand.IntN) {
		if t.Serves(callee) {
			all = append(all, s.trunkRoute(t, t.Callee(&s.cfg.Plan, callee)))
		}
	}
	return all
}

// phoneRoute is the way to the phone of a number, if it is registered now.
func (s *Server) phoneRoute(callee routing.Number, now time.Time) (route, bool) {
	if s.cfg.Registrar == nil {
		return route{}, false
	}
	at, ok := s.cfg.Registrar.Lookup(string(callee), now)
	return route{name: phonesName, uri: at.URI, to: wire.Peer{Addr: at.Source, Transport: at.Transport}, behind: true, fromFormat: routing.FormatE164}, ok
}

// trunkRoute is the way to a user of a trunk, to whichever of its servers.
func (s *Server) trunkRoute(t *trunk.Trunk, user string) route {
	uri := sip.Uri{Scheme: "sip", User: user}
	uri.Host, uri.Port = t.Host()
	return route{name: t.Name, uri: uri, via: viaProxy(t), behind: t.NATMedia, trunk: t,
		fromFormat: t.FromFormat, fromDomain: t.FromDomain, sendPAI: t.SendPAI, sendPPI: t.SendPPI, hide: t.Hide, ringTimeout: t.RingTimeout}
}

// from is what From says on a route: X, or if that is hidden nothing.
func (s *Server) from(r route, shown string) sip.Uri {
	if r.hide {
		return sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}
	}
	return sip.Uri{Scheme: "sip", User: shown, Host: s.domain(r)}
}

// domain is the host part of identities on a route.
func (s *Server) domain(r route) string {
	if r.fromDomain != "" {
		return r.fromDomain
	}
	return s.cfg.Domain
}

// security is what the audio of a trunk, or of a phone (nil), may be over this
// transport.
func (s *Server) security(t *trunk.Trunk, transport string) (sdp.Security, error) {
	want := s.cfg.PhoneSecurity
	if t != nil {
		want = t.Security
	}
	return want.Over(transport == "TLS")
}

// codecs is the order in which codecs are offered to a peer.
func (c *call) codecs(o origin) []string {
	if o.trunk != nil && len(o.trunk.Codecs) > 0 {
		return o.trunk.Codecs
	}
	return c.srv.cfg.Codecs
}
