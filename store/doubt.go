package store

import "time"

const (
	// doubtPatience is for how long leases are not renewed while it is not known whether others
	// have declared this node dead. If the ledger is away it will not be known, and nobody has.
	doubtPatience = 3 * time.Second
	// doubtStep is the pause between two looks meanwhile, doubtGap one so long that the
	// process stood still.
	doubtStep = 50 * time.Millisecond
	doubtGap  = 500 * time.Millisecond
)

// doubt keeps a process that stood still from renewing marks of calls that others have gone on
// with, and may have ended: their places would be busy for another lease, and nobody
// talks there. It is tend's own.
type doubt struct {
	holds    func() bool   // nil: there are no others
	patience time.Duration // short enough that no lease runs out meanwhile

	since  time.Time // zero: there is none
	looked time.Time // last while there was
	owed   bool      // leases are to be renewed once it is over
}

// passes tells whether leases may be renewed at an instant.
func (d *doubt) passes(now time.Time) bool {
	if d.holds == nil || d.holds() {
		d.since = time.Time{}
		return true
	}
	if d.since.IsZero() || max(now.Sub(d.looked), now.Round(0).Sub(d.looked.Round(0))) > doubtGap {
		d.since = now
	}
	d.looked = now
	return now.Sub(d.since) >= d.patience
}

// next yields when it is to be looked again; nil: there is no doubt.
func (d *doubt) next() <-chan time.Time {
	if d.since.IsZero() {
		return nil
	}
	return time.After(doubtStep)
}
