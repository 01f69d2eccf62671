package wire

import (
	"bytes"
	"strings"
	"sync"
)

// What a message may have. A line counts with its continuations.
const (
	maxLines = 256
	maxLine  = 8 << 10
	maxHead  = 32 << 10
)

// head is the start line and the header of a message before its values are
// understood: what a refusal is made of when they cannot be.
type head struct {
	start string
	lines []line
}

// line is a header field, unfolded and trimmed, its name in lower and long form.
type line struct{ name, value string }

// names are the short forms, and those spelled as usual.
var names = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type", "e": "content-encoding", "f": "from", "i": "call-id",
	"k": "supported", "l": "content-length", "m": "contact", "o": "event", "r": "refer-to", "s": "subject", "t": "to",
	"u": "allow-events", "v": "via", "x": "session-expires",
}

func init() {
	for _, n := range []string{"Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Route", "Record-Route", "Content-Type",
		"Content-Length", "Allow", "Supported", "Require", "User-Agent", "Server", "P-Asserted-Identity", "Authorization", "Expires", "Accept",
		"Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Session-Expires", "Min-SE", "RSeq", "RAck", "Reason", "Date", "Privacy",
		"P-Early-Media", "P-Charging-Vector", "P-Access-Network-Info", "Diversion", "History-Info", "Allow-Events", "Event", "Warning"} {
		names[n] = strings.ToLower(n)
	}
}

var (
	crlf    = []byte("\r\n")
	headEnd = []byte("\r\n\r\n")
)

// usual is how many lines a head has at first room for.
const usual = 24

var heads = sync.Pool{New: func() any { return &head{lines: make([]line, 0, usual)} }}

// done gives a head back that nobody looks at any more.
func (h *head) done() {
	h.start = ""
	clear(h.lines)
	h.lines = h.lines[:0]
	heads.Put(h)
}

// readHead splits the header off a message. rest is what follows the empty
// line. With an error the head has what was read before it.
func readHead(data []byte) (h *head, rest []byte, err error) {
	h = heads.Get().(*head)
	end := bytes.Index(data, headEnd)
	switch {
	case end > maxHead || end < 0 && len(data) > maxHead:
		err = bad("Header Too Large")
	case end < 0:
		err = bad("Header Without End")
	default:
		rest = data[end+len(headEnd):]
	}
	if err != nil { // its whole lines are good for a refusal
		end = max(0, bytes.LastIndex(data[:min(len(data), maxHead)], crlf))
	}
	text := string(data[:end])
	h.start, text, _ = strings.Cut(text, "\r\n")
	for text != "" {
		n := lineEnd(text)
		switch {
		case len(h.lines) == maxLines:
			return h, nil, bad("Too Many Header Fields")
		case n > maxLine:
			return h, nil, bad("Header Too Large")
		}
		l, err := readLine(text[:n])
		if err != nil {
			return h, nil, err
		}
		h.lines = append(h.lines, l)
		text = text[min(n+2, len(text)):]
	}
	return h, rest, err
}

// lineEnd is where a line ends with its continuations.
func lineEnd(text string) int {
	for i := 0; ; {
		n := strings.Index(text[i:], "\r\n")
		if n < 0 {
			return len(text)
		}
		i += n + 2
		if i == len(text) || text[i] != ' ' && text[i] != '\t' {
			return i - 2
		}
	}
}

func readLine(text string) (line, error) {
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		return line{}, bad("Header Field Without Colon")
	}
	name = strings.TrimRight(name, " \t")
	known, ok := names[name]
	if !ok {
		if !isToken(name) {
			return line{}, bad("Bad Header Field Name")
		}
		known = strings.ToLower(name)
		if long, ok := names[known]; ok {
			known = long
		}
	}
	value = strings.Trim(value, " \t\r\n")
	if strings.Contains(value, "\r\n") {
		value = unfold(value)
	}
	if strings.ContainsAny(value, "\r\n") {
		return line{}, bad("Bare CR or LF")
	}
	return line{known, value}, nil
}

func unfold(value string) string {
	var b strings.Builder
	for i, part := range strings.Split(value, "\r\n") {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.Trim(part, " \t"))
	}
	return b.String()
}

// count is how often a header field is there, and the first of its values.
func (h *head) count(name string) (n int, first string) {
	for _, l := range h.lines {
		if l.name == name {
			if n++; n == 1 {
				first = l.value
			}
		}
	}
	return n, first
}
