package sip

import (
	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/identity"
)

// released notes why a side hangs up, by its own words (RFC 3326).
func (c *call) released(bye *sip.Request) {
	if q850, _, _ := identity.ParseReason(bye.GetHeaders("Reason")); q850 != 0 {
		c.log.Info().Int("cause", q850).Msg("a side hangs up, and says why")
		c.byeCause = q850
	}
}

// talkEnded is the end of a talk by one of its sides; the other is told the
// cause that it gave.
func (c *call) talkEnded() routing.End {
	end := routing.EndTalk
	if c.byeCause != 0 {
		end.Cause = c.byeCause
	}
	return end
}
