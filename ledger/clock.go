package ledger

import "time"

// reading is what the ledger's clock showed at an instant of this process.
type reading struct{ told, at time.Time }

// Now is the instant by the ledger's clock, as far as this node has heard (Beat): what
// several nodes agree on, when the clocks of their machines do not. One that is set
// since then changes nothing.
func (l *Ledger) Now() time.Time {
	r := l.clocked.Load()
	if r == nil {
		return time.Now()
	}
	return r.told.Add(time.Since(r.at))
}
