package roster

import "time"

// Instant is one by the clock of the machine, which may be set, and by how long the
// process has run, which stands still while the machine sleeps.
type Instant struct {
	Clock time.Time     // without the latter
	run   time.Duration // since the process began
}

var started = time.Now()

// Now is this instant.
func Now() Instant {
	now := time.Now()
	return Instant{now.Round(0), now.Sub(started)}
}

// Age is how long ago an instant was: the longer by both.
func (i Instant) Age() time.Duration {
	now := Now()
	return max(now.Clock.Sub(i.Clock), now.run-i.run)
}

// Ago is the instant so long ago.
func Ago(d time.Duration) Instant {
	i := Now()
	return Instant{i.Clock.Add(-d), i.run - d}
}

// Before tells which of two instants came first, by how long the process had run.
func (i Instant) Before(j Instant) bool { return i.run < j.run }
