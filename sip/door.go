package sip

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/identity"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// origin is who a call came from: a trunk, or a phone of the registrar.
type origin struct {
	trunk *trunk.Trunk
	named bool   // the trunk proved its name: its address may be behind a NAT
	line  *line  // it called the Contact that we registered with it
	phone string // the number it registered and proved; empty for a trunk
}

// name is the trunk's, or that of the phones' route.
func (o origin) name() string {
	if o.trunk == nil {
		return phonesName
	}
	return o.trunk.Name
}

// door takes requests that belong to no dialog.
func (s *Server) door(tx *wire.ServerTx) {
	switch tx.Request.Method {
	case sip.INVITE:
		s.invite(tx)
	case sip.OPTIONS:
		s.options(tx)
	case sip.REGISTER:
		s.register(tx)
	case sip.MESSAGE:
		s.text(tx)
	case sip.BYE, sip.INFO, sip.UPDATE, sip.PRACK:
		s.reply(tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	default:
		status, phrase := notServed(tx.Request.Method)
		s.reply(tx, status, phrase, s.allowed(tx.From))
	}
}

// notServed is the answer to a method that is not served where it was sent
// (RFC 3261 section 8.2.1): 405 for one that we know of, else 501. SUBSCRIBE,
// NOTIFY and PUBLISH get 405 whatever their Event says: the method is looked at
// before any header, and 489 is for who serves the method and not the package
// (RFC 6665 section 4.2.1.1, RFC 3903 section 6); it would invite others.
func notServed(m sip.RequestMethod) (status int, phrase string) {
	switch m {
	case sip.INVITE, sip.BYE, sip.OPTIONS, sip.REGISTER, sip.INFO, sip.UPDATE, sip.PRACK, sip.SUBSCRIBE, sip.NOTIFY, sip.PUBLISH, sip.REFER, sip.MESSAGE:
		return sip.StatusMethodNotAllowed, "Method Not Allowed"
	}
	return sip.StatusNotImplemented, "Not Implemented"
}

// options answers a keep-alive: 503 tells the peer that we are draining.
func (s *Server) options(tx *wire.ServerTx) {
	if s.closedDoor() {
		s.reply(tx, sip.StatusServiceUnavailable, "Service Unavailable", s.retryAfter())
		return
	}
	if s.demands(tx) {
		return
	}
	s.reply(tx, sip.StatusOK, "OK", s.allowed(tx.From), s.accepted(tx.From))
}

func (s *Server) register(tx *wire.ServerTx) {
	if s.cfg.Registrar == nil {
		s.reply(tx, sip.StatusMethodNotAllowed, "Method Not Allowed", s.allowed(tx.From))
		return
	}
	if s.demands(tx) {
		return
	}
	answer := s.cfg.Registrar.Register(tx.Request, tx.From.Addr, tx.From.Transport, time.Now())
	s.reply(tx, answer.Status, answer.Phrase, answer.Headers...)
}

func (s *Server) retryAfter() sip.Header {
	return sip.NewHeader("Retry-After", strconv.Itoa(int(s.cfg.RetryAfter/time.Second)))
}

// invite checks what can be checked at once and starts the call.
func (s *Server) invite(tx *wire.ServerTx) {
	req := tx.Request
	key := inviteKeyOf(req)
	s.mu.Lock()
	_, merged := s.invites[key]
	s.mu.Unlock()
	hops := dialog.DefaultHops
	if mf := req.MaxForwards(); mf != nil {
		hops = min(int(mf.Val()), 255)
	}
	required := unmet(req)
	switch {
	case merged: // RFC 3261 section 8.2.2.2
		s.reply(tx, sip.StatusLoopDetected, "Loop Detected")
	case s.closedDoor():
		s.cfg.Watch.Refused(RefusedDraining)
		s.reply(tx, sip.StatusServiceUnavailable, "Service Unavailable", s.retryAfter())
	case hops == 0:
		s.reply(tx, sip.StatusTooManyHops, "Too Many Hops")
	case len(required) > 0:
		s.reply(tx, sip.StatusBadExtension, "Bad Extension", sip.NewHeader("Unsupported", strings.Join(required, ", ")))
	case req.Contact() == nil:
		s.reply(tx, sip.StatusBadRequest, "Missing Contact")
	case !takesSDP(req):
		s.reply(tx, sip.StatusNotAcceptable, "Not Acceptable")
	default:
		who, ok := s.admit(tx)
		if !ok || s.timed(tx, who) || s.refusedReliability(tx, who) {
			return
		}
		if s.shed(tx, who) {
			return
		}
		c := s.newCall(tx, who, key, hops-1)
		if !s.start(c, tx) {
			c.media.Close()
			s.cfg.Watch.Refused(RefusedDraining)
			s.reply(tx, sip.StatusServiceUnavailable, "Service Unavailable", s.retryAfter())
		}
	}
}

// admit tells who the caller is to us: a trunk by its address or by the Contact
// that we registered there, or a trunk or phone that proves by digest who it is.
// Anybody else was answered.
func (s *Server) admit(tx *wire.ServerTx) (origin, bool) {
	if l := s.calledLine(tx.Request, tx.From); l != nil {
		return origin{trunk: l.trunk, line: l}, true
	}
	if t, ok := s.cfg.Trunks.From(tx.From.Addr, tx.From.Transport); ok {
		return origin{trunk: t}, true
	}
	if s.named.asks == nil {
		s.reply(tx, sip.StatusForbidden, "Forbidden")
		return origin{}, false
	}
	who, refusal := s.prove(tx.Request, tx.From.Addr.Addr(), time.Now())
	if refusal != nil {
		s.reply(tx, refusal.Status, refusal.Phrase, refusal.Headers...)
		return origin{}, false
	}
	return who, true
}

// question reads who calls which X from the INVITE.
func (s *Server) question(c *call) (routing.Question, bool) {
	q := routing.Question{Session: c.session, At: c.rec.In}
	var ok bool
	if q.X, ok = s.calledX(c.a.tx.Request, c.from); !ok {
		return q, false
	}
	number, anonymous := c.from.phone, false
	if c.from.trunk != nil {
		number, anonymous = identity.Caller(c.a.tx.Request, c.from.trunk.Rule)
	}
	if !anonymous {
		q.Caller, _ = s.cfg.Plan.ReadNumber(number)
	}
	return q, true
}

// headed is a message, either way.
type headed interface {
	GetHeaders(name string) []sip.Header
}

// tags are the option tags of a header that may be repeated or hold a list.
func tags(m headed, name string) []string {
	var all []string
	for _, h := range m.GetHeaders(name) {
		for _, t := range strings.Split(h.Value(), ",") {
			if t = strings.TrimSpace(t); t != "" && len(all) < 16 {
				all = append(all, t)
			}
		}
	}
	return all
}
