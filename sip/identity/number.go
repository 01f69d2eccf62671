// Package identity reads who calls whom from SIP messages, and holds what may
// be told to the other leg: which headers, which causes. It never passes text
// of one leg on to the other: numbers go to the number plan, causes are
// numbers of tables.
package identity

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxNumber is the longest number, in digits: an X may be longer than E.164
// allows, and prefixes come on top.
const maxNumber = 40

// numberOf is the telephone number in a sip, sips or tel URI (RFC 3966 section
// 3, RFC 3261 section 19.1.6): digits, with a leading + if it is global. Only
// the number counts; separators and parameters are dropped, but a global
// phone-context makes a local number global.
func numberOf(uri *sip.Uri) (string, bool) {
	text := uri.User
	switch {
	case uri.Wildcard:
		return "", false
	case uri.Scheme == "tel":
		text = uri.Raw()
	case uri.Scheme != "sip" && uri.Scheme != "sips":
		return "", false
	}
	subscriber, params, _ := strings.Cut(text, ";")
	number, ok := digits(subscriber)
	if !ok {
		return "", false
	}
	context := contextOf(params)
	if context == "" && uri.Scheme != "tel" { // some write it behind the host
		for _, p := range uri.UriParams {
			if strings.EqualFold(p.K, "phone-context") {
				context = p.V
			}
		}
	}
	number = inContext(number, context)
	return number, len(strings.TrimPrefix(number, "+")) <= maxNumber
}

// contextOf finds phone-context among the parameters of a number.
func contextOf(params string) string {
	for p := range strings.SplitSeq(params, ";") {
		if key, value, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(key), "phone-context") {
			return value
		}
	}
	return ""
}

// inContext makes a local number global if the context is the beginning of the
// numbers that it is valid among, such as +86. Some repeat these digits in the
// number, some write the international prefix; a context that is a domain says
// nothing.
func inContext(number, context string) string {
	prefix, ok := digits(context)
	if !ok || prefix[0] != '+' || number[0] == '+' || strings.HasPrefix(number, "00") {
		return number
	}
	if strings.HasPrefix(number, prefix[1:]) {
		return "+" + number
	}
	return prefix + number
}

// digits reads a number with URI escapes and visual separators (RFC 3966
// section 3): a leading + is kept, everything else must be a digit.
func digits(s string) (string, bool) {
	if len(s) > 3*2*maxNumber {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return "", false
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high > 15 || low > 15 {
				return "", false
			}
			c = high<<4 | low
			i += 2
		}
		switch {
		case c >= '0' && c <= '9', c == '+' && b.Len() == 0:
			b.WriteByte(c)
		case c == '-' || c == '.' || c == '(' || c == ')' || c == ' ':
		default:
			return "", false
		}
	}
	n := b.String()
	count := len(strings.TrimPrefix(n, "+"))
	return n, count > 0 && count <= maxNumber
}

// unhex is the value of a hexadecimal digit, 255 for anything else.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// Dialled is the number that a request calls: that of its Request-URI, or if
// there is none, of To. It is to be read by the number plan.
func Dialled(req *sip.Request) (string, bool) {
	if n, ok := numberOf(&req.Recipient); ok {
		return n, true
	}
	if to := req.To(); to != nil {
		return numberOf(&to.Address)
	}
	return "", false
}

// Called are the numbers that a request of a network may be for, the likeliest
// first: Request-URI; P-Called-Party-ID (RFC 7315 section 4.2), which has what
// was there before a network put the address of a phone in its place; To.
func Called(req *sip.Request) []string {
	uris := []*sip.Uri{&req.Recipient}
	for _, text := range values(req.GetHeaders("P-Called-Party-ID")) {
		uri := new(sip.Uri)
		var params sip.HeaderParams
		if _, err := sip.ParseAddressValue(text, uri, &params); err == nil {
			uris = append(uris, uri)
		}
	}
	if to := req.To(); to != nil {
		uris = append(uris, &to.Address)
	}
	var all []string
	for _, uri := range uris {
		if n, ok := numberOf(uri); ok {
			all = append(all, n)
		}
	}
	return all
}

// Return is where an answer to a request outside a dialog goes: who asserts to
// have sent it, else who says so. Only scheme, user, host and port are kept.
// Not ok: it names nobody.
func Return(req *sip.Request) (sip.Uri, bool) {
	for _, text := range values(req.GetHeaders("P-Asserted-Identity")) {
		var uri sip.Uri
		var params sip.HeaderParams
		if _, err := sip.ParseAddressValue(text, &uri, &params); err == nil && uri.Scheme != "tel" && !nameless(&uri) {
			return plainURI(&uri)
		}
	}
	if from := req.From(); from != nil && !nameless(&from.Address) {
		return plainURI(&from.Address)
	}
	return sip.Uri{}, false
}

func plainURI(uri *sip.Uri) (sip.Uri, bool) {
	if uri.Scheme != "sip" || uri.Host == "" {
		return sip.Uri{}, false
	}
	if _, err := Clean(uri.User + uri.Host); err != nil {
		return sip.Uri{}, false
	}
	return sip.Uri{Scheme: "sip", User: uri.User, Host: uri.Host, Port: uri.Port}, true
}
