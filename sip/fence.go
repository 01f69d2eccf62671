package sip

import (
	"sync"
	"time"
)

const (
	// fenceStep is the pause between two looks at whether this node is itself, and
	// between those of a call that waits for it.
	fenceStep = 50 * time.Millisecond
	// fenceGap is a pause so long that the process stood still.
	fenceGap = 500 * time.Millisecond
	// fencePatience is how long calls wait after the process stood still, or was not
	// heard of any more: by then it knows if others have declared it dead. If the
	// ledger is away it does not, and nobody has.
	fencePatience = 3 * time.Second
)

// fence keeps a process that stood still from acting for its calls before it knows
// whether others do.
type fence struct {
	holds func() bool
	// stands: only one that stood still waits. Where calls do not survive their node, nobody
	// goes on with them, and a ledger that is away is to hold up none.
	stands bool

	mu     sync.Mutex
	looked time.Time
	unsure time.Time // since when; zero: it is sure
}

// passes tells whether calls may go on at an instant.
func (f *fence) passes(now time.Time) bool {
	if f.holds == nil {
		return true
	}
	sure := f.holds()
	f.mu.Lock()
	defer f.mu.Unlock()
	stood := !f.looked.IsZero() && since(f.looked, now) > fenceGap
	f.looked = now
	switch {
	case sure:
		f.unsure = time.Time{}
		return true
	case stood, f.unsure.IsZero() && !f.stands:
		f.unsure = now
	case f.unsure.IsZero():
		return true
	}
	return now.Sub(f.unsure) > fencePatience
}

// since is the time between two looks: the longer by the machine's clock, which goes on
// while the machine sleeps, and by how long the process has run, which nobody sets.
func since(before, now time.Time) time.Duration {
	return max(now.Sub(before), now.Round(0).Sub(before.Round(0)))
}

// holds waits until this node may act for the call; false: the call was let go of.
func (c *call) holds() bool {
	for !c.letGo.Load() {
		if f := &c.srv.fence; f.holds == nil || f.holds() || f.passes(time.Now()) {
			return !c.letGo.Load()
		}
		time.Sleep(fenceStep / 5)
	}
	return false
}
