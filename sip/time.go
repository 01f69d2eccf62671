package sip

import "time"

// now is the time of day as it was when the call came to this node, and what has
// passed since: a clock that is set in the middle of a call makes it neither longer
// nor shorter.
func (c *call) now() time.Time { return c.began.Add(time.Since(c.began)) }
