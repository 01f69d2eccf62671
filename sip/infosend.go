package sip

import (
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"
)

// infos are the digits that a leg gets by SIP INFO (RFC 6086, legacy use), one
// after the other: two at a time could overtake each other.
type infos struct {
	waiting []press
	sent    *sent // nil: none is under way
}

// press is a digit and how long its key was held.
type press struct {
	digit  byte
	length time.Duration
}

const (
	// maxPresses is how many digits wait for the INFO before them.
	maxPresses = 16
	// usualPress is the length of a digit whose key is still held, or of which
	// nothing was said.
	usualPress = 160 * time.Millisecond
)

// sendInfo sends a digit to a leg. What becomes of it changes nothing: a peer
// that has no INFO does without.
func (c *call) sendInfo(l *leg, digit byte, length time.Duration) {
	if len(l.infos.waiting) == maxPresses {
		c.log.Info().Stringer("to", l.side).Msg("too many digits wait for their INFO: one is lost")
		return
	}
	if length == 0 {
		length = usualPress
	}
	l.infos.waiting = append(l.infos.waiting, press{digit, length})
	c.nextInfo(l)
}

func (c *call) nextInfo(l *leg) {
	if l.infos.sent != nil || len(l.infos.waiting) == 0 || !l.up || l.gone {
		return
	}
	p := l.infos.waiting[0]
	l.infos.waiting = l.infos.waiting[1:]
	body := fmt.Sprintf("Signal=%c\r\nDuration=%d\r\n", p.digit, p.length.Milliseconds())
	l.infos.sent = c.send(l, l.dialog, order{method: sip.INFO, contentType: "application/dtmf-relay", body: []byte(body)},
		func(res *sip.Response, err error) (happening, bool) {
			l.infos.sent = nil
			switch {
			case err != nil:
				c.log.Info().Err(err).Stringer("to", l.side).Msg("a digit by INFO")
			case res.StatusCode >= 300:
				c.log.Info().Int("status", res.StatusCode).Stringer("to", l.side).Msg("a digit by INFO is refused")
			}
			c.nextInfo(l)
			return happening{}, false
		})
}

// dropInfos gives up the digits that are not answered yet, at the end of the
// call.
func (c *call) dropInfos() {
	for _, l := range c.allLegs() {
		l.infos.waiting = nil
		if l.infos.sent != nil {
			c.drop(l.infos.sent)
			l.infos.sent = nil
		}
	}
}
