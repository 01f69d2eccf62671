package sip

import (
	"sync"
	"time"

	"axgate/routing"
)

// endForwarded is the end of a call that its callee forwarded back to X.
var endForwarded = routing.End{Word: endLoop.Word, StateCode: routing.EndCalleeBarred.StateCode, FailReason: routing.EndCalleeBarred.FailReason,
	SIP: endLoop.SIP, Cause: endLoop.Cause}

// forwardTime is how long after a callee was called another call of the same
// people may be one that it forwards back.
const forwardTime = 30 * time.Second

// loops knows the calls that are up by who sees and calls whom, so that those of
// ours that come back are known (interoperability rules, section 5). There are
// at most two entries for each call.
type loops struct {
	mu      sync.Mutex
	shown   map[shownPair]int          // calls under way from X to a number, as the world sees them
	ringing map[ringingPair]*time.Time // when a callee was called that has not answered
}

// shownPair is a call as others see it: X calls somebody.
type shownPair struct {
	x      routing.X
	callee routing.Number
}

// ringingPair is a call as its caller sees it, and whom it reaches.
type ringingPair struct {
	caller routing.Number
	x      routing.X
	callee routing.Number
}

// looped is what a call has in the table; the zero one has nothing.
type looped struct {
	shown   shownPair
	ringing ringingPair
	since   *time.Time // nil: it is answered, or has no known caller
}

// ours tells whether a call is one of ours that came back: its caller is an X
// that is shown, just now, to the X which it calls.
func (l *loops) ours(q routing.Question) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shown[shownPair{routing.X(q.Caller), routing.Number(q.X)}] > 0
}

// enter notes that the callee of a call is about to be called. false: another
// call of the same people has just called it, and is not answered.
func (l *loops) enter(q routing.Question, d routing.Decision, now time.Time) (looped, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shown == nil {
		l.shown, l.ringing = map[shownPair]int{}, map[ringingPair]*time.Time{}
	}
	in := looped{shown: shownPair{d.Shown, d.Callee}, ringing: ringingPair{q.Caller, q.X, d.Callee}}
	if q.Caller != "" {
		if since := l.ringing[in.ringing]; since != nil && now.Sub(*since) < forwardTime {
			return looped{}, false
		}
		in.since = &now
		l.ringing[in.ringing] = in.since
	}
	l.shown[in.shown]++
	return in, true
}

// answered notes that the callee answered, or will not: who calls it now is no
// forwarding.
func (l *loops) answered(in *looped) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopRinging(in)
}

func (l *loops) stopRinging(in *looped) {
	if in.since != nil && l.ringing[in.ringing] == in.since { // a later call may have it
		delete(l.ringing, in.ringing)
	}
	in.since = nil
}

// leave forgets a call that is over.
func (l *loops) leave(in *looped) {
	if in.shown == (shownPair{}) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopRinging(in)
	if l.shown[in.shown]--; l.shown[in.shown] <= 0 {
		delete(l.shown, in.shown)
	}
	*in = looped{}
}
