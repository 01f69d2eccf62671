package health

import (
	"sync/atomic"
	"time"
)

// Pulse finds out whether something that should always move does: by asking it
// now and then, and noting when it answered.
type Pulse struct {
	touch func()
	most  time.Duration
	asked atomic.Int64 // ns since 1970; 0: nobody waits for an answer
}

// NewPulse makes a pulse. touch returns once what is asked has moved, which may
// be never; most is how long that may take.
func NewPulse(most time.Duration, touch func()) *Pulse { return &Pulse{touch: touch, most: most} }

// Still tells for how long the last question has been waiting, if that is
// longer than it may; else it asks again. It does not wait.
func (p *Pulse) Still() (time.Duration, bool) {
	now := time.Now()
	if asked := p.asked.Load(); asked != 0 {
		waits := now.Sub(time.Unix(0, asked))
		return waits, waits > p.most
	}
	if p.asked.CompareAndSwap(0, now.UnixNano()) {
		go func() {
			p.touch()
			p.asked.Store(0)
		}()
	}
	return 0, false
}
