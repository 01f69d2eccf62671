package routing

import (
	"fmt"
	"time"
)

// Limits bound what an account, and one X, may do over all nodes before it is
// taken for toll fraud. The zero Limits bound nothing.
type Limits struct {
	Account Limit
	X       Limit
	Night   Night
}

// Limit is that of one account or X. Zero fields do not bound.
type Limit struct {
	Calls      int           // put through at a time
	NightCalls int           // the same at night; Calls holds beside it
	Rate       int           // put through within a minute of the clock
	Talk       time.Duration // of all calls together within a day
}

// None tells whether nothing is bound.
func (l Limit) None() bool { return l == Limit{} }

// Use is what an account or X has used when one more call comes.
type Use struct {
	Calls int           // up now
	Begun int           // in this minute
	Talk  time.Duration // of this day
}

// Excess names the limit for which a call is not put through.
type Excess int

// The excesses. The zero value is none.
const (
	Within Excess = iota
	AccountNight
	AccountTalk
	AccountCalls
	AccountRate
	XNight
	XTalk
	XCalls
	XRate
)

// Excess tells which limit one more call at that instant would be beyond: the
// account's before that of X, and what lasts longer before what passes soon.
func (l *Limits) Excess(at time.Time, account, x Use) Excess {
	night := l.Night.Has(at)
	if e := l.Account.excess(night, account); e != Within {
		return e
	}
	if e := l.X.excess(night, x); e != Within {
		return e + XNight - AccountNight
	}
	return Within
}

// excess is in the words of the account.
func (l *Limit) excess(night bool, u Use) Excess {
	switch {
	case l.Talk > 0 && u.Talk >= l.Talk:
		return AccountTalk
	case night && l.NightCalls > 0 && u.Calls >= l.NightCalls:
		return AccountNight
	case l.Calls > 0 && u.Calls >= l.Calls:
		return AccountCalls
	case l.Rate > 0 && u.Begun >= l.Rate:
		return AccountRate
	}
	return Within
}

// end is how the call ends, and why in words.
func (e Excess) end(sp string, x X) (End, string) {
	account, number := "the account "+sp, string(x)
	switch e {
	case AccountTalk:
		return EndTalkSpent, account + " has talked as long as it may today"
	case AccountNight:
		return EndNight, account + " has as many calls as it may have at night"
	case AccountCalls:
		return EndAccountCalls, account + " has as many calls as it may have at a time"
	case AccountRate:
		return EndAccountRate, account + " has begun as many calls as it may in a minute"
	case XTalk:
		return EndTalkSpent, number + " has talked as long as it may today"
	case XNight:
		return EndNight, number + " has as many calls as it may have at night"
	case XCalls:
		return EndXCalls, number + " has as many calls as it may have at a time"
	case XRate:
		return EndXRate, number + " has begun as many calls as it may in a minute"
	}
	return EndFault, fmt.Sprintf("%s: there is no limit of number %d", number, int(e))
}

// String is the word of the end.
func (e Excess) String() string {
	if e == Within {
		return "none"
	}
	end, _ := e.end("", "")
	return end.Word
}

// Night is a part of every day in the time of a zone, which also says when
// days begin. From and To are the time since midnight by the clock on the wall,
// below 24 hours; a night that begins in the evening ends the next morning. If
// both are equal there is none.
type Night struct {
	From, To time.Duration
	Zone     *time.Location // nil: UTC
}

// Has tells whether it is night.
func (n *Night) Has(at time.Time) bool {
	if n.From == n.To {
		return false
	}
	hour, minute, second := at.In(n.zone()).Clock()
	since := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	if n.From < n.To {
		return since >= n.From && since < n.To
	}
	return since >= n.From || since < n.To
}

// Day is the number of a day in the zone: the next day has the next number.
func (n *Night) Day(at time.Time) int64 {
	year, month, day := at.In(n.zone()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// Left is how long the day goes on.
func (n *Night) Left(at time.Time) time.Duration {
	year, month, day := at.In(n.zone()).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, n.zone()).Sub(at)
}

func (n *Night) zone() *time.Location {
	if n.Zone == nil {
		return time.UTC
	}
	return n.Zone
}
