package identity

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Reason is the value of a Reason header with a Q.850 cause and without text
// (RFC 3326). What is no cause becomes 31, normal, unspecified.
func Reason(cause int) string {
	if !isCause(cause) {
		cause = 31
	}
	return "Q.850;cause=" + strconv.Itoa(cause)
}

// Given is what the Reason headers of a message say.
type Given struct {
	Cause  int  // the first of Q.850, 1 to 127; 0: none
	User   bool // that cause was made at the user's own end (location=U, RFC 8606)
	Status int  // the first SIP status, 100 to 699; 0: none
}

// ParseReason reads the Reason headers of a message. Texts, which may name
// people, are not looked at.
func ParseReason(headers []sip.Header) Given {
	var g Given
	for _, v := range values(headers) {
		protocol, params := cutParam(v)
		n, user := reasonParams(params)
		switch protocol = strings.TrimSpace(protocol); {
		case strings.EqualFold(protocol, "Q.850") && g.Cause == 0 && isCause(n):
			g.Cause, g.User = n, user
		case strings.EqualFold(protocol, "SIP") && g.Status == 0 && n >= 100 && n <= 699:
			g.Status = n
		}
	}
	return g
}

// reasonParams are the first cause of one reason, 0 if it has none, and whether
// its location is the user.
func reasonParams(params string) (cause int, user bool) {
	for params != "" {
		var p string
		p, params = cutParam(params)
		key, value, _ := strings.Cut(p, "=")
		value = strings.Trim(value, " \t\"")
		switch key = strings.TrimSpace(key); {
		case strings.EqualFold(key, "cause") && cause == 0:
			if n, err := strconv.Atoi(value); err == nil {
				cause = n
			}
		case strings.EqualFold(key, "location"):
			user = strings.EqualFold(value, "U")
		}
	}
	return cause, user
}

func isCause(n int) bool { return n >= 1 && n <= 127 }

// cutParam cuts at the first semicolon outside quotes.
func cutParam(s string) (param, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// CauseOf is the Q.850 cause of a final SIP status (RFC 3398 section 8.2.6.1).
// A status that no table names counts as the first of its class. A redirection
// says that the number has changed (301), or that the call is to go elsewhere
// (300, 302); others have no cause of their own.
func CauseOf(status int) int {
	switch status {
	case 404, 485, 604:
		return 1
	case 487: // the caller gave up
		return 16
	case 486, 600:
		return 17
	case 480:
		return 18
	case 401, 402, 403, 407, 603, 607, 608:
		return 21
	case 301, 410:
		return 22
	case 300, 302:
		return 23
	case 482, 483:
		return 25
	case 484:
		return 28
	case 502:
		return 38
	case 405:
		return 63
	case 406, 415, 501:
		return 79
	case 488, 606:
		return 88
	case 408, 504:
		return 102
	case 413, 414, 416, 420, 421, 423, 505, 513:
		return 127
	}
	switch {
	case status >= 400 && status < 600:
		return 41
	case status >= 600 && status < 700:
		return 17
	}
	return 31
}
