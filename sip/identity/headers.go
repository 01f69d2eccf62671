package identity

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"
)

// allowed are the headers that may stand in a message that we send on a leg of
// a call, in small letters. Accept and User-Agent are ours as well: the one goes
// with 415 and the answer to OPTIONS, the other is one constant string.
var allowed = []string{
	"via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "route", "record-route",
	"content-type", "content-length", "allow", "supported", "require", "unsupported", "accept", "user-agent",
	"rseq", "rack", "session-expires", "min-se", "retry-after",
	"authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate",
	"p-early-media", "reason", "p-asserted-identity", "p-preferred-identity", "privacy", "diversion", "history-info",
}

// own are the headers that hold what the peer of the leg itself has said: its
// dialog's, and the way to it. They go back to it as they came.
var own = []string{"via", "from", "to", "call-id", "cseq", "route", "record-route"}

// Allowed tells whether a header may stand in a message that we send on a leg
// of a call. All else is refused, whoever sent it; values are our own.
func Allowed(name string) bool { return slices.Contains(allowed, strings.ToLower(name)) }

// Echoed tells whether a header of a response of ours says what stood in the
// request: its sender's own words.
func Echoed(name string) bool {
	name = strings.ToLower(name)
	return name == "unsupported" || slices.Contains(own, name)
}

// Header is one with a constant value, from configuration.
type Header struct{ Name, Value string }

// Check looks through the headers of a message that is to be sent on a leg of
// a call: each must be Allowed, or be one of extra, and its value Clean. What is
// the peer's own, such as From in a response, may hold any character that does
// not end the line. The error names the header and not its value.
func Check(headers []sip.Header, extra ...Header) error {
	for _, h := range headers {
		name, value := strings.ToLower(h.Name()), h.Value()
		switch {
		case slices.Contains(own, name):
			if strings.ContainsAny(value, "\r\n") {
				return fmt.Errorf("header %s: a line ends in it", h.Name())
			}
			continue
		case !slices.Contains(allowed, name) && !constant(extra, name, value):
			return fmt.Errorf("header %.60q is not on the allow list", h.Name())
		}
		if _, err := Clean(value); err != nil {
			return fmt.Errorf("header %s: %w", h.Name(), err)
		}
	}
	return nil
}

func constant(extra []Header, name, value string) bool {
	return slices.ContainsFunc(extra, func(e Header) bool { return strings.EqualFold(e.Name, name) && e.Value == value })
}

// Clean gives a value back if it can stand in a header: valid UTF-8 without
// CR, LF, NUL or another control character. It is for text from outside.
func Clean(value string) (string, error) {
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("text for a header is not UTF-8")
	}
	for i, c := range value {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == '\u2028' || c == '\u2029' {
			return "", fmt.Errorf("text for a header has the control character %U at byte %d", c, i)
		}
	}
	return value, nil
}
