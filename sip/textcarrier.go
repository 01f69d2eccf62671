package sip

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/cpim"
	"axgate/sip/trunk"
	"axgate/sms"
)

// TextCarriers are the ways of texts to phones, the best first: the phones of
// the registrar, then the trunks that take texts, the first configured first.
func (s *Server) TextCarriers() []sms.Carrier {
	var all []sms.Carrier
	if s.cfg.Registrar != nil {
		all = append(all, s.newCarrier(nil))
	}
	for _, t := range s.cfg.Trunks.Out() {
		switch {
		case t.Texts.Form == trunk.ThreeGPP:
			all = append(all, &relayCarrier{srv: s, trunk: t})
		case t.Texts.On():
			all = append(all, s.newCarrier(t))
		}
	}
	return all
}

// textCarrier sends texts as text/plain or message/cpim.
type textCarrier struct {
	srv   *Server
	trunk *trunk.Trunk // nil: the phones of the registrar
	room  int          // the bytes of text that fit in one MESSAGE
}

var _ sms.Carrier = (*textCarrier)(nil)

// Name implements sms.Carrier.
func (c *textCarrier) Name() string {
	if c.trunk == nil {
		return "phone"
	}
	return c.trunk.Name
}

// Reaches implements sms.Carrier: a phone has an account, registered or not; a
// trunk has the numbers that go over it.
func (c *textCarrier) Reaches(n routing.Number) bool {
	return c.trunk != nil && c.trunk.Serves(n) || c.trunk == nil && c.srv.cfg.Registrar.Has(string(n))
}

// Pieces implements sms.Carrier.
func (c *textCarrier) Pieces(text string) int { return len(split(text, c.room)) }

// Send implements sms.Carrier.
func (c *textCarrier) Send(ctx context.Context, o sms.Outgoing) error {
	r, ok := c.route(o.Receiver)
	if !ok {
		return &sms.Failure{Status: sip.StatusTemporarilyUnavailable, Reason: "the phone is not registered", Temporary: true}
	}
	pieces := split(o.Text, c.room)
	if o.Piece < 0 || o.Piece >= len(pieces) {
		return &sms.Failure{Reason: fmt.Sprintf("%s: there is no piece %d of %d", c.Name(), o.Piece, len(pieces))}
	}
	shown, err := c.srv.shownOn(r, o.X)
	if err != nil {
		return &sms.Failure{Reason: err.Error()}
	}
	l := c.letter(r, shown, pieces[o.Piece], o.At)
	l.id, l.round, l.tried = digestOf(c.Name(), o.ID, o.Piece), o.Fails, o.Try > 0
	return c.srv.send(ctx, l)
}

// route is the way to a number now.
func (c *textCarrier) route(n routing.Number) (route, bool) {
	if c.trunk == nil {
		return c.srv.phoneRoute(n, time.Now())
	}
	return c.srv.trunkRoute(c.trunk, c.trunk.Callee(&c.srv.cfg.Plan, n)), true
}

// letter is the MESSAGE of one piece, but for what tells it from others.
func (c *textCarrier) letter(r route, shown, text string, at time.Time) letter {
	l := letter{route: r, from: c.srv.from(r, shown), contentType: plainUTF8, body: []byte(text), headers: c.srv.asserted(r, shown)}
	if c.trunk == nil || c.trunk.Texts.Form != trunk.CPIM {
		return l
	}
	// Nothing in these headers has a character that cannot stand there: numbers
	// and our own names.
	m := cpim.Message{From: "<" + l.from.String() + ">", To: "<" + r.uri.String() + ">", At: at, Type: plainUTF8, Body: l.body}
	if body, err := m.Write(); err == nil {
		l.contentType, l.body = typeCPIM, body
	}
	return l
}

// The sizes of a MESSAGE, in bytes.
const (
	maxRequest  = 1299 // RFC 3428 section 8
	leastRoom   = 140  // so much text goes into each, even if it is too long then
	longURI     = 120  // of a phone, beyond a plain one: parameters
	credentials = 440  // a digest answer with long names and values
	routes      = 200  // Service-Route of a trunk that we are registered with
)

// newCarrier measures how much text fits into a MESSAGE beside the longest
// names that there are, so that a text always has the same pieces.
func (s *Server) newCarrier(t *trunk.Trunk) *textCarrier {
	c := &textCarrier{srv: s, trunk: t}
	const longest = "+99999999999999999999" // a number
	r := route{name: "phone", uri: sip.Uri{Scheme: "sip", User: longest, Host: "255.255.255.255", Port: 65535}, to: wireLongest}
	reserve := longURI
	if t != nil {
		r, reserve = s.trunkRoute(t, longest), 0
		r.to = wireLongest
		if t.Proof() != "" {
			r.to.Transport = "TLS"
		}
		if t.Username != "" {
			reserve = credentials + 2*len(t.Username)
		}
		if t.Enrol.On {
			reserve += routes
		}
	}
	wide := &textCarrier{srv: s.widest(), trunk: t}
	l := wide.letter(r, longest, "", time.Unix(0, 0))
	l.id = digestOf()
	c.room = max(maxRequest-reserve-len(wide.srv.message(l, 9999).String()), leastRoom)
	return c
}

// widest writes a MESSAGE as long as any of our nodes can: each has an address
// of its own, and all have to cut a text at the same places.
func (s *Server) widest() *Server {
	const host, agent = 39, 32 // an IPv6 address; our name and version
	wide := func(name string, least int) string {
		return name + strings.Repeat("x", max(0, least-len(name)))
	}
	cfg := s.cfg
	cfg.Advertise, cfg.Domain = wide(hostOf(cfg.Advertise), host)+":65535", wide(cfg.Domain, host)
	if cfg.Agent != "" {
		cfg.Agent = wide(cfg.Agent, agent)
	}
	return &Server{cfg: cfg}
}
