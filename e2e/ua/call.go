package ua

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Call is a dialog, or an early one, of an agent. Its fields may be changed by
// the script: they are what the next message says.
type Call struct {
	ID                  string // Call-ID
	Me, Other           string // addresses with which the agent says From and To, without tags
	LocalTag, RemoteTag string
	Target              string   // Request-URI of what is sent in it
	Routes              []string // route set
	Contact             string   // of the agent
	CSeq                uint32   // of its last request

	agent     *Agent
	theirs    uint32 // CSeq of the last request of the gate in the dialog
	caller    bool   // the agent sent the INVITE
	up        bool
	invite    *sent             // its last INVITE
	first     *Msg              // the INVITE that came
	pending   []*Msg            // requests of the gate without a final response
	finals    map[string]int    // statuses with which the agent answered INVITEs, by CSeq
	branches  map[string]string // of the INVITEs that came, by CSeq
	gate      netip.AddrPort
	conn      *conn
	rseq      int             // of the last reliable response that came
	reliable  map[string]bool // RAck of those that the agent sent, and whether PRACK came
	session   *session        // the gate's SDP
	lastReply string
}

// Invite calls a number: INVITE in a new dialog. Headers such as "Contact: …"
// replace what would stand there, or are added; one without a value is left
// out.
func (a *Agent) Invite(number, sdp string, headers ...string) *Call {
	a.t.Helper()
	c := a.outside(number)
	c.caller = true
	a.Call = c
	c.Reinvite(sdp, headers...)
	return c
}

// Outside sends a request that belongs to no dialog.
func (a *Agent) Outside(kind Kind, number, body string, headers ...string) *Call {
	a.t.Helper()
	c := a.outside(number)
	a.Call = c
	c.Request(kind, body, headers...)
	return c
}

func (a *Agent) outside(number string) *Call {
	gate := a.station.cfg.Gate
	c := &Call{agent: a, ID: unique("call-"), Me: "<sip:" + a.Number + "@carrier.example>", Other: "<sip:" + number + "@" + gate.Addr().String() + ">",
		LocalTag: unique("a"), Target: "sip:" + number + "@" + gate.String(), Contact: a.contact(), gate: gate, session: new(session), finals: make(map[string]int), branches: make(map[string]string), reliable: make(map[string]bool)}
	a.calls = append(a.calls, c)
	a.station.mu.Lock()
	a.station.calls[c.ID] = a
	a.station.mu.Unlock()
	return c
}

func (a *Agent) contact() string {
	more := ""
	if a.station.cfg.Transport != "UDP" {
		more = ";transport=" + strings.ToLower(a.station.cfg.Transport)
	}
	return "<sip:" + a.Number + "@" + a.station.addr.String() + more + ">"
}

// Reinvite sends an INVITE in the dialog.
func (c *Call) Reinvite(sdp string, headers ...string) {
	c.agent.t.Helper()
	c.Request(INVITE, sdp, headers...)
}

// Request sends a request in the dialog. A body is SDP unless a header says
// otherwise.
func (c *Call) Request(kind Kind, body string, headers ...string) {
	c.agent.t.Helper()
	c.CSeq++
	c.send(kind, c.CSeq, unique("z9hG4bK"), body, headers)
}

// Text is a request of a new transaction in the dialog, to be sent with Send
// once or in pieces.
func (c *Call) Text(kind Kind, body string, headers ...string) string {
	c.CSeq++
	return c.text(kind, c.CSeq, unique("z9hG4bK"), body, headers)
}

// Send sends bytes as they are and makes them the request that responses come
// to if they are one.
func (c *Call) Send(text string) {
	c.agent.t.Helper()
	c.note(text)
	c.write(text)
}

// SendPieces does so in segments of a stream, with a pause after each.
func (c *Call) SendPieces(text string, length int, pause time.Duration) {
	c.agent.t.Helper()
	c.note(text)
	if err := c.agent.station.pieces(text, c.conn, length, pause); err != nil {
		c.agent.fail("send in pieces: %v", err)
	}
}

// Repeat sends the agent's last INVITE or re-INVITE once more as it was.
func (c *Call) Repeat() {
	c.agent.t.Helper()
	c.write(string(c.invite.msg.Raw))
}

// Again sends the last response once more as it was.
func (c *Call) Again() {
	c.agent.t.Helper()
	c.write(c.lastReply)
}

func (c *Call) send(kind Kind, cseq uint32, branch, body string, headers []string) {
	c.agent.t.Helper()
	text := c.text(kind, cseq, branch, body, headers)
	c.note(text)
	c.write(text)
}

func (c *Call) write(text string) {
	c.agent.t.Helper()
	if err := c.agent.station.write(text, c.conn, c.gate); err != nil {
		c.agent.fail("send: %v", err)
	}
}

// Try sends bytes as they are, of which nothing is expected.
func (c *Call) Try(text string) error { return c.agent.station.write(text, c.conn, c.gate) }

// note keeps what is sent for the ladder, and requests for their responses.
func (c *Call) note(text string) {
	c.agent.t.Helper()
	text = strings.TrimLeft(text, "\r\n")
	for text != "" {
		one, rest, err := frame([]byte(text))
		if err != nil || one == nil {
			one, rest = []byte(text), nil
		}
		c.noteOne(string(one))
		text = strings.TrimLeft(string(rest), "\r\n")
	}
}

func (c *Call) noteOne(text string) {
	a := c.agent
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	text = strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(head) + "\r\n\r\n" + body
	m, err := parse([]byte(text))
	if err != nil {
		m = &Msg{Raw: []byte(text)}
		a.rung(m, strings.SplitN(text, "\r\n", 2)[0]+" (malformed)")
		return
	}
	a.rung(m, m.String())
	if !m.request() || m.Kind == ACK {
		return
	}
	n, _ := m.CSeq()
	branch := param(m.Get("Via"), "branch")
	s := &sent{kind: m.Kind, cseq: n, branch: branch, call: c, msg: m}
	a.sent[branch+m.Kind.String()] = s
	if m.Kind == INVITE {
		c.invite = s
	}
}

func (a *Agent) rung(m *Msg, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ladder = append(a.ladder, Rung{time.Now(), a.name, true, text, m.Raw})
}

// text builds a request of the dialog.
func (c *Call) text(kind Kind, cseq uint32, branch, body string, headers []string) string {
	to := c.Other
	if c.RemoteTag != "" {
		to += ";tag=" + c.RemoteTag
	}
	s := c.agent.station
	base := []header{
		{"Via", fmt.Sprintf("SIP/2.0/%s %s;branch=%s;rport", s.cfg.Transport, s.addr, branch)},
		{"Max-Forwards", "70"},
	}
	for _, r := range c.Routes {
		base = append(base, header{"Route", r})
	}
	base = append(base, header{"From", c.Me + ";tag=" + c.LocalTag}, header{"To", to}, header{"Call-ID", c.ID}, header{"CSeq", fmt.Sprintf("%d %v", cseq, kind)})
	switch kind {
	case INVITE, UPDATE:
		base = append(base, header{"Contact", c.Contact}, header{"Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE"})
	case REGISTER, SUBSCRIBE, OPTIONS:
		base = append(base, header{"Contact", c.Contact})
	}
	return compose(fmt.Sprintf("%v %s SIP/2.0", kind, c.Target), base, body, headers)
}

// compose puts a message together; headers of the script come over the base.
func compose(first string, base []header, body string, headers []string) string {
	if body != "" {
		base = append(base, header{"Content-Type", "application/sdp"})
	}
	base = append(base, header{"Content-Length", fmt.Sprint(len(body))})
	replaced := make(map[string]bool)
	var added []header
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		value = strings.TrimSpace(value)
		at := slices.IndexFunc(base, func(b header) bool { return strings.EqualFold(b.name, name) })
		switch lower := strings.ToLower(name); {
		case value == "":
			base = slices.DeleteFunc(base, func(b header) bool { return strings.EqualFold(b.name, name) })
		case at >= 0 && !replaced[lower]:
			replaced[lower] = true
			base[at] = header{name, value}
		default:
			added = append(added, header{name, value})
		}
	}
	var b strings.Builder
	b.WriteString(first + "\r\n")
	last := len(base) - 1
	if !strings.EqualFold(base[last].name, "Content-Length") {
		last++
	}
	for _, h := range slices.Concat(base[:last], added, base[last:]) {
		b.WriteString(h.name + ": " + h.value + "\r\n")
	}
	return b.String() + "\r\n" + body
}

// Cancel takes the last INVITE back: same branch, Request-URI, From, Call-ID
// and CSeq number (RFC 3261 section 9.1).
func (c *Call) Cancel(headers ...string) {
	c.agent.t.Helper()
	s := c.invite
	n, _ := s.msg.CSeq()
	text := compose("CANCEL "+s.msg.URI+" SIP/2.0", []header{{"Via", s.msg.Get("Via")}, {"Max-Forwards", "70"}, {"From", s.msg.Get("From")},
		{"To", s.msg.Get("To")}, {"Call-ID", c.ID}, {"CSeq", fmt.Sprintf("%d CANCEL", n)}}, "", headers)
	c.note(text)
	c.write(text)
}

// Ack acknowledges the 2xx to the last INVITE.
func (c *Call) Ack(body string, headers ...string) {
	c.agent.t.Helper()
	c.send(ACK, c.invite.cseq, unique("z9hG4bK"), body, headers)
}

// AckText is the ACK of the 2xx to the last INVITE, to be sent with Send.
func (c *Call) AckText(body string, headers ...string) string {
	return c.text(ACK, c.invite.cseq, unique("z9hG4bK"), body, headers)
}

// Sent is the last INVITE as it was sent.
func (c *Call) Sent() string { return string(c.invite.msg.Raw) }

// nack acknowledges a failure, in the transaction of its INVITE.
func (c *Call) nack(m *Msg) {
	c.agent.t.Helper()
	s := m.by.msg
	n, _ := s.CSeq()
	text := compose("ACK "+s.URI+" SIP/2.0", []header{{"Via", s.Get("Via")}, {"Max-Forwards", "70"}, {"From", s.Get("From")},
		{"To", m.Get("To")}, {"Call-ID", c.ID}, {"CSeq", fmt.Sprintf("%d ACK", n)}}, "", nil)
	c.note(text)
	c.write(text)
}

// Bye hangs up.
func (c *Call) Bye(headers ...string) {
	c.agent.t.Helper()
	c.Request(BYE, "", headers...)
}

// Prack acknowledges a reliable provisional response (RFC 3262 section 7.2).
func (c *Call) Prack(m *Msg, body string, headers ...string) {
	c.agent.t.Helper()
	c.Request(PRACK, body, append([]string{fmt.Sprintf("RAck: %s %s", m.Get("RSeq"), m.Get("CSeq"))}, headers...)...)
}

// Reply answers the gate's last request that has no final response yet.
func (c *Call) Reply(status int, body string, headers ...string) {
	c.agent.t.Helper()
	if len(c.pending) == 0 {
		c.agent.fail("there is nothing to be answered with %d", status)
	}
	c.Answer(c.pending[len(c.pending)-1], status, body, headers...)
}

// Answer answers a request of the gate.
func (c *Call) Answer(m *Msg, status int, body string, headers ...string) {
	c.agent.t.Helper()
	text := c.Response(m, status, body, headers...)
	c.respond(text)
}

// Response is a response to a request of the gate, to be sent with Respond or
// RespondPieces.
func (c *Call) Response(m *Msg, status int, body string, headers ...string) string {
	c.agent.t.Helper()
	to := m.Get("To")
	if param(to, "tag") == "" && status > 100 {
		to += ";tag=" + c.LocalTag
	}
	var base []header
	for _, v := range m.All("Via") {
		base = append(base, header{"Via", v})
	}
	for _, v := range m.All("Record-Route") {
		base = append(base, header{"Record-Route", v})
	}
	base = append(base, header{"From", m.Get("From")}, header{"To", to}, header{"Call-ID", m.Get("Call-ID")}, header{"CSeq", m.Get("CSeq")})
	if m.Kind == INVITE && status > 100 && status < 300 || m.Kind == UPDATE && status < 300 {
		base = append(base, header{"Contact", c.Contact}, header{"Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE"})
	}
	text := compose(fmt.Sprintf("SIP/2.0 %d Whatever", status), base, body, headers)
	if status >= 200 {
		c.settle(m, status)
	}
	if r, err := parse([]byte(text)); err == nil && r.Get("RSeq") != "" {
		c.reliable[r.Get("RSeq")+" "+m.Get("CSeq")] = false
	}
	return text
}

// Respond sends a response as it is.
func (c *Call) Respond(text string) {
	c.agent.t.Helper()
	c.respond(text)
}

// RespondPieces does so in segments of a stream, with a pause after each.
func (c *Call) RespondPieces(text string, length int, pause time.Duration) {
	c.agent.t.Helper()
	c.note(text)
	c.lastReply = text
	if err := c.agent.station.pieces(text, c.conn, length, pause); err != nil {
		c.agent.fail("send in pieces: %v", err)
	}
}

func (c *Call) respond(text string) {
	c.agent.t.Helper()
	c.note(text)
	c.lastReply = text
	c.write(text)
}

// settle notes the final response to a request.
func (c *Call) settle(m *Msg, status int) {
	if m.Body != "" && status >= 300 {
		c.session.refused = true
	}
	for _, k := range c.agent.calls { // forks have the same INVITE
		k.pending = slices.DeleteFunc(k.pending, func(p *Msg) bool { return p == m })
	}
	if m.Kind == INVITE {
		c.finals[m.Get("CSeq")] = status
		c.up = c.up || status < 300
	}
}

// Fork makes one more early dialog of the INVITE that came: another phone that
// it reached, with a tag and a Contact of its own.
func (c *Call) Fork() *Call {
	f := *c
	f.LocalTag, f.finals, f.reliable = unique("f"), make(map[string]int), make(map[string]bool)
	f.pending = slices.Clone(c.pending)
	f.CSeq = 0
	f.Contact = strings.Replace(c.Contact, "sip:"+c.agent.Number, "sip:phone-"+f.LocalTag, 1)
	c.agent.calls = append(c.agent.calls, &f)
	return &f
}

// Number returns the digits of the caller as the INVITE that came shows them.
func (c *Call) Shown() string { return User(c.first.Get("From")) }

// First is the INVITE that came.
func (c *Call) First() *Msg { return c.first }
