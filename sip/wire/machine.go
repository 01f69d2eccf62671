package wire

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// The machine of an accepted INVITE is ended by hand, and its timer M cannot
// be stopped: the shortest one keeps the least memory. sipgo reads its timers
// from package variables, so this is set before anything runs.
func init() { sip.Timer_M = time.Millisecond }
