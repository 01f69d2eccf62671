package ledger

import "time"

// reading is what the ledger's clock showed at an instant of this process.
type reading struct {
	us int64 // since 1970
	at time.Time
}

// Now is the time by the ledger's clock, which all nodes have in common, as far as it
// was heard of (Marks): a clock of this machine that is set meanwhile changes
// nothing. Before that it is this machine's.
func (l *Ledger) Now() time.Time {
	r := l.clocked.Load()
	if r == nil {
		return time.Now()
	}
	return instant(r.us).Add(time.Since(r.at))
}
