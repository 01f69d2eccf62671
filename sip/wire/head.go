package wire

import (
	"bytes"
	"strings"
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
		"Content-Length", "Allow", "Supported", "Require", "User-Agent", "Server", "P-Asserted-Identity", "Authorization", "Expires", "Accept"} {
		names[n] = strings.ToLower(n)
	}
}

var (
	crlf    = []byte("\r\n")
	headEnd = []byte("\r\n\r\n")
)

// readHead splits the header off a message. rest is what follows the empty
// line. With an error the head has what was read before it.
func readHead(data []byte) (h *head, rest []byte, err error) {
	h = &head{}
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

// bytes writes the message anew, in the one form that sipgo's parser reads
// well: no folding, no space around separators, one value a line.
func (h *head) bytes(body []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(h.start) + len(body) + 64*len(h.lines))
	b.WriteString(h.start)
	b.Write(crlf)
	for _, l := range h.lines {
		for _, v := range values(l) {
			b.WriteString(l.name)
			b.WriteString(": ")
			b.WriteString(v)
			b.Write(crlf)
		}
	}
	b.Write(crlf)
	b.Write(body)
	return b.Bytes()
}

// listed are the header fields whose values sipgo parses, and the separators
// around which space means nothing there.
var listed = map[string]string{
	"via": ";,=/:", "contact": ";,=", "route": ";,=", "record-route": ";,=", "from": ";=", "to": ";=",
}

func values(l line) []string {
	seps, ok := listed[l.name]
	switch {
	case l.name == "cseq":
		return []string{strings.Join(strings.Fields(l.value), " ")}
	case !ok:
		return []string{l.value}
	}
	value := l.value
	if strings.ContainsAny(value, " \t") {
		value = squeeze(value, seps)
	}
	if !strings.Contains(seps, ",") || !strings.Contains(value, ",") {
		return []string{value}
	}
	var all []string
	for {
		i := outside(value, ',')
		if i < 0 {
			return append(all, value)
		}
		all, value = append(all, value[:i]), value[i+1:]
	}
}

// squeeze takes the space around separators away, and makes the rest of it
// single, outside of quotes and angle brackets.
func squeeze(value, seps string) string {
	out := make([]byte, 0, len(value))
	var s scanner
	for i := 0; i < len(value); i++ {
		c := value[i]
		if space := c == ' ' || c == '\t'; space && !s.in() {
			next := i + 1
			for next < len(value) && (value[next] == ' ' || value[next] == '\t') {
				next++
			}
			if next < len(value) && !strings.Contains(seps, value[next:next+1]) && len(out) > 0 && !strings.Contains(seps, string(out[len(out)-1])) {
				out = append(out, ' ')
			}
			i = next - 1
			continue
		}
		s.step(c)
		out = append(out, c)
	}
	return string(out)
}

// outside finds a byte that is in no quoted string and no angle brackets.
func outside(value string, c byte) int {
	var s scanner
	for i := 0; i < len(value); i++ {
		if value[i] == c && !s.in() {
			return i
		}
		s.step(value[i])
	}
	return -1
}

// scanner knows whether a byte of a value stands in quotes or angle brackets.
type scanner struct{ quoted, escaped, angled bool }

func (s *scanner) in() bool { return s.quoted || s.angled }

func (s *scanner) step(c byte) {
	switch {
	case s.escaped:
		s.escaped = false
	case s.quoted && c == '\\':
		s.escaped = true
	case c == '"' && !s.angled:
		s.quoted = !s.quoted
	case s.quoted:
	case c == '<':
		s.angled = true
	case c == '>':
		s.angled = false
	}
}
