package events

import "time"

// The values of notifyMode (X mode, section 2.1): whether the platform waits
// for what the receiver says.
const (
	block  = "Block"
	notify = "Notify"
)

// NewQuestion makes the callin event by which the app's server is asked what to
// do with a call (X mode, callbacks appendix).
func NewQuestion(c Call, seq int, at time.Time) Event {
	info := statusInfo{SessionID: c.Session, Timestamp: text(at), Caller: c.Caller, Called: c.X, NotifyMode: block}
	return Event{Session: c.Session, Seq: seq, App: c.App, Kind: CallIn, At: at, Body: encode(info), Question: true}
}

// QuestionMessage is what the app's server is sent for an event that is a
// question.
func QuestionMessage(e *Event, r *Receiver) ([]byte, error) { return statusMessage(e, r) }
