package sip

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/wire"
)

// errOtherParty is why a message may not leave that names who must stay hidden.
var errOtherParty = errors.New("it has the number of the other party in it")

// fit has the last word on every message that is to leave (interoperability
// rules, section 1.1): its headers are on the allow list, and nothing in a
// message of a call's leg holds the real number of the other party. What is
// wrong is logged here, without what stands in the message.
func (s *Server) fit(msg sip.Message, text *wire.Text) error {
	err := s.fitHeaders(msg, text)
	if err == nil {
		err = s.masked(msg, text)
	}
	if err != nil {
		s.log.Error().Err(err).Str("what", kindOf(msg)).Msg("a message may not leave, and is not sent")
	}
	return err
}

func (s *Server) fitHeaders(msg sip.Message, text *wire.Text) error {
	method := methodOf(msg)
	for name, value := range text.Fields {
		var err error
		switch {
		case method == sip.REGISTER: // of no call, and to whoever it is about
			if bytes.ContainsAny(value, "\r\n") {
				err = fmt.Errorf("header %s: a line ends in it", name)
			}
		case method == sip.MESSAGE && slices.Contains(ofTexts, name):
			_, err = identity.Clean(string(value))
		default:
			err = identity.Check(name, value, s.extra...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ofTexts are headers that texts have beside those of calls: the report on a
// 3GPP text names the peer's own request (TS 24.341), a 415 what is read.
var ofTexts = []string{"In-Reply-To", "Accept-Encoding"}

// masked looks for the other party's number in a message of a leg. What a
// response repeats of its request is not looked at: it is no news to its sender,
// who could else guess numbers and see by our refusal which is the right one.
func (s *Server) masked(msg sip.Message, text *wire.Text) error {
	var callID, tag string
	if h := msg.CallID(); h != nil {
		callID = h.Value()
	}
	switch m := msg.(type) {
	case *sip.Request:
		if h := m.From(); h != nil {
			tag, _ = h.Params.Get("tag")
		}
	case *sip.Response:
		if h := m.To(); h != nil {
			tag, _ = h.Params.Get("tag")
		}
	}
	l := s.leg(callID, tag)
	if l == nil {
		return nil
	}
	hidden := l.hidden.Load()
	if hidden == nil {
		return nil
	}
	if !bytes.Contains(text.Bytes(), []byte(*hidden)) {
		return nil
	}
	return l.hides([]byte(*hidden), msg, text)
}

// hides tells whether a message in which the other party's number stands has it
// only where it may be.
func (l *leg) hides(hidden []byte, msg sip.Message, text *wire.Text) error {
	line, told := firstLine(msg), ""
	if strings.Contains(line, string(hidden)) {
		if !l.toldBy(msg, line) {
			return fmt.Errorf("first line: %w", errOtherParty)
		}
		told = `uri="` + line + `"` // in a proof as well (RFC 3261 section 22.4)
	}
	_, response := msg.(*sip.Response)
	for name, value := range text.Fields {
		if response && identity.Echoed(name) {
			continue
		}
		switch name {
		case "Authorization", "Proxy-Authorization":
			value = bytes.Replace(value, []byte(told), nil, 1)
		case "Route":
			if l.toldBy(msg, inBrackets(string(value))) {
				continue
			}
		}
		if bytes.Contains(value, hidden) {
			return fmt.Errorf("header %s: %w", name, errOtherParty)
		}
	}
	if bytes.Contains(text.Body(), hidden) {
		return fmt.Errorf("body: %w", errOtherParty)
	}
	return nil
}

// toldBy tells whether an address to which a request goes is the word of the peer
// that it goes to. Without it no BYE would reach a peer that has the other party's
// digits in its Contact or Record-Route; and who put them there to guess would
// learn by its absence that they are right. Requests of a leg are sent by the
// goroutine of its call, to which its dialogs belong.
func (l *leg) toldBy(msg sip.Message, uri string) bool {
	req, ok := msg.(*sip.Request)
	if !ok || req.To() == nil {
		return false
	}
	d := l.with(req)
	return d != nil && d.Named(uri)
}

// inBrackets is the URI of a Route that has nothing beside it.
func inBrackets(route string) string {
	return strings.TrimSuffix(strings.TrimPrefix(route, "<"), ">")
}

// firstLine is what we write ourselves into the first line of a message.
func firstLine(msg sip.Message) string {
	switch m := msg.(type) {
	case *sip.Request:
		return m.Recipient.String()
	case *sip.Response:
		return m.Reason
	}
	return ""
}

// shortest is how many digits a number has at least that is looked for: fewer
// stand in tags and session ids by chance.
const shortest = 8

// hide sets the number that no message of the leg may hold, in any of the ways
// that digits are written after a country code.
func (l *leg) hide(n routing.Number, country string) {
	digits := strings.TrimPrefix(string(n), "+")
	if national, home := strings.CutPrefix(digits, country); home {
		digits = national
	}
	if len(digits) < shortest {
		l.hidden.Store(nil)
		return
	}
	l.hidden.Store(&digits)
}

// methodOf is that of a request, or of the one that a response answers.
func methodOf(msg sip.Message) sip.RequestMethod {
	if m, ok := msg.(*sip.Request); ok {
		return m.Method
	}
	if h := msg.CSeq(); h != nil {
		return h.MethodName
	}
	return ""
}

// kindOf names a message in the log.
func kindOf(msg sip.Message) string {
	method := methodOf(msg)
	if res, ok := msg.(*sip.Response); ok {
		return fmt.Sprintf("%d to %.20s", res.StatusCode, method)
	}
	return string(method)
}
