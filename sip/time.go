package sip

import "time"

// now is the time of day by the clock of the machine that the call came to first, as it
// was then, and what has passed since: neither a clock that is set in the middle of a
// call nor a node that goes on with it makes it longer or shorter.
func (c *call) now() time.Time { return c.there(c.began.Add(time.Since(c.began))) }

// there is an instant of this machine's clock as the call has it.
func (c *call) there(t time.Time) time.Time { return t.Add(-c.resumed.ahead) }

// here is an instant of the call by this machine's clock.
func (c *call) here(t time.Time) time.Time { return t.Add(c.resumed.ahead) }

// ahead is by how much the wall clock of here and now is ahead of the call's.
func (c *call) ahead() time.Duration {
	return time.Now().Round(0).Sub(c.now().Round(0)).Round(time.Millisecond)
}
