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

// Allowed tells whether a header may stand in a message that we send on a leg
// of a call. All else is refused, whoever sent it; values are our own.
func Allowed(name string) bool { return slices.Contains(allowed, strings.ToLower(name)) }

// Check looks through the headers of a message that is to be sent on a leg of
// a call: each must be Allowed and its value Clean. The error names the header.
func Check(headers []sip.Header) error {
	for _, h := range headers {
		if !Allowed(h.Name()) {
			return fmt.Errorf("header %.60q is not on the allow list", h.Name())
		}
		if _, err := Clean(h.Value()); err != nil {
			return fmt.Errorf("header %s: %w", h.Name(), err)
		}
	}
	return nil
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
