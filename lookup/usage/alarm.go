package usage

import (
	"time"

	"axgate/routing"
)

// Jump says when calls per minute of an account or X are far above what is
// usual with it.
type Jump struct {
	Factor int // times what was usual; 0: no alarm
	Floor  int // calls a minute below which nothing is a jump
}

const (
	learning  = 10 * time.Minute // after the start nothing is usual yet
	sameAlarm = 10 * time.Minute // between two alarms of one subject
	alarmStep = 10 * time.Second // between two lines of the log
)

// Counts are numbers of a node since its start.
type Counts struct {
	Refused uint64 // calls beyond a limit
	Jumps   uint64 // of calls per minute of an account or X, far above what was usual
}

// alarms is what the log is told of, and of how much it was not.
type alarms struct {
	Counts
	said   time.Time
	unsaid int // alarms that had no line of their own
}

// Counts tells what this node has refused and noticed.
func (b *Book) Counts() Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alarms.Counts
}

// refused notes a call beyond a limit.
func (b *Book) refused(s *subject, e routing.Excess, now time.Time) {
	b.alarms.Refused++
	if now.Before(s.reachedQuiet) {
		return
	}
	s.reachedQuiet = now.Add(sameAlarm)
	b.alarm(s, now, "an account or number has reached a limit: its calls are refused", e.String())
}

// jumped notes it if the call that has just begun makes a jump.
func (b *Book) jumped(s *subject, now time.Time) {
	j := &b.cfg.Jump
	n := s.rate()
	if j.Factor == 0 || n <= j.Floor || float64(n) <= float64(j.Factor)*s.average || now.Before(s.jumpQuiet) || now.Sub(b.start) < b.cfg.learn {
		return
	}
	s.jumpQuiet = now.Add(sameAlarm)
	b.alarms.Jumps++
	b.alarm(s, now, "calls of an account or number jump: it may be toll fraud", "")
}

// alarm writes a line, or counts it for the next one: a fraud with many numbers
// must not flood the log.
func (b *Book) alarm(s *subject, now time.Time, what, limit string) {
	if now.Sub(b.alarms.said) < alarmStep {
		b.alarms.unsaid++
		return
	}
	line := b.cfg.Log.Warn().Str(s.kind.String(), s.name).Int("calls", s.use(now).Calls).Int("in_this_minute", s.rate()).Float64("usual", s.average)
	if limit != "" {
		line = line.Str("limit", limit)
	}
	if b.alarms.unsaid > 0 {
		line = line.Int("others", b.alarms.unsaid)
	}
	line.Msg(what)
	b.alarms.said, b.alarms.unsaid = now, 0
}
