package dtmf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limits of a SIP INFO body and of the key press it reports.
const (
	maxInfoBody     = 1024
	defaultDuration = 160 * time.Millisecond // of a body that names none
	maxDuration     = time.Minute
)

// ParseInfo reads the key press of a SIP INFO body (sip-interop section 4).
// Content types are application/dtmf-relay, with lines "Signal=5" and
// "Duration=160" (milliseconds), and application/dtmf, whose body is the digit
// alone; case, spaces and content type parameters do not matter and either body
// is read under either type. Signals 10 and 11 are * and #, 12 to 15 A to D.
// Without a Duration d is 160 ms.
func ParseInfo(contentType string, body []byte) (digit byte, d time.Duration, err error) {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if kind != "application/dtmf-relay" && kind != "application/dtmf" {
		return 0, 0, fmt.Errorf("INFO content type %.30q: want application/dtmf-relay or application/dtmf", kind)
	}
	if len(body) > maxInfoBody {
		return 0, 0, fmt.Errorf("INFO body of %d bytes: at most %d", len(body), maxInfoBody)
	}
	d = defaultDuration
	for line := range strings.FieldsFuncSeq(string(body), func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, named := strings.Cut(line, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case name == "":
		case named && name == "duration":
			if d, err = parseDuration(value); err != nil {
				return 0, 0, err
			}
		case named && name != "signal": // other fields are for other receivers
		case digit != 0:
			return 0, 0, fmt.Errorf("INFO body has more than one signal")
		case named:
			digit, err = parseSignal(value)
		default:
			digit, err = parseSignal(name)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	if digit == 0 {
		return 0, 0, fmt.Errorf("INFO body has no signal: want Signal= and a digit, or a digit alone")
	}
	return digit, d, nil
}

func parseSignal(s string) (byte, error) {
	if len(s) == 1 {
		if code, ok := Event(s[0]); ok {
			return digits[code], nil
		}
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && len(s) == 2 && n >= 10 {
		if digit, ok := Digit(uint8(n)); ok {
			return digit, nil
		}
	}
	return 0, fmt.Errorf("INFO signal %.20q: want one of 0-9 * # A-D, or 10 to 15", s)
}

func parseDuration(s string) (time.Duration, error) {
	if s == "" {
		return defaultDuration, nil
	}
	ms, err := strconv.ParseUint(s, 10, 32)
	d := time.Duration(ms) * time.Millisecond
	if err != nil || d > maxDuration {
		return 0, fmt.Errorf("INFO duration %.20q: want milliseconds up to %d", s, maxDuration.Milliseconds())
	}
	return d, nil
}
