package identity

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// StatusOf is the SIP status for a Q.850 cause where a response is due (RFC
// 3398 section 7.2.4.1). user tells that the cause was made at the user's own
// end (location 0000 of ITU-T Q.850), which counts for a rejected call.
func StatusOf(cause int, user bool) int {
	switch cause {
	case 1, 2, 3, 26:
		return sip.StatusNotFound
	case 16:
		return sip.StatusRequestTerminated
	case 17:
		return sip.StatusBusyHere
	case 18:
		return sip.StatusRequestTimeout
	case 19, 20, 31:
		return sip.StatusTemporarilyUnavailable
	case 21:
		if user {
			return sip.StatusGlobalDecline
		}
		return sip.StatusForbidden
	case 22, 23:
		return sip.StatusGone // where somebody went is not told
	case 27:
		return sip.StatusBadGateway
	case 28:
		return sip.StatusAddressIncomplete
	case 29, 79:
		return sip.StatusNotImplemented
	case 34, 38, 41, 42, 47, 58, 88:
		return sip.StatusServiceUnavailable
	case 55, 57, 87:
		return sip.StatusForbidden
	case 65, 70:
		return sip.StatusNotAcceptableHere
	case 102:
		return sip.StatusGatewayTimeout
	case 111, 127:
		return sip.StatusInternalServerError
	}
	return byClass(cause)
}

// byClass are causes that the table lacks: as the unspecified one of their
// class (ITU-T Q.850 table 1).
func byClass(cause int) int {
	switch {
	case cause >= 32 && cause < 48: // no resource
		return sip.StatusServiceUnavailable
	case cause >= 48 && cause < 64: // service not available
		return sip.StatusForbidden
	case cause >= 64 && cause < 80: // not implemented
		return sip.StatusNotImplemented
	case cause >= 80 && cause < 128: // invalid message, protocol, interworking
		return sip.StatusInternalServerError
	}
	return sip.StatusTemporarilyUnavailable
}

// CauseOfFailure is the Q.850 cause of a final response: the one of its Reason
// header, else that of its status. 488 and 606 mean that the media did not fit,
// unless their Warning says that it was the way of it.
func CauseOfFailure(res *sip.Response) int {
	if given := ParseReason(res.GetHeaders("Reason")); given.Cause != 0 {
		return given.Cause
	}
	if s := res.StatusCode; s == sip.StatusNotAcceptableHere || s == sip.StatusGlobalNotAcceptable {
		if ofNetwork(warning(res)) {
			return 31
		}
	}
	return CauseOf(res.StatusCode)
}

// warning is the first warn-code of a response (RFC 3261 section 20.43); 0:
// none. Its text, which may name people, is not looked at.
func warning(res *sip.Response) int {
	for _, v := range values(res.GetHeaders("Warning")) {
		code, _, _ := strings.Cut(v, " ")
		if n, err := strconv.Atoi(code); err == nil && n >= 300 && n < 400 {
			return n
		}
	}
	return 0
}

// ofNetwork are the warnings of network protocols and addresses, transport,
// bandwidth, multicast and unicast.
func ofNetwork(code int) bool {
	return code >= 300 && code <= 303 || code == 330 || code == 331 || code == 370
}
