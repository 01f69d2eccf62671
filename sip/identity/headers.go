package identity

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// standing is whether a header may stand in a message that we send on a leg of a
// call.
type standing int

const (
	refused standing = iota
	allowed
	// own holds what the peer of the leg itself has said: its dialog's, and the
	// way to it. It goes back to it as it came.
	own
)

// standings has the headers that may stand in a message of a leg, as they are written
// and in small letters. Accept and User-Agent are ours as well: the one goes
// with 415 and the answer to OPTIONS, the other is one constant string.
var standings = map[string]standing{}

func init() {
	for s, names := range map[standing]string{
		own: "Via From To Call-ID CSeq Route Record-Route",
		allowed: "Contact Max-Forwards Content-Type Content-Length Allow Supported Require Unsupported Accept User-Agent RSeq RAck " +
			"Session-Expires Min-SE Retry-After Authorization Proxy-Authorization WWW-Authenticate Proxy-Authenticate P-Early-Media " +
			"Reason P-Asserted-Identity P-Preferred-Identity Privacy Diversion History-Info",
	} {
		for name := range strings.FieldsSeq(names) {
			standings[name], standings[strings.ToLower(name)] = s, s
		}
	}
}

func standingOf(name string) standing {
	if s, ok := standings[name]; ok {
		return s
	}
	return standings[strings.ToLower(name)]
}

// Allowed tells whether a header may stand in a message that we send on a leg
// of a call. All else is refused, whoever sent it; values are our own.
func Allowed(name string) bool { return standingOf(name) != refused }

// Echoed tells whether a header of a response of ours says what stood in the
// request: its sender's own words.
func Echoed(name string) bool {
	return standingOf(name) == own || strings.EqualFold(name, "Unsupported")
}

// Header is one with a constant value, from configuration.
type Header struct{ Name, Value string }

// Check looks at a header of a message that is to be sent on a leg of a call: it
// must be Allowed, or be one of extra, and its value Clean. What is the peer's
// own, such as From in a response, may hold any character that does not end the
// line. The error names the header and not its value.
func Check(name string, value []byte, extra ...Header) error {
	switch standingOf(name) {
	case own:
		if bytes.IndexByte(value, '\r') >= 0 || bytes.IndexByte(value, '\n') >= 0 {
			return fmt.Errorf("header %s: a line ends in it", name)
		}
		return nil
	case refused:
		if !constant(extra, name, value) {
			return fmt.Errorf("header %.60q is not on the allow list", name)
		}
	}
	if plain(value) {
		return nil
	}
	if _, err := Clean(string(value)); err != nil {
		return fmt.Errorf("header %s: %w", name, err)
	}
	return nil
}

// plain tells whether a value is ASCII that prints, which is Clean.
func plain(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

func constant(extra []Header, name string, value []byte) bool {
	return slices.ContainsFunc(extra, func(e Header) bool { return strings.EqualFold(e.Name, name) && e.Value == string(value) })
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
