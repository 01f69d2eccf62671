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

// ParseReason reads the Reason headers of a message: the first Q.850 cause (1
// to 127) and the first SIP status (100 to 699) in them, 0 where there is none.
// Texts, which may name people, are not looked at. ok: there is one of both.
func ParseReason(headers []sip.Header) (q850, status int, ok bool) {
	for _, v := range values(headers) {
		protocol, params := cutParam(v)
		for params != "" {
			var p string
			p, params = cutParam(params)
			key, value, _ := strings.Cut(p, "=")
			if !strings.EqualFold(strings.TrimSpace(key), "cause") {
				continue
			}
			n, err := strconv.Atoi(strings.Trim(value, " \t\""))
			if err != nil {
				continue
			}
			switch protocol = strings.TrimSpace(protocol); {
			case strings.EqualFold(protocol, "Q.850") && q850 == 0 && isCause(n):
				q850 = n
			case strings.EqualFold(protocol, "SIP") && status == 0 && n >= 100 && n <= 699:
				status = n
			}
		}
	}
	return q850, status, q850 != 0 || status != 0
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
// A status that no table names counts as the first of its class, a redirection
// as 31 since none is followed.
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
	case 410:
		return 22
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
