package sip

import "time"

// alarm tells a call by its inbox that a time has come. All but its timer's own
// goroutine is the call's.
type alarm struct {
	timer *time.Timer // nil: it is not set
	turn  int         // one that was set again or stopped is not heard
	then  func() (happening, bool)
}

// set has then called after d, in the call's goroutine; what was set before is
// forgotten.
func (a *alarm) set(q *inbox, d time.Duration, then func() (happening, bool)) {
	a.stop()
	turn := a.turn
	a.then = then
	a.timer = time.AfterFunc(d, func() { q.owe(input{what: inAlarm, alarm: a, turn: turn}) })
}

func (a *alarm) on() bool { return a.timer != nil }

func (a *alarm) stop() {
	a.turn++
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// rings takes the input of an alarm.
func (a *alarm) rings(turn int) (happening, bool) {
	if turn != a.turn {
		return happening{}, false
	}
	a.timer = nil
	return a.then()
}
