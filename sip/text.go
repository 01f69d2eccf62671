package sip

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/identity"
	"axgate/sip/trunk"
	"axgate/sip/wire"
	"axgate/sms"
)

// maxTextBody bounds the body of a MESSAGE, in bytes: some 250 parts, more than
// an office takes.
const maxTextBody = 48 << 10

// answer is a final response.
type answer struct {
	status  int
	phrase  string
	headers []sip.Header
}

// takesTexts tells whether MESSAGE is served for whoever sends from there.
func (s *Server) takesTexts(from wire.Peer) bool {
	if s.cfg.Texts == nil {
		return false
	}
	on := func(t *trunk.Trunk) bool { return t.Texts.On() }
	if t, ok := s.cfg.Trunks.From(from.Addr, from.Transport); ok && t.Texts.On() || s.hasLine(from, on) {
		return true
	} else if ok {
		return false
	}
	return s.cfg.Registrar != nil || s.expected(on)
}

// allowed is the Allow header outside of calls.
func (s *Server) allowed(from wire.Peer) sip.Header {
	if s.takesTexts(from) {
		return sip.NewHeader("Allow", allow+", MESSAGE")
	}
	return sip.NewHeader("Allow", allow)
}

// accepted is the Accept header outside of calls.
func (s *Server) accepted(from wire.Peer) sip.Header {
	if s.takesTexts(from) {
		return sip.NewHeader("Accept", "application/sdp, "+acceptTexts)
	}
	return sip.NewHeader("Accept", "application/sdp")
}

// text checks what can be checked at once of a MESSAGE (RFC 3428 section 7) and
// hands it over.
func (s *Server) text(tx *wire.ServerTx) {
	req := tx.Request
	form := formOf(req)
	required := tags(req, "Require")
	mf := req.MaxForwards()
	switch {
	case !s.takesTexts(tx.From):
		s.reply(tx, sip.StatusMethodNotAllowed, "Method Not Allowed", s.allowed(tx.From))
	case s.closedDoor() && form.name != type3GPP: // a report is still waited for
		s.reply(tx, sip.StatusServiceUnavailable, "Service Unavailable", s.retryAfter())
	case mf != nil && mf.Val() == 0:
		s.reply(tx, sip.StatusTooManyHops, "Too Many Hops")
	case len(required) > 0:
		s.reply(tx, sip.StatusBadExtension, "Bad Extension", sip.NewHeader("Unsupported", strings.Join(required, ", ")))
	case len(req.Body()) > maxTextBody:
		s.reply(tx, sip.StatusRequestEntityTooLarge, "Request Entity Too Large")
	default:
		who, ok := s.admit(tx)
		switch {
		case !ok:
		case who.trunk != nil && !who.trunk.Texts.On():
			s.reply(tx, sip.StatusMethodNotAllowed, "Method Not Allowed", sip.NewHeader("Allow", allow))
		default:
			s.admitted(tx, who, form)
		}
	}
}

// admitted takes a MESSAGE of somebody whom we know.
func (s *Server) admitted(tx *wire.ServerTx, who origin, form bodyForm) {
	if form.name == type3GPP {
		s.relayed(tx, who)
		return
	}
	x, ok := s.calledX(tx.Request, who)
	if !ok {
		s.reply(tx, sip.StatusNotFound, phrase(sip.StatusNotFound))
		return
	}
	text, refused := readText(form, tx.Request)
	switch {
	case refused != nil:
		s.reply(tx, refused.status, refused.phrase, refused.headers...)
	case text == "": // a keep-alive of some phones, and nothing to forward
		s.reply(tx, sip.StatusOK, "OK")
	default:
		in := s.incoming(tx, who)
		in.X, in.Text = x, text
		s.handOver(tx, in, nil)
	}
}

// incoming is what a MESSAGE says beside its text. Who sent it is told by SIP
// and the trunk's rule alone.
func (s *Server) incoming(tx *wire.ServerTx, who origin) sms.Incoming {
	req := tx.Request
	in := sms.Incoming{Source: "phone"}
	number, anonymous := who.phone, false
	if who.trunk != nil {
		in.Source = who.trunk.Name
		number, anonymous = identity.Caller(req, who.trunk.Rule)
	}
	if !anonymous {
		in.Sender, _ = s.cfg.Plan.ReadNumber(number)
	}
	k := inviteKeyOf(req)
	in.Key = digestOf(in.Source, who.phone, k.callID, k.fromTag, k.cseq)
	return in
}
