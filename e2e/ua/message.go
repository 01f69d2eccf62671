package ua

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is what a message is: a status such as 183, or a request of a method.
type Kind int

// The methods. Every number below is the status of a response.
const (
	INVITE Kind = 1000 + iota
	ACK
	BYE
	CANCEL
	OPTIONS
	REGISTER
	PRACK
	UPDATE
	INFO
	MESSAGE
	REFER
	SUBSCRIBE
	NOTIFY
	PUBLISH
	other // any other method
)

var methods = []string{"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO", "MESSAGE", "REFER", "SUBSCRIBE", "NOTIFY", "PUBLISH"}

func (k Kind) String() string {
	if i := int(k - INVITE); i >= 0 && i < len(methods) {
		return methods[i]
	}
	return strconv.Itoa(int(k))
}

func kindOf(method string) Kind {
	if i := slices.Index(methods, method); i >= 0 {
		return INVITE + Kind(i)
	}
	return other
}

// header is one header line.
type header struct{ name, value string }

// Msg is a SIP message as it came.
type Msg struct {
	At      time.Time
	From    netip.AddrPort // who sent it
	Raw     []byte
	Kind    Kind
	URI     string // Request-URI
	Phrase  string // of a response
	Body    string
	Call    *Call // the dialog it is of
	headers []header
	by      *sent // of a response: the request it answers
	conn    *conn
}

// parse reads a message strictly: lines end with CRLF, Content-Length is there
// and right, and no header is there twice that may be there once only.
func parse(raw []byte) (*Msg, error) {
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return nil, fmt.Errorf("no end of the headers")
	}
	lines := strings.Split(string(head), "\r\n")
	m := &Msg{Raw: raw, Body: string(body)}
	first := strings.SplitN(lines[0], " ", 3)
	switch {
	case len(first) < 3:
		return nil, fmt.Errorf("first line %q", lines[0])
	case first[0] == "SIP/2.0":
		status, err := strconv.Atoi(first[1])
		if err != nil || status < 100 || status > 699 {
			return nil, fmt.Errorf("status %q", first[1])
		}
		m.Kind, m.Phrase = Kind(status), first[2]
	case first[2] != "SIP/2.0":
		return nil, fmt.Errorf("version %q", first[2])
	default:
		m.Kind, m.URI = kindOf(first[0]), first[1]
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(line, "\r\n") || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("header line %q", line)
		}
		m.headers = append(m.headers, header{name, strings.TrimSpace(value)})
	}
	for _, once := range []string{"From", "To", "Call-ID", "CSeq", "Content-Length"} {
		if n := len(m.All(once)); n != 1 {
			return nil, fmt.Errorf("%d %s headers", n, once)
		}
	}
	for _, most := range []string{"Max-Forwards", "Content-Type", "RSeq", "RAck", "Session-Expires", "Min-SE", "Retry-After", "Privacy"} {
		if n := len(m.All(most)); n > 1 {
			return nil, fmt.Errorf("%d %s headers", n, most)
		}
	}
	if n, err := strconv.Atoi(m.Get("Content-Length")); err != nil || n != len(body) {
		return nil, fmt.Errorf("the Content-Length %q of a body of %d bytes", m.Get("Content-Length"), len(body))
	}
	if len(m.All("Via")) == 0 {
		return nil, fmt.Errorf("no Via")
	}
	if len(body) > 0 && m.Get("Content-Type") == "" {
		return nil, fmt.Errorf("a body without Content-Type")
	}
	return m, nil
}

var compact = map[string]string{"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type", "k": "supported", "x": "session-expires"}

// All are the values of a header, in their order.
func (m *Msg) All(name string) []string {
	var all []string
	for _, h := range m.headers {
		if strings.EqualFold(h.name, name) || compact[strings.ToLower(h.name)] == strings.ToLower(name) {
			all = append(all, h.value)
		}
	}
	return all
}

// Get is the first value of a header, or empty.
func (m *Msg) Get(name string) string {
	if all := m.All(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Has tells whether a header that is a list names a token, such as 100rel in
// Supported.
func (m *Msg) Has(name, token string) bool {
	for _, value := range m.All(name) {
		for t := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

// CSeq is the number and the method of CSeq.
func (m *Msg) CSeq() (uint32, Kind) {
	number, method, _ := strings.Cut(m.Get("CSeq"), " ")
	n, _ := strconv.ParseUint(number, 10, 32)
	return uint32(n), kindOf(strings.TrimSpace(method))
}

// Number is the value of a header as a number, without what stands behind a
// semicolon; -1 if it is none.
func (m *Msg) Number(name string) int {
	text, _, _ := strings.Cut(m.Get(name), ";")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return -1
	}
	return n
}

// String is the first line with CSeq and tags: a rung of the ladder.
func (m *Msg) String() string {
	line, _, _ := strings.Cut(string(m.Raw), "\r\n")
	text := line + "  (" + m.Get("CSeq")
	if t := param(m.Get("To"), "tag"); t != "" {
		text += ", to tag " + t
	}
	if m.Body != "" {
		text += ", " + m.Get("Content-Type")
	}
	return text + ")"
}

// request tells whether it is one.
func (m *Msg) request() bool { return m.Kind >= INVITE }

// Param is a parameter of a header behind its address, for example of Contact
// or Session-Expires; empty if there is none.
func (m *Msg) Param(name, key string) string { return param(m.Get(name), key) }

func param(value, key string) string {
	if at := strings.LastIndexByte(value, '>'); at >= 0 {
		value = value[at:]
	}
	for part := range strings.SplitSeq(value, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return ""
}

// flag tells whether a header has a parameter, with or without a value.
func flag(value, key string) bool {
	for part := range strings.SplitSeq(value, ";") {
		k, _, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// uri is what stands between the angle brackets of an address, or all before
// its parameters.
func uri(address string) string {
	if _, rest, ok := strings.Cut(address, "<"); ok {
		inner, _, _ := strings.Cut(rest, ">")
		return inner
	}
	bare, _, _ := strings.Cut(address, ";")
	return strings.TrimSpace(bare)
}

// User is the user part of the URI in an address, without its parameters.
func User(address string) string {
	u := uri(address)
	for _, scheme := range []string{"sips:", "sip:", "tel:"} {
		u = strings.TrimPrefix(u, scheme)
	}
	user, _, _ := strings.Cut(u, "@")
	user, _, _ = strings.Cut(user, ";")
	return user
}

// Host is the host part of a URI or of the one in an address, without its port.
func Host(address string) string {
	u := uri(address)
	if _, after, ok := strings.Cut(u, "@"); ok {
		u = after
	} else {
		u = strings.TrimPrefix(strings.TrimPrefix(u, "sip:"), "sips:")
	}
	u, _, _ = strings.Cut(u, ";")
	u, _, _ = strings.Cut(u, ":")
	return u
}

// address is a header value without its tag.
func address(value string) string {
	before, rest, ok := strings.Cut(value, ";tag=")
	if !ok {
		return value
	}
	if _, more, ok := strings.Cut(rest, ";"); ok {
		return before + ";" + more
	}
	return before
}
