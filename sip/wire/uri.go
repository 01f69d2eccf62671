package wire

import (
	"net/netip"
	"strings"
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

func isToken(s string) bool { return s != "" && tokens.has(s) }

// verifyURI checks a URI: of any scheme that its characters are possible, of
// SIP that its escapes, host and port are.
func verifyURI(uri string) error {
	if uri == "*" {
		return nil
	}
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok || rest == "" || !isToken(scheme) || !visible.has(rest) {
		return bad("Bad URI")
	}
	if s := strings.ToLower(scheme); s != "sip" && s != "sips" {
		return nil
	}
	for i := strings.IndexByte(rest, '%'); i >= 0 && i < len(rest); i++ {
		if rest[i] == '%' && (i+2 >= len(rest) || !hexes.has(rest[i+1:i+3])) {
			return bad("Bad Escape")
		}
	}
	user, host, ok := strings.Cut(rest, "@")
	if !ok {
		host = user
	}
	if strings.Contains(host, "@") {
		return bad("Bad URI")
	}
	if i := strings.IndexAny(host, ";?"); i >= 0 {
		host = host[:i]
	}
	if !hostPort(host) {
		return bad("Bad Host")
	}
	return nil
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
		return host == "]" && digits(port, 65535)
	}
	host, port, colon := strings.Cut(s, ":")
	return host != "" && hosts.has(host) && (!colon || digits(port, 65535))
}
