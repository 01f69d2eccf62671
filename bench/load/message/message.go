// Package message reads and writes the few SIP messages (RFC 3261) and session
// descriptions of a load. It finds what it needs in the datagram itself and
// appends what it writes to the caller's buffer: nothing is allocated. It is no
// SIP stack: header fields of more than one line are not understood.
package message

import "bytes"

// most is how many Via and Record-Route fields a message may have.
const most = 8

// Message is a message as it lies in its datagram, and good as long as that.
type Message struct {
	Method []byte // of a request; of a response that of its request
	URI    []byte // of a request
	Status int    // of a response; 0: it is a request

	CallID, From, To []byte // whole field values
	CSeq             int
	Target           []byte // the URI of Contact
	Body             []byte

	vias   [most][]byte
	routes [most][]byte
	nVias  int
	nRoute int
}

// Parse reads a message; false: it is none that a load can use.
func (m *Message) Parse(text []byte) bool {
	*m = Message{}
	line, rest := cutLine(text)
	if !m.start(line) {
		return false
	}
	var cseq []byte
	for {
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return false
		}
		value = bytes.TrimSpace(value)
		switch field(bytes.TrimSpace(name)) {
		case fieldVia:
			if m.nVias < most {
				m.vias[m.nVias] = value
				m.nVias++
			}
		case fieldRoute:
			if m.nRoute < most {
				m.routes[m.nRoute] = value
				m.nRoute++
			}
		case fieldFrom:
			m.From = value
		case fieldTo:
			m.To = value
		case fieldCallID:
			m.CallID = value
		case fieldCSeq:
			cseq = value
		case fieldContact:
			m.Target = inBrackets(value)
		}
	}
	m.Body = rest
	number, method, _ := bytes.Cut(cseq, []byte(" "))
	m.CSeq, m.Method = Number(number), bytes.TrimSpace(method)
	return m.nVias > 0 && len(m.Method) > 0 && m.From != nil && m.To != nil && m.CallID != nil
}

func (m *Message) start(line []byte) bool {
	const version = "SIP/2.0"
	if rest, ok := bytes.CutPrefix(line, []byte(version+" ")); ok {
		if len(rest) < 3 {
			return false
		}
		m.Status = Number(rest[:3])
		return m.Status >= 100
	}
	_, rest, _ := bytes.Cut(line, []byte(" "))
	uri, end, _ := bytes.Cut(rest, []byte(" "))
	m.URI = uri
	return len(uri) > 0 && string(end) == version
}

// Is tells whether it is a request of a method.
func (m *Message) Is(method string) bool { return m.Status == 0 && string(m.Method) == method }

// Answers tells whether it is a response to a request of a method.
func (m *Message) Answers(method string) bool { return m.Status != 0 && string(m.Method) == method }

// User is the user part of the Request-URI.
func (m *Message) User() []byte { return user(m.URI) }

// ToTag and FromTag are the tags of To and From, nil without one.
func (m *Message) ToTag() []byte   { return tag(m.To) }
func (m *Message) FromTag() []byte { return tag(m.From) }

func cutLine(text []byte) (line, rest []byte) {
	i := bytes.IndexByte(text, '\n')
	if i < 0 {
		return nil, nil
	}
	return bytes.TrimSuffix(text[:i], []byte("\r")), text[i+1:]
}

type fieldName int

const (
	fieldOther fieldName = iota
	fieldVia
	fieldRoute
	fieldFrom
	fieldTo
	fieldCallID
	fieldCSeq
	fieldContact
)

// field knows a name in its long or its compact form.
func field(name []byte) fieldName {
	switch {
	case is(name, "Via", 'v'):
		return fieldVia
	case is(name, "Record-Route", 0):
		return fieldRoute
	case is(name, "From", 'f'):
		return fieldFrom
	case is(name, "To", 't'):
		return fieldTo
	case is(name, "Call-ID", 'i'):
		return fieldCallID
	case is(name, "CSeq", 0):
		return fieldCSeq
	case is(name, "Contact", 'm'):
		return fieldContact
	}
	return fieldOther
}

func is(name []byte, long string, short byte) bool {
	if len(name) == 1 {
		return name[0]|0x20 == short
	}
	return len(name) == len(long) && bytes.EqualFold(name, []byte(long))
}

// inBrackets is the URI of a value, with or without <>.
func inBrackets(value []byte) []byte {
	if _, rest, ok := bytes.Cut(value, []byte("<")); ok {
		uri, _, _ := bytes.Cut(rest, []byte(">"))
		return uri
	}
	uri, _, _ := bytes.Cut(value, []byte(";"))
	return uri
}

func user(uri []byte) []byte {
	_, rest, _ := bytes.Cut(uri, []byte(":"))
	name, _, ok := bytes.Cut(rest, []byte("@"))
	if !ok {
		return nil
	}
	name, _, _ = bytes.Cut(name, []byte(";"))
	return name
}

func tag(value []byte) []byte {
	if i := bytes.LastIndexByte(value, '>'); i >= 0 {
		value = value[i:]
	}
	_, rest, ok := bytes.Cut(value, []byte(";tag="))
	if !ok {
		return nil
	}
	t, _, _ := bytes.Cut(rest, []byte(";"))
	return t
}

// Number reads decimal digits; what comes behind them is not looked at.
func Number(text []byte) int {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' || n > 1e15 {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}
