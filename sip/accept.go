package sip

import (
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
)

// takesSDP tells whether the sender understands the SDP of our answers (RFC
// 3261 section 20.1): who does not say understands it.
func takesSDP(req *sip.Request) bool {
	all := req.GetHeaders("Accept")
	for _, h := range all {
		for _, r := range strings.Split(h.Value(), ",") {
			r, _, _ = strings.Cut(r, ";")
			switch strings.ToLower(strings.TrimSpace(r)) {
			case "application/sdp", "application/*", "*/*":
				return true
			}
		}
	}
	return len(all) == 0
}

// supported are the option tags that a call may be required to heed.
var supported = []string{reliableTag, timerTag}

// unmet are the option tags that an INVITE, or a request inside its dialog,
// requires and that are not met (RFC 3261 section 8.2.2.3).
func unmet(req *sip.Request) []string {
	return slices.DeleteFunc(tags(req, "Require"), func(t string) bool { return has(supported, t) })
}

// demands refuses a request with a Require that is not met (RFC 3261 section
// 8.2.2.3); it tells whether it did.
func (s *Server) demands(tx *wire.ServerTx) bool {
	required := tags(tx.Request, "Require")
	if len(required) > 0 {
		s.reply(tx, sip.StatusBadExtension, "Bad Extension", sip.NewHeader("Unsupported", strings.Join(required, ", ")))
	}
	return len(required) > 0
}
