package ua

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// acceptResponse checks a response against its request and its dialog (RFC
// 3261 sections 8.1.3, 8.2.6, 12.1, 18.1.2; RFC 3262 section 4; RFC 4028).
func (a *Agent) acceptResponse(m *Msg) error {
	number, method := m.CSeq()
	s := a.sent[param(m.Get("Via"), "branch")+method.String()]
	if s == nil {
		return errors.New("a response to nothing that was sent")
	}
	c := s.call
	m.by, m.Call = s, c
	asked := s.msg
	switch {
	case number != s.cseq || method != s.kind:
		return fmt.Errorf("the CSeq %q: the request has %q", m.Get("CSeq"), asked.Get("CSeq"))
	case len(m.All("Via")) != len(asked.All("Via")):
		return fmt.Errorf("%d Via headers: the request has %d", len(m.All("Via")), len(asked.All("Via")))
	case param(m.Get("From"), "tag") != param(asked.Get("From"), "tag") || uri(m.Get("From")) != uri(asked.Get("From")):
		return fmt.Errorf("the From is not that of the request: %q", asked.Get("From"))
	case uri(m.Get("To")) != uri(asked.Get("To")):
		return fmt.Errorf("the To is not that of the request: %q", asked.Get("To"))
	case m.Kind != 100 && param(m.Get("To"), "tag") == "":
		return errors.New("no To tag")
	case s.final != 0 && m.Kind < 200:
		return fmt.Errorf("it comes after the final response %d", s.final)
	case s.final != 0 && method != INVITE:
		return fmt.Errorf("a second final response after %d", s.final)
	}
	if err := a.checkVia(m, asked); err != nil {
		return err
	}
	if m.Kind >= 200 {
		s.final = int(m.Kind)
	}
	if err := checkExtensions(m, asked); err != nil {
		return err
	}
	if tag := param(m.Get("To"), "tag"); method != CANCEL && c.RemoteTag != "" && tag != "" && tag != c.RemoteTag && m.Kind < 300 {
		return fmt.Errorf("the To tag %q: the dialog has %q", tag, c.RemoteTag)
	}
	if m.Kind > 100 && m.Kind < 300 && (method == INVITE || method == UPDATE || method == PRACK) {
		if err := c.progress(m, method); err != nil {
			return err
		}
	}
	if method == INVITE && m.Kind >= 300 {
		c.nack(m)
	}
	return nil
}

// checkVia: the response has the Via of the request, with where it came from
// (RFC 3261 section 18.2.1, RFC 3581 section 4).
func (a *Agent) checkVia(m, asked *Msg) error {
	got, sent := m.All("Via"), asked.All("Via")
	for i := range sent {
		before, _, _ := strings.Cut(got[i], ";")
		want, _, _ := strings.Cut(sent[i], ";")
		if before != want || param(got[i], "branch") != param(sent[i], "branch") {
			return fmt.Errorf("the Via %q: the request has %q", got[i], sent[i])
		}
	}
	if a.station.udp == nil || !flag(sent[0], "rport") || param(sent[0], "rport") != "" {
		return nil
	}
	if port := strconv.Itoa(int(a.station.addr.Port())); param(got[0], "rport") != port || param(got[0], "received") == "" {
		return fmt.Errorf("the Via %q: want rport=%s and received", got[0], port)
	}
	return nil
}

// checkExtensions: what stands in a message of reliable responses and session
// timers is whole.
func checkExtensions(m, asked *Msg) error {
	if m.Has("Require", "100rel") != (m.Get("RSeq") != "") {
		return errors.New("the RSeq and Require: 100rel go together")
	}
	if m.Get("RSeq") != "" && (m.Kind <= 100 || m.Kind >= 200) {
		return errors.New("the RSeq in a response that is not provisional")
	}
	if m.Get("RSeq") != "" && !asked.Has("Supported", "100rel") && !asked.Has("Require", "100rel") {
		return errors.New("reliable, but the request does not support it")
	}
	if se := m.Get("Session-Expires"); se != "" && m.Kind >= 200 && m.Kind < 300 {
		switch who := param(";"+se, "refresher"); {
		case who != "uac" && who != "uas":
			return fmt.Errorf("the Session-Expires %q: who refreshes?", se)
		case who == "uac" && !m.Has("Require", "timer"):
			return errors.New("the caller refreshes, but Require does not name timer (RFC 4028 section 9)")
		case who == "uac" && !asked.Has("Supported", "timer") && !asked.Has("Require", "timer"):
			return errors.New("the caller is to refresh and does not support it")
		case m.Number("Session-Expires") < 90:
			return fmt.Errorf("the Session-Expires %q: 90 is the least", se)
		}
	}
	switch m.Kind {
	case 405:
		if m.Get("Allow") == "" {
			return errors.New("405 without Allow")
		}
	case 420:
		if m.Get("Unsupported") == "" {
			return errors.New("420 without Unsupported")
		}
	case 421:
		if m.Get("Require") == "" {
			return errors.New("421 without Require")
		}
	case 422:
		if m.Number("Min-SE") < 90 {
			return errors.New("422 without Min-SE")
		}
	case 401:
		if m.Get("WWW-Authenticate") == "" {
			return errors.New("401 without a challenge")
		}
	}
	return nil
}

// progress brings the dialog to what a provisional or good response says.
func (c *Call) progress(m *Msg, method Kind) error {
	if tag := param(m.Get("To"), "tag"); c.RemoteTag == "" {
		c.RemoteTag = tag
	}
	if method != PRACK {
		contact := uri(m.Get("Contact"))
		if contact == "" {
			return errors.New("no Contact")
		}
		c.Target = contact
	}
	if method == INVITE && !c.up && len(m.All("Record-Route")) > 0 {
		c.Routes = m.All("Record-Route")
		slices.Reverse(c.Routes)
	}
	if method == INVITE && m.Kind >= 200 {
		c.up = true
	}
	if m.Get("RSeq") != "" {
		n := m.Number("RSeq")
		if c.rseq != 0 && n != c.rseq+1 {
			return fmt.Errorf("the RSeq %d after %d", n, c.rseq)
		}
		c.rseq = n
	}
	return c.described(m)
}

// acceptRequest checks a request of the gate and finds its dialog (RFC 3261
// sections 8.1.1, 9.1, 12.2, 13.2.2.4, 17.1.1.3).
func (a *Agent) acceptRequest(m *Msg) error {
	via := m.Get("Via")
	if len(m.All("Via")) != 1 || !strings.HasPrefix(via, "SIP/2.0/"+a.station.cfg.Transport+" ") {
		return fmt.Errorf("the Via %q: want one, of %s", m.All("Via"), a.station.cfg.Transport)
	}
	if !strings.HasPrefix(param(via, "branch"), "z9hG4bK") || a.station.udp != nil && !flag(via, "rport") {
		return fmt.Errorf("the Via %q: want a branch of RFC 3261, and rport", via)
	}
	if n := m.Number("Max-Forwards"); n < 0 || n > 70 {
		return fmt.Errorf("the Max-Forwards %q", m.Get("Max-Forwards"))
	}
	if param(m.Get("From"), "tag") == "" {
		return errors.New("no From tag")
	}
	number, method := m.CSeq()
	if number == 0 || method != m.Kind {
		return fmt.Errorf("the CSeq %q", m.Get("CSeq"))
	}
	if (m.Kind == INVITE || m.Kind == UPDATE || m.Kind == SUBSCRIBE) && len(m.All("Contact")) != 1 {
		return fmt.Errorf("%d Contact headers", len(m.All("Contact")))
	}
	switch tag := param(m.Get("To"), "tag"); {
	case m.Kind == CANCEL:
		return a.acceptCancel(m)
	case tag == "" && m.Kind == ACK:
		return errors.New("the ACK without a To tag")
	case tag == "":
		a.begin(m)
	default:
		if err := a.inside(m, tag); err != nil {
			return err
		}
	}
	if m.Kind == ACK {
		return m.Call.described(m)
	}
	if m.Kind == INVITE {
		m.Call.branches[m.Get("CSeq")] = param(via, "branch")
	}
	m.Call.pending = append(m.Call.pending, m)
	return m.Call.described(m)
}

// begin makes the dialog of a request that is of none.
func (a *Agent) begin(m *Msg) {
	number, _ := m.CSeq()
	c := &Call{agent: a, ID: m.Get("Call-ID"), Me: m.Get("To"), Other: address(m.Get("From")), LocalTag: unique("b"), RemoteTag: param(m.Get("From"), "tag"),
		Target: uri(m.Get("Contact")), Routes: m.All("Record-Route"), Contact: a.contact(), first: m, theirs: number, gate: m.From, conn: m.conn,
		session: new(session), finals: make(map[string]int), branches: make(map[string]string), reliable: make(map[string]bool)}
	a.calls = append(a.calls, c)
	m.Call, a.Call = c, c
}

// inside checks a request in a dialog.
func (a *Agent) inside(m *Msg, tag string) error {
	i := slices.IndexFunc(a.calls, func(c *Call) bool { return c.ID == m.Get("Call-ID") && c.LocalTag == tag })
	if i < 0 {
		return errors.New("a request of no dialog of the agent")
	}
	c := a.calls[i]
	m.Call = c
	number, _ := m.CSeq()
	switch {
	case param(m.Get("From"), "tag") != c.RemoteTag:
		return fmt.Errorf("the From tag: the dialog has %q", c.RemoteTag)
	case m.Kind == ACK:
		return c.acked(m)
	case m.URI != uri(c.Contact):
		return fmt.Errorf("the Request-URI: the Contact of the dialog is %s", c.Contact)
	case number <= c.theirs:
		return fmt.Errorf("the CSeq %d after %d", number, c.theirs)
	}
	c.theirs = number
	if m.Kind == INVITE || m.Kind == UPDATE {
		c.Target = uri(m.Get("Contact"))
	}
	if m.Kind == PRACK {
		was, ok := c.reliable[rack(m)]
		if !ok || was {
			return fmt.Errorf("the RAck %q: no such response waits for PRACK", m.Get("RAck"))
		}
		c.reliable[rack(m)] = true
	}
	return nil
}

func rack(m *Msg) string { return strings.Join(strings.Fields(m.Get("RAck")), " ") }

// acked checks the ACK of the agent's final response.
func (c *Call) acked(m *Msg) error {
	number, _ := m.CSeq()
	status, ok := c.finals[fmt.Sprintf("%d INVITE", number)]
	if !ok {
		return fmt.Errorf("the ACK %d of an INVITE that has no final response", number)
	}
	same := param(m.Get("Via"), "branch") == c.branches[fmt.Sprintf("%d INVITE", number)]
	switch {
	case status >= 300 && !same:
		return errors.New("the ACK of a failure with another branch than its INVITE")
	case status < 300 && same:
		return errors.New("the ACK of a 2xx with the branch of its INVITE")
	case status < 300 && m.URI != uri(c.Contact):
		return fmt.Errorf("the Request-URI: the Contact of the dialog is %s", c.Contact)
	}
	return nil
}

// acceptCancel: CANCEL repeats what its INVITE has.
func (a *Agent) acceptCancel(m *Msg) error {
	for _, c := range a.calls {
		for _, p := range c.pending {
			if p.Kind != INVITE || param(p.Get("Via"), "branch") != param(m.Get("Via"), "branch") {
				continue
			}
			m.Call = c
			n, _ := p.CSeq()
			k, _ := m.CSeq()
			if p.URI != m.URI || p.Get("To") != m.Get("To") || p.Get("From") != m.Get("From") || p.Get("Call-ID") != m.Get("Call-ID") || n != k || p.Get("Via") != m.Get("Via") {
				return fmt.Errorf("the CANCEL differs from its INVITE:\n%s", p.Raw)
			}
			c.pending = append(c.pending, m)
			return nil
		}
	}
	return errors.New("the CANCEL of no INVITE that waits for its final response")
}
