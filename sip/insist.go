package sip

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/sdp"
)

// insist repeats an INVITE whose keys in RTP/AVP were refused, with the same
// keys in RTP/SAVP: peers that take SRTP alone often see none in an offer like
// that of RFC 8643. false: the response is to be taken as the failure that it
// is. It happens once in a leg, since from then on that is required.
func (c *call) insist(b *calleeLeg, res *sip.Response) bool {
	if b.security != sdp.Optional || !c.rec.Alerting.IsZero() || !wantsSRTP(res) {
		return false
	}
	c.log.Info().Int("status", res.StatusCode).Str("route", b.route.name).Msg("optional SRTP was refused: the INVITE is repeated with RTP/SAVP")
	c.forgetPracks(b)
	b.security, b.rang = sdp.Required, false
	b.root.sdp.Insist()
	if err := c.sendInvite(b, b.root.sdp.Offer()); err != nil {
		c.log.Error().Err(err).Str("route", b.route.name).Msg("repeat the INVITE with RTP/SAVP")
		return false
	}
	return true
}

// wantsSRTP tells whether a failure may be for want of RTP/SAVP. 415 is of the
// type of the body, but for peers that say what they mean.
func wantsSRTP(res *sip.Response) bool {
	switch res.StatusCode {
	case sip.StatusNotAcceptableHere, sip.StatusGlobalNotAcceptable:
		return true
	case sip.StatusUnsupportedMediaType:
		said := res.Reason
		for _, h := range res.GetHeaders("Warning") {
			said += " " + h.Value()
		}
		said = strings.ToUpper(said)
		return strings.Contains(said, "SAVP") || strings.Contains(said, "SRTP")
	}
	return false
}
