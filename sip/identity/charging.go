package identity

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxChargingID bounds the icid-value that is kept, in bytes.
const maxChargingID = 128

// ChargingID is the icid-value of a request's P-Charging-Vector (RFC 7315
// section 5.6), by which the networks of a call find each other's records of it;
// empty if there is none, or none that can be kept: it is too long, or has a
// control character.
func ChargingID(req *sip.Request) string {
	h := req.GetHeader("P-Charging-Vector")
	if h == nil {
		return ""
	}
	for rest := h.Value(); rest != ""; {
		var p string
		p, rest = cutParam(rest)
		key, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(key), "icid-value") {
			continue
		}
		value = strings.Trim(value, " \t\"")
		if _, err := Clean(value); err != nil || len(value) > maxChargingID {
			return ""
		}
		return value
	}
	return ""
}
