package events

import "time"

// Entry is one write of a node's journal: the state of a call as of its last
// event, with its events, or what became of a question.
type Entry struct {
	Call   Call     `json:"call,omitzero"`
	Events []Event  `json:"events,omitempty"`
	Asked  *Inquiry `json:"asked,omitempty"`
}

// Session is whose entry it is.
func (e *Entry) Session() string {
	if e.Asked != nil {
		return e.Asked.Session
	}
	return e.Call.Session
}

// Inquiry is what became of an event that was a question (Event.Question).
type Inquiry struct {
	Session string
	Seq     int
	At      time.Time // when it was asked
	Done    time.Time // when the answer was there; zero: there was none
	Failure string    // why not
}
