package wire

import (
	"strconv"
	"strings"
)

// once are the header fields that a message has at most once (RFC 3261
// section 7.3.1).
var once = []string{"call-id", "cseq", "from", "to", "max-forwards", "content-length", "content-type"}

// verify checks what sipgo's parser lets pass (RFC 4475 section 3.1.2): the
// start line, and the header fields that dialogs and routes are made of.
func (h *head) verify() error {
	method, isRequest, err := h.verifyStart()
	if err != nil {
		return err
	}
	for _, name := range once {
		if n, _ := h.count(name); n > 1 {
			return bad("Repeated " + name)
		}
	}
	for _, l := range h.lines {
		if err := l.verify(); err != nil {
			return err
		}
	}
	if _, cseq := h.count("cseq"); isRequest && cseq != "" {
		if f := strings.Fields(cseq); f[1] != method {
			return bad("CSeq Method Mismatch")
		}
	}
	return nil
}

func (h *head) verifyStart() (method string, isRequest bool, err error) {
	if strings.HasPrefix(h.start, "SIP/") {
		_, rest, _ := strings.Cut(h.start, " ")
		code, _, ok := strings.Cut(rest, " ")
		if !ok || len(code) != 3 || !digits(code, 699) || code[0] == '0' || strings.ContainsAny(h.start, "\r\n") {
			return "", false, bad("Bad Status Line")
		}
		return "", false, nil
	}
	f := strings.Split(h.start, " ")
	if len(f) != 3 || !isToken(f[0]) || !strings.HasPrefix(strings.ToUpper(f[2]), "SIP/") {
		return "", true, bad("Bad Request Line")
	}
	if version := strings.ToUpper(f[2]); version != "SIP/2.0" {
		return "", true, &badMessage{status: 505, phrase: "Version Not Supported"}
	}
	if err := verifyURI(f[1]); err != nil {
		return "", true, bad("Bad Request-URI")
	}
	switch scheme, rest, _ := strings.Cut(f[1], ":"); strings.ToLower(scheme) {
	case "sip", "sips":
		if strings.Contains(rest[strings.LastIndexByte(rest, '@')+1:], "?") {
			return "", true, bad("Header Fields In Request-URI")
		}
	case "tel":
	default:
		return "", true, &badMessage{status: 416, phrase: "Unsupported URI Scheme"}
	}
	return f[0], true, nil
}

func (l line) verify() error {
	switch l.name {
	case "from", "to":
		if _, rest, err := verifyAddress(l.value); err != nil || rest != "" {
			return bad("Bad " + l.name)
		}
	case "contact", "route", "record-route":
		return l.verifyAddresses()
	case "via":
		return verifyVia(values(l))
	case "cseq":
		if f := strings.Fields(l.value); len(f) != 2 || !digits(f[0], 1<<31-1) || !isToken(f[1]) {
			return bad("Bad CSeq")
		}
	case "call-id":
		if l.value == "" || strings.ContainsAny(l.value, " \t") {
			return bad("Bad Call-ID")
		}
	case "max-forwards":
		if !digits(l.value, 1<<32-1) { // more than 255 is taken as that
			return bad("Bad Max-Forwards")
		}
	case "content-length":
		if !digits(l.value, maxDatagram) {
			return bad("Bad Content-Length")
		}
	}
	return nil
}

// digits tells whether s is a number of at most most, leading zeros allowed.
func digits(s string, most uint64) bool {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && n <= most
}

func (l line) verifyAddresses() error {
	if l.name == "contact" && l.value == "*" {
		return nil
	}
	for rest := l.value; ; {
		var err error
		uri := ""
		if uri, rest, err = verifyAddress(rest); err != nil {
			return bad("Bad " + l.name)
		}
		if uri == "*" { // a star means something only alone
			return bad("Bad " + l.name)
		}
		if rest == "" {
			return nil
		}
		rest = rest[1:]
	}
}

// verifyAddress reads a name-addr or addr-spec with its parameters (RFC 3261
// section 25.1). rest begins with the comma behind it, or is empty.
func verifyAddress(s string) (uri, rest string, err error) {
	s = strings.TrimLeft(s, " \t")
	if strings.HasPrefix(s, `"`) {
		end := quotedEnd(s)
		if end < 0 {
			return "", "", bad("Quote Without End")
		}
		if s = strings.TrimLeft(s[end:], " \t"); !strings.HasPrefix(s, "<") {
			return "", "", bad("Display Name Without Address")
		}
	} else if i := strings.IndexByte(s, '<'); i >= 0 && !strings.ContainsAny(s[:i], ":;") {
		for _, word := range strings.Fields(s[:i]) {
			if !isToken(word) {
				return "", "", bad("Bad Display Name")
			}
		}
		s = s[i:]
	}
	if strings.HasPrefix(s, "<") {
		end := strings.IndexByte(s, '>')
		if end < 0 {
			return "", "", bad("Bracket Without End")
		}
		uri, s = s[1:end], s[end+1:]
	} else {
		end := strings.IndexAny(s, ";, \t")
		if end < 0 {
			end = len(s)
		}
		uri, s = s[:end], s[end:]
		if strings.Contains(uri, "?") { // RFC 3261 section 20: such a URI stands in brackets
			return "", "", bad("URI Without Brackets")
		}
	}
	if err := verifyURI(uri); err != nil {
		return "", "", err
	}
	rest, err = verifyParams(s)
	return uri, rest, err
}

// verifyParams reads ;name=value pairs up to a comma or the end.
func verifyParams(s string) (rest string, err error) {
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			return s, nil
		}
		if s[0] != ';' {
			return "", bad("Bad Parameter")
		}
		s = strings.TrimLeft(s[1:], " \t")
		end := strings.IndexAny(s, "=;, \t")
		if end < 0 {
			end = len(s)
		}
		if !isToken(s[:end]) {
			return "", bad("Bad Parameter")
		}
		s = strings.TrimLeft(s[end:], " \t")
		if !strings.HasPrefix(s, "=") {
			continue
		}
		s = strings.TrimLeft(s[1:], " \t")
		if strings.HasPrefix(s, `"`) {
			end = quotedEnd(s)
		} else if end = strings.IndexAny(s, ";, \t"); end < 0 {
			end = len(s)
		}
		if end <= 0 || s[0] != '"' && !visible.has(s[:end]) {
			return "", bad("Bad Parameter")
		}
		s = s[end:]
	}
}

// quotedEnd is behind the closing quote of a string that begins with one; -1
// if there is none, or a control character that is not escaped.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return i + 1
		case s[i] == '\\':
			i++
		case s[i] < ' ' && s[i] != '\t':
			return -1
		}
	}
	return -1
}

// verifyVia checks what responses are sent by. A branch that is the magic
// cookie alone names no transaction (RFC 4475 section 3.2.1).
func verifyVia(vias []string) error {
	for _, via := range vias {
		protocol, by, ok := strings.Cut(via, " ")
		parts := strings.Split(protocol, "/")
		if !ok || len(parts) != 3 || !isToken(parts[0]) || !isToken(parts[1]) || !isToken(parts[2]) {
			return bad("Bad Via")
		}
		by, params := by, ""
		if i := strings.IndexByte(by, ';'); i >= 0 {
			by, params = by[:i], by[i:]
		}
		for part := range strings.SplitSeq(by, ":") { // spaces may stand around the colon, and nowhere else
			if strings.Contains(strings.Trim(part, " "), " ") {
				return bad("Bad Via")
			}
		}
		if !hostPort(strings.ReplaceAll(by, " ", "")) {
			return bad("Bad Via")
		}
		if rest, err := verifyParams(params); err != nil || rest != "" {
			return bad("Bad Via")
		}
		if strings.HasSuffix(params, ";branch=z9hG4bK") || strings.Contains(params, ";branch=z9hG4bK;") {
			return bad("Bad Branch")
		}
	}
	return nil
}
