package usage

import (
	"math"
	"time"

	"axgate/routing"
	"axgate/store"
)

// kind says what a subject is.
type kind int

const (
	account kind = iota
	number
)

func (k kind) String() string {
	if k == account {
		return "account"
	}
	return "x"
}

// kindOf tells whose limit it is.
func kindOf(e routing.Excess) kind {
	if e >= routing.XNight {
		return number
	}
	return account
}

// subject is the use of one account or X.
type subject struct {
	kind   kind
	name   string // spId, or X
	key    string // in Redis
	owner  string // of this node's share there; a subject that was forgotten comes back with another one
	limit  *routing.Limit
	night  *routing.Night
	shared bool // with the other nodes

	at      time.Time // all below is as of then
	calls   int
	talking int // of these
	minute  int64
	begun   int
	day     int64
	talk    time.Duration

	others  store.Use
	heard   time.Time // of them last
	changed bool      // since the others were told
	told    time.Time

	average                 float64   // of calls begun in a minute, over the last hour or so; the current one is not in it
	jumpQuiet, reachedQuiet time.Time // no alarm of the kind before then
}

// remembers is over how many minutes calls are averaged.
const remembers = 60

// roll brings a subject up to date: talk goes on, and minutes and days begin.
func (s *subject) roll(now time.Time) {
	if since := now.Sub(s.at); since > 0 {
		s.talk += time.Duration(s.talking) * since
	}
	s.at = now
	if minute := now.Unix() / 60; minute != s.minute {
		if s.minute != 0 && minute > s.minute {
			s.average += (float64(s.rate()) - s.average) / remembers
			s.average *= math.Pow(1-1.0/remembers, float64(minute-s.minute-1))
		}
		s.minute, s.begun, s.others.Begun = minute, 0, 0
	}
	if day := s.night.Day(now); day != s.day {
		s.day, s.talk, s.others.Talk = day, 0, 0
	}
}

// rate is how many calls began in this minute, on all nodes as far as is known.
func (s *subject) rate() int { return s.begun + s.others.Begun }

// use is that of all nodes; s is up to date, or nil.
func (s *subject) use(now time.Time) routing.Use {
	if s == nil {
		return routing.Use{}
	}
	u := routing.Use{Calls: s.calls, Begun: s.rate(), Talk: s.talk + s.others.Talk}
	if now.Sub(s.heard) < lease { // else the nodes that had them may be gone
		u.Calls += s.others.Calls
	}
	return u
}

// void tells whether nothing is lost if a subject without calls is forgotten.
func (s *subject) void() bool {
	return s.calls == 0 && s.begun == 0 && s.average < 1 && (s.limit.Talk == 0 || s.talk+s.others.Talk == 0)
}

// keep is how long its share in Redis is of any use.
func (s *subject) keep() time.Duration {
	const minutes = 2 * time.Minute
	if s.limit.Talk == 0 {
		return minutes + lease
	}
	return s.night.Left(s.at) + minutes
}
