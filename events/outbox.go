package events

import (
	"context"
	"time"
)

// Target says which of an app's addresses an event is pushed to. Each has its
// own pushes under way, so that they do not wait for each other.
type Target string

// The targets. An event other than a fee event still waits for the earlier ones
// of its session, at whatever address.
const (
	ToCallIn Target = "callin"
	ToStatus Target = "status"
	ToFee    Target = "fee"
	ToNumber Target = "number"
	ToSMS    Target = "sms"
	// Asked is no address: what stands there was asked by an Asker.
	Asked Target = "asked"
)

// Target is where events of the kind are pushed to.
func (k Kind) Target() Target {
	switch k {
	case CallIn:
		return ToCallIn
	case Fee:
		return ToFee
	case NumStatus:
		return ToNumber
	case SMSNotice:
		return ToSMS
	case SMSBlock:
		return Asked
	}
	return ToStatus
}

// Lane is all that is pushed to one address of an app.
type Lane struct {
	App    string
	Target Target
}

// Claimed is an event that one pusher holds until its lease runs out.
type Claimed struct {
	Event
	Tries   int       // attempts so far that ended
	First   time.Time // when the first of them began; zero: there was none
	Failure string    // of the last attempt
	Lease   time.Time
}

// Lane is the lane of the event.
func (c *Claimed) Lane() Lane { return Lane{c.App, c.Kind.Target()} }

// Outcome is what became of a claimed event: its new Tries, First and Failure,
// and one of Done and Due, or neither if nothing more is to be done for it.
type Outcome struct {
	Claimed
	At   time.Time // now
	Done time.Time // when the receiver took it; zero: it did not
	Due  time.Time // when it is to be pushed next
}

// Receiver is where and how an app's events are pushed.
type Receiver struct {
	CallIn, Status, Fee, Number, SMS string // addresses; empty: nothing of that kind is pushed
	SMSControl                       string // who is asked about texts; empty: nobody
	Secret                           string
	AKSK                             bool // signed by AKSK instead of WSSE

	// Fields that are sent only on request.
	Duration, ReleasedBy, AreaCode, RecordURL bool
}

// Address is where events of a target go; empty: nowhere.
func (r *Receiver) Address(t Target) string {
	switch t {
	case ToCallIn:
		return r.CallIn
	case ToFee:
		return r.Fee
	case ToNumber:
		return r.Number
	case ToSMS:
		return r.SMS
	}
	return r.Status
}

// Outbox keeps the events that are owed. Several pushers may share one.
type Outbox interface {
	// Claim takes events that are due at now and holds them until the lease
	// ends; who does not tell an outcome by then loses them to the next Claim.
	// room says how much of a lane is wanted: fee events, or sessions of other
	// lanes, of which all due events come in their order, and none while an
	// earlier one of the session is owed. more tells that there is more due
	// than was asked for. What was taken before an error is returned with it.
	Claim(ctx context.Context, now, lease time.Time, room func(Lane) int) (taken []Claimed, more bool, err error)
	// Finish stores outcomes. Those whose lease somebody else has by now are
	// left out. An event that is done with lets the later ones of its session
	// be due.
	Finish(ctx context.Context, outcomes []Outcome) error
	// Receiver tells where an app's events go; nowhere if there is no such app.
	Receiver(ctx context.Context, app string) (Receiver, error)
	// Settings is a number that changes whenever a Receiver may have changed.
	Settings(ctx context.Context) (int64, error)
	// Wake tells that events were written that may be due.
	Wake() <-chan struct{}
}
