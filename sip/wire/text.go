package wire

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// Text is a message as it leaves, written once: what is checked is what is
// sent. It is good until the call that it was given to returns.
type Text struct {
	raw    []byte
	fields []field
	body   int // where the body begins
}

// field is a header field of a text, by its name and where its value is.
type field struct {
	name     string
	from, to int
}

var texts = sync.Pool{New: func() any { return new(Text) }}

// textOf writes a message; the text is given back with done.
func textOf(msg sip.Message) *Text {
	t := texts.Get().(*Text)
	t.write(msg)
	return t
}

func (t *Text) done() { texts.Put(t) }

// copy is the text's bytes for who keeps them.
func (t *Text) copy() []byte { return bytes.Clone(t.raw) }

// TextOf is the text of a message, for whoever wants to know what it would be.
func TextOf(msg sip.Message) *Text {
	t := new(Text)
	t.write(msg)
	return t
}

// Bytes are the whole message.
func (t *Text) Bytes() []byte { return t.raw }

// Fields are the names and values of the header fields, in their order, each as
// its header says it: a line may end within a value.
func (t *Text) Fields(yield func(name string, value []byte) bool) {
	for _, f := range t.fields {
		if !yield(f.name, t.raw[f.from:f.to:f.to]) {
			return
		}
	}
}

// Body is what follows the header.
func (t *Text) Body() []byte { return t.raw[t.body:] }

// write writes what String of the message says, without its detours.
func (t *Text) write(msg sip.Message) {
	t.raw, t.fields = t.raw[:0], t.fields[:0]
	var headers []sip.Header
	switch m := msg.(type) {
	case *sip.Request:
		t.add(string(m.Method), " ")
		t.uri(&m.Recipient)
		t.add(" ", m.SipVersion, "\r\n")
		headers = m.Headers()
	case *sip.Response:
		t.add(m.SipVersion, " ")
		t.number(m.StatusCode)
		t.add(" ", m.Reason, "\r\n")
		headers = m.Headers()
	}
	for _, h := range headers {
		name := h.Name()
		from := len(t.raw) + len(name) + len(": ")
		t.header(name, h)
		t.fields = append(t.fields, field{name, from, len(t.raw)})
		t.add("\r\n")
	}
	t.add("\r\n")
	t.body = len(t.raw)
	t.raw = append(t.raw, msg.Body()...)
}

func (t *Text) header(name string, h sip.Header) {
	switch h := h.(type) {
	case *sip.ViaHeader:
		t.add(name, ": ", h.ProtocolName, "/", h.ProtocolVersion, "/", h.Transport, " ")
		t.host(h.Host, h.Port)
		t.params(';', ';', h.Params)
	case *sip.FromHeader:
		t.add(name, ": ")
		t.address(h.DisplayName, &h.Address, h.Params)
	case *sip.ToHeader:
		t.add(name, ": ")
		t.address(h.DisplayName, &h.Address, h.Params)
	case *sip.ContactHeader:
		t.add(name, ": ")
		if h.Address.Wildcard {
			t.add("*")
			return
		}
		t.address(h.DisplayName, &h.Address, h.Params)
	case *sip.CSeqHeader:
		t.add(name, ": ")
		t.number(int(h.SeqNo))
		t.add(" ", string(h.MethodName))
	case *sip.ContentLengthHeader:
		t.add(name, ": ")
		t.number(int(*h))
	default:
		h.StringWrite(t)
	}
}

// address is a name-addr with its parameters.
func (t *Text) address(name string, uri *sip.Uri, params sip.HeaderParams) {
	if name != "" {
		t.add(`"`, name, `" `)
	}
	t.add("<")
	t.uri(uri)
	t.add(">")
	t.params(';', ';', params)
}

func (t *Text) uri(u *sip.Uri) {
	if u.Raw() != "" || u.Scheme == "" || u.HierarhicalSlashes {
		u.StringWrite(t)
		return
	}
	t.add(u.Scheme, ":")
	if u.User != "" {
		t.add(u.User)
		if u.Password != "" {
			t.add(":", u.Password)
		}
		t.add("@")
	}
	t.host(u.Host, u.Port)
	t.params(';', ';', u.UriParams)
	t.params('?', '&', u.Headers)
}

func (t *Text) host(host string, port int) {
	if strings.IndexByte(host, ':') >= 0 && host[0] != '[' {
		u := sip.Uri{Host: host} // an IPv6 address without its brackets gets them
		host = strings.TrimPrefix(u.String(), "sip:")
	}
	t.add(host)
	if port > 0 {
		t.add(":")
		t.number(port)
	}
}

// params writes parameters behind the byte that begins them.
func (t *Text) params(begin, between byte, params sip.HeaderParams) {
	for i, p := range params {
		if i > 0 {
			begin = between
		}
		t.raw = append(t.raw, begin)
		switch {
		case p.V == "":
			t.add(p.K)
		case strings.ContainsAny(p.V, " \t"):
			t.add(p.K, `="`, p.V, `"`)
		default:
			t.add(p.K, "=", p.V)
		}
	}
}

func (t *Text) add(parts ...string) {
	for _, p := range parts {
		t.raw = append(t.raw, p...)
	}
}

func (t *Text) number(n int) { t.raw = strconv.AppendInt(t.raw, int64(n), 10) }

// WriteString is for headers that write themselves.
func (t *Text) WriteString(s string) (int, error) {
	t.raw = append(t.raw, s...)
	return len(s), nil
}
