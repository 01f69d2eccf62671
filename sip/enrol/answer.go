package enrol

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/identity"
)

// Bounds of what is read of an answer.
const (
	maxExpires  = 7 * 24 * time.Hour
	maxAfter    = time.Hour // that Retry-After is obeyed
	maxContacts = 64
	maxValues   = 16  // URIs of Service-Route, Path and P-Associated-URI each
	maxURI      = 512 // bytes of one
)

// granted is how long the registrar keeps us (RFC 3261 section 10.3 step 8):
// the time of our contact. Where proxies have rewritten that, it is the
// shortest of those that are there; without any, the Expires header or what we
// asked for. 0 is that it does not keep us.
func granted(res *sip.Response, ours sip.Uri, asked time.Duration) time.Duration {
	general := asked
	if d, ok := seconds(res.GetHeader("Expires")); ok {
		general = d
	}
	shortest, some := time.Duration(0), false
	headers := res.GetHeaders("Contact")
	for _, h := range headers[:min(len(headers), maxContacts)] {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			continue
		}
		d := general
		if text, ok := c.Params.Get("expires"); ok {
			if n, ok := number(text); ok {
				d = n
			}
		}
		if same(c.Address, ours) {
			return d
		}
		if d > 0 && (!some || d < shortest) {
			shortest, some = d, true
		}
	}
	if len(headers) == 0 {
		return general
	}
	return shortest
}

// same compares contacts by what proxies leave alone.
func same(a, b sip.Uri) bool {
	return a.User == b.User && strings.EqualFold(a.Host, b.Host) && portOf(a) == portOf(b)
}

func portOf(uri sip.Uri) int {
	if uri.Port == 0 {
		return 5060
	}
	return uri.Port
}

// seconds reads a header of delta-seconds, perhaps with a comment or
// parameters behind it as Retry-After may have; at most maxExpires.
func seconds(h sip.Header) (time.Duration, bool) {
	if h == nil {
		return 0, false
	}
	return number(h.Value())
}

func number(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if i := strings.IndexAny(text, " ;("); i >= 0 {
		text = text[:i]
	}
	n, err := strconv.ParseUint(text, 10, 32)
	return min(time.Duration(n)*time.Second, maxExpires), err == nil
}

// uris are those of a header that lists name-addrs, over several lines or with
// commas: as they were written, for a route goes back to whom it came from.
// What cannot be read is left out.
func uris(res *sip.Response, name string) []string {
	var all []string
	headers := res.GetHeaders(name)
	for _, h := range headers[:min(len(headers), maxValues)] {
		for rest := h.Value(); rest != "" && len(all) < maxValues; {
			var one string
			one, rest = cut(rest)
			if i := strings.LastIndexByte(one, '<'); i >= 0 {
				one, _, _ = strings.Cut(one[i+1:], ">")
			} else {
				one, _, _ = strings.Cut(one, ";") // what follows is of the header
			}
			if readable(one) {
				all = append(all, one)
			}
		}
	}
	return all
}

func readable(uri string) bool {
	if _, err := identity.Clean(uri); err != nil || len(uri) > maxURI || strings.ContainsAny(uri, "<> ") {
		return false
	}
	if number, ok := strings.CutPrefix(uri, "tel:"); ok {
		return number != ""
	}
	var u sip.Uri
	return sip.ParseUri(uri, &u) == nil && u.Host != ""
}

// cut splits a list behind its first value: at the first comma that is neither
// in brackets nor in quotes.
func cut(list string) (first, rest string) {
	quoted, bracket := false, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && !bracket:
			quoted = !quoted
		case quoted:
		case c == '<':
			bracket = true
		case c == '>':
			bracket = false
		case c == ',' && !bracket:
			return strings.TrimSpace(list[:i]), strings.TrimSpace(list[i+1:])
		}
	}
	return strings.TrimSpace(list), ""
}
