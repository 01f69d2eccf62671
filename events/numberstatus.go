package events

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// NumberStatus is what customers are told of an X number (section 5).
type NumberStatus struct {
	Status string // a value of status
	Cause  string // a value of cause, only with NumberUnavailable; may be empty
}

// The values of status, and those of cause that we give by ourselves.
const (
	NumberNormal      = "5"
	NumberSuspended   = "9"
	NumberUnavailable = "10"
	NumberBindFrozen  = "11"

	CauseDeleted = "1"
	CauseStopped = "3" // its service is stopped
)

// NumberCause tells whether a text is a value of cause.
func NumberCause(cause string) bool {
	switch cause {
	case "1", "2", "3", "5", "6", "7", "8", "9":
		return true
	}
	return false
}

// numInfo is a number in a push of statuses.
type numInfo struct {
	Number string `json:"number"`
	Status string `json:"status"`
	Cause  string `json:"cause,omitempty"`
}

// NewNumberEvent makes the event of a change of an X number's status. seq is
// its place among the changes of this X; there may be gaps.
func NewNumberEvent(app string, seq int, x string, is NumberStatus, at time.Time) Event {
	info := numInfo{Number: x, Status: is.Status}
	if is.Status == NumberUnavailable {
		info.Cause = is.Cause
	}
	return Event{Session: NumberSession(app, x), Seq: seq, App: app, Kind: NumStatus, At: at, Body: encode(info)}
}

// NumberSession is what the events of an X have in the place of a session.
// Those for another app than before are another's: a dead server of the old
// owner does not hold up the new one.
func NumberSession(app, x string) string { return "number/" + x + "/" + app }

// mostNumbers is how many numbers one message holds.
const mostNumbers = 100

// numberMessage is the body of the push of some numbers' statuses.
func numberMessage(list []numInfo) []byte {
	return encode(struct {
		EventType Kind      `json:"eventType"`
		NumInfo   []numInfo `json:"numInfo"`
	}{NumStatus, list})
}

// pushNumbers pushes statuses of numbers, many in one message. A number is in a
// message once: what comes next of it waits until that was taken.
func (p *Pusher) pushNumbers(ctx context.Context, r *Receiver, events []Claimed, e *ended) {
	for len(events) > 0 {
		start := p.cfg.Now()
		if ctx.Err() != nil || !p.cfg.Holds() || start.Add(p.cfg.Timeout).After(events[0].Lease) {
			p.giveBack(events, start)
			return
		}
		var first, later []Claimed
		var list []numInfo
		here := map[string]bool{}
		for _, c := range events {
			var info numInfo
			switch err := json.Unmarshal(c.Body, &info); {
			case r.Number == "":
				p.drop(c, noAddress)
			case err != nil:
				p.drop(c, fmt.Sprintf("the stored body: %v", err))
			case here[c.Session] || len(first) == mostNumbers:
				later = append(later, c)
			default:
				here[c.Session] = true
				first, list = append(first, c), append(list, info)
			}
		}
		if len(first) == 0 {
			return
		}
		err := p.post(context.WithoutCancel(ctx), r.Number, r, first[0].App, numberMessage(list))
		events = p.afterNumbers(first, later, start, err, e)
	}
}

// afterNumbers reports an attempt, and gives those that can be pushed next:
// behind a failed one of a number the others wait.
func (p *Pusher) afterNumbers(first, later []Claimed, start time.Time, err error, e *ended) (next []Claimed) {
	held := map[string]time.Time{}
	for _, c := range first {
		if due := p.report(c, start, err, e); !due.IsZero() {
			held[c.Session] = due
		}
	}
	for _, c := range later {
		if due, ok := held[c.Session]; ok {
			p.giveBack([]Claimed{c}, due)
		} else {
			next = append(next, c)
		}
	}
	return next
}
