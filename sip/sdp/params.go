package sdp

import (
	"slices"
	"strings"
)

// Bounds of a parameter's value that is told on: what is longer, or could be a
// telephone number, is nobody's setting of a codec.
const (
	maxValue  = 20 // bytes
	maxDigits = 6  // in a row
)

// param is what an fmtp says of one name; empty: nothing.
func param(fmtp, name string) string {
	for p := range strings.SplitSeq(fmtp, ";") {
		key, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.ToLower(strings.TrimSpace(value))
		}
	}
	return ""
}

// params is an fmtp in our own words: those parameters of the codec that we
// know, in our order, with values that can be settings.
func (k *kind) fmtp(theirs string) string {
	var all []string
	for _, name := range k.params {
		if value := param(theirs, name); setting(value) {
			all = append(all, name+"="+value)
		}
	}
	return strings.Join(all, ";")
}

// setting tells whether a value can be the setting of a codec: a number, a list
// or a range of numbers, or a short word.
func setting(value string) bool {
	digits := 0
	for i := range len(value) {
		switch c := value[i]; {
		case c >= '0' && c <= '9':
			if digits++; digits > maxDigits {
				return false
			}
			continue
		case c >= 'a' && c <= 'z' || c == '.' || c == ',' || c == '-':
		default:
			return false
		}
		digits = 0
	}
	return value != "" && len(value) <= maxValue
}

// fits tells whether packets of one are packets of the other: the same codec
// with payloads of the same form. A parameter that is not said is 0.
func (c Codec) fits(other Codec) bool {
	if c.Name != other.Name || c.Clock != other.Clock || c.Channels != other.Channels {
		return false
	}
	k := kindNamed(c.Name)
	return k == nil || !slices.ContainsFunc(k.form, func(name string) bool { return unset(c, name) != unset(other, name) })
}

func unset(c Codec, name string) string {
	if value := param(c.Params, name); value != "" {
		return value
	}
	return "0"
}

// settled is a codec as an answer leaves it: with the answer's parameters. The
// silence of G.729 (Annex B) and G.723.1 (Annex A) is the exception: it is had
// unless a side says no, and then no side may (RFC 7261 section 3.3).
func (c Codec) settled(answer Codec) Codec {
	if c.Name == nameG729 && param(c.Params, "annexb") == "no" || c.Name == nameG723 && param(c.Params, "annexa") == "no" {
		return c
	}
	return answer
}
