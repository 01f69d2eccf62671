package wire

import (
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// class is a set of characters.
type class [256]bool

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

var (
	tokens = classOf(alphanumeric + "-.!%*_+`'~")
	hosts  = classOf(alphanumeric + "-._")
	hexes  = classOf("0123456789abcdefABCDEF")
	// visible is ASCII that prints and neither quotes nor brackets.
	visible = classOf(alphanumeric + "!#$%&'()*+,-./:;=?@[\\]^_`{|}~")
	// What ends the name of a parameter, and its value or an address without brackets.
	nameEnds = classOf("=;, \t")
	ends     = classOf(";, \t")
)

func classOf(chars string) *class {
	var c class
	for i := range len(chars) {
		c[chars[i]] = true
	}
	return &c
}

// has tells whether all of s is of this class.
func (c *class) has(s string) bool {
	for i := range len(s) {
		if !c[s[i]] {
			return false
		}
	}
	return true
}

// in finds the first of the class in s, or its end.
func (c *class) in(s string) int {
	for i := range len(s) {
		if c[s[i]] {
			return i
		}
	}
	return len(s)
}

func isToken(s string) bool { return s != "" && tokens.has(s) }

// errScheme tells of a scheme that is well formed, but nobody's.
var errScheme = bad("Unsupported URI Scheme")

// readURI reads a URI: of any scheme if its characters are possible, of SIP if
// its escapes, host and port are.
func readURI(s string, uri *sip.Uri) error {
	if s == "*" {
		return sip.ParseUri(s, uri)
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || rest == "" || !isToken(scheme) || !visible.has(rest) {
		return bad("Bad URI")
	}
	if uri.Scheme = schemeOf(scheme); uri.Scheme == "" {
		if sip.ParseUri(s, uri) != nil { // it takes the rest as it is
			return errScheme
		}
		return nil
	}
	for i := strings.IndexByte(rest, '%'); i >= 0 && i < len(rest); i++ {
		if rest[i] == '%' && (i+2 >= len(rest) || !hexes.has(rest[i+1:i+3])) {
			return bad("Bad Escape")
		}
	}
	if user, host, ok := strings.Cut(rest, "@"); ok {
		if strings.IndexByte(host, '@') >= 0 || strings.IndexByte(user, '[') >= 0 {
			return bad("Bad URI")
		}
		user, uri.HierarhicalSlashes = strings.CutPrefix(user, "//")
		if i := strings.LastIndexByte(user, ':'); i > 0 {
			user, uri.Password = user[:i], user[i+1:]
		}
		uri.User, rest = user, host
	}
	host, params := rest, ""
	if i := strings.IndexAny(rest, ";?"); i >= 0 {
		host, params = rest[:i], rest[i:]
	}
	if !hostPort(host) {
		return bad("Bad Host")
	}
	uri.Host, uri.Port = splitPort(host)
	params, headers, ok := strings.Cut(params, "?")
	uri.UriParams = split(strings.TrimPrefix(params, ";"), ";")
	if uri.Headers = split(headers, "&"); ok && uri.Headers == nil {
		uri.Headers = sip.HeaderParams{} // there are some, even if they say nothing
	}
	return nil
}

// schemeOf is that of a SIP URI in small letters; empty for others.
func schemeOf(s string) string {
	switch {
	case s == "sip" || strings.EqualFold(s, "sip"):
		return "sip"
	case strings.EqualFold(s, "sips"):
		return "sips"
	}
	return ""
}

// split reads the parameters or headers of a URI; of two with one name the last counts.
func split(s, sep string) sip.HeaderParams {
	if s == "" {
		return nil
	}
	params := make(sip.HeaderParams, 0, 1+strings.Count(s, sep))
	for s != "" {
		var one string
		one, s, _ = strings.Cut(s, sep)
		name, value := one, ""
		if i := strings.IndexByte(one, '='); i > 0 {
			name, value = one[:i], one[i+1:]
		}
		if name != "" {
			params.Add(name, value)
		}
	}
	return params
}

// hostPort checks a host with or without a port. RFC 5118 section 4.10 has
// three colons in an address tolerated, for the grammar once asked for them.
func hostPort(s string) bool {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		addr, err := netip.ParseAddr(strings.Replace(s[1:end], ":::", "::", 1))
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return false
		}
		if s[end+1:] == "" {
			return true
		}
		host, port, _ = strings.Cut(s[end:], ":")
		_, ok := number(port, 65535)
		return host == "]" && ok
	}
	host, port, colon := strings.Cut(s, ":")
	_, ok := number(port, 65535)
	return host != "" && hosts.has(host) && (!colon || ok)
}
