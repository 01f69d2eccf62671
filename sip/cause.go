package sip

import (
	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/identity"
)

// released notes why a side hangs up, or gives up, by its own words (RFC 3326).
func (c *call) released(req *sip.Request) {
	given := identity.ParseReason(req.GetHeaders("Reason"))
	c.rec.ReleaseCause, c.rec.ReleaseStatus = given.Cause, given.Status
	if given == (identity.Given{}) {
		return
	}
	c.log.Info().Int("cause", given.Cause).Int("status", given.Status).Msg("a side hangs up, and says why")
	if req.Method == sip.BYE {
		c.saidBye = given
	}
}

// gaveUp notes why the caller takes its INVITE back.
func (c *call) gaveUp(cancel *sip.Request) {
	if !c.a.final {
		c.released(cancel)
	}
}

// talkEnded is the end of a talk by one of its sides; the other is told the
// cause that it gave.
func (c *call) talkEnded() routing.End {
	end := routing.EndTalk
	if c.saidBye.Cause != 0 {
		end.Cause = c.saidBye.Cause
	}
	return end
}
