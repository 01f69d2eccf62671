package sip

import "time"

// doublings bounds the wait after a wrong extension, to eight times the first.
const doublings = 3

// wrongWait is how long a caller waits after its n-th wrong extension: not after
// the first, which anybody may type, and ever longer then.
func wrongWait(step time.Duration, n int) time.Duration {
	if n < 2 {
		return 0
	}
	return step << min(n-2, doublings)
}

// dawdle makes a caller wait who typed wrong extensions. Keys that are pressed
// meanwhile count for nothing. The happening is of kind timeUp, or tells of a
// caller who left.
func (c *call) dawdle(wrong int) happening {
	wait := wrongWait(c.srv.cfg.WrongDelay, wrong)
	if wait == 0 {
		return happening{kind: timeUp}
	}
	pause := time.NewTimer(wait)
	defer pause.Stop()
	for {
		switch h := c.next(pause.C); h.kind {
		case timeUp, left, lost, ordered, silent:
			return h
		}
	}
}
