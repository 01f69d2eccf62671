package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Source is a header that may name the caller.
type Source string

// The sources.
const (
	PAI  Source = "pai"  // P-Asserted-Identity, RFC 3325
	RPID Source = "rpid" // Remote-Party-ID, which some gateways send instead
	From Source = "from"
)

// Rule says where a trunk's calls name their caller.
type Rule struct {
	Sources []Source // the first that has a number counts; empty: PAI, RPID, From
	// Trusted peers have checked what they assert; of others PAI and RPID are
	// not read (RFC 3325 section 5).
	Trusted bool
}

// Validate names the sources there are if the rule has another.
func (r Rule) Validate() error {
	for i, s := range r.Sources {
		if s != PAI && s != RPID && s != From {
			return fmt.Errorf("identity source %q: use pai, rpid or from", string(s))
		}
		if slices.Contains(r.Sources[:i], s) {
			return fmt.Errorf("identity source %s stands twice", s)
		}
	}
	return nil
}

func (r Rule) sources() []Source {
	if len(r.Sources) == 0 {
		return []Source{PAI, RPID, From}
	}
	return r.Sources
}

// Caller finds the number of the caller by the rule of the trunk. A caller who
// asks for privacy is known only by what a trusted peer asserts (RFC 3323
// section 4, RFC 3325 section 9.3); nobody is told that number, X is shown.
// The number is to be read by the number plan; there is none if anonymous.
func Caller(req *sip.Request, rule Rule) (number string, anonymous bool) {
	hidden := private(req)
	for _, s := range rule.sources() {
		var ok bool
		switch s {
		case PAI:
			number, ok = asserted(req, "P-Asserted-Identity", rule)
		case RPID:
			number, ok = asserted(req, "Remote-Party-ID", rule)
		case From:
			number, ok = claimed(req)
			ok = ok && !hidden
		}
		if ok {
			return number, false
		}
	}
	return "", true
}

// asserted is the first number in a header that only trusted peers may send;
// it may be repeated and hold a sip and a tel value for the same caller.
func asserted(req *sip.Request, name string, rule Rule) (string, bool) {
	if !rule.Trusted {
		return "", false
	}
	for _, text := range values(req.GetHeaders(name)) {
		var uri sip.Uri
		var params sip.HeaderParams
		if _, err := sip.ParseAddressValue(text, &uri, &params); err != nil || nameless(&uri) || other(params) {
			continue
		}
		if n, ok := numberOf(&uri); ok {
			return n, true
		}
	}
	return "", false
}

// other tells whether a Remote-Party-ID says that it names another party than
// the caller: some send one for the called number too.
func other(params sip.HeaderParams) bool {
	for _, p := range params {
		if strings.EqualFold(strings.TrimSpace(p.K), "party") && !strings.EqualFold(strings.Trim(p.V, " \t\""), "calling") {
			return true
		}
	}
	return false
}

// claimed is the number in From.
func claimed(req *sip.Request) (string, bool) {
	from := req.From()
	if from == nil || nameless(&from.Address) {
		return "", false
	}
	return numberOf(&from.Address)
}

// nameless tells whether a URI says that it names nobody (RFC 3323 section
// 4.1.1.3).
func nameless(uri *sip.Uri) bool {
	return strings.EqualFold(uri.Host, "anonymous.invalid")
}

// private tells whether the caller asked that it be kept from the callee who
// calls. Privacy may be repeated and hold lists; "off" is an old "none".
func private(req *sip.Request) bool {
	for _, h := range req.GetHeaders("Privacy") {
		for v := range strings.FieldsFuncSeq(h.Value(), func(c rune) bool { return c == ';' || c == ',' }) {
			switch strings.ToLower(strings.TrimSpace(v)) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return false
}

// maxValues bounds how many values of a repeated header are read.
const maxValues = 16

// values are the comma-separated values of repeated headers; commas in quotes
// and in angle brackets separate nothing.
func values(headers []sip.Header) []string {
	var all []string
	for _, h := range headers {
		rest := h.Value()
		for rest != "" && len(all) < maxValues {
			var v string
			v, rest = cutValue(rest)
			if v = strings.TrimSpace(v); v != "" {
				all = append(all, v)
			}
		}
	}
	return all
}

func cutValue(s string) (value, rest string) {
	quoted, bracketed := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			bracketed = true
		case c == '>':
			bracketed = false
		case c == ',' && !bracketed:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
