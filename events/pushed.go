package events

import "time"

// PushResult is how an attempt to push an event ended, in a word.
type PushResult string

// The results.
const (
	PushTaken   PushResult = "taken"    // the receiver took it
	PushFailed  PushResult = "failed"   // it did not; there will be another attempt
	PushGivenUp PushResult = "given_up" // it did not, and that was the last one
	PushDropped PushResult = "dropped"  // it cannot be pushed: there is no address for it, or it has no wire form
)

// Pushed is an attempt to push an event.
type Pushed struct {
	Event        *Event
	Result       PushResult
	Tries        int // this one included
	Began, Ended time.Time
	Failure      string // empty: it was taken
}
