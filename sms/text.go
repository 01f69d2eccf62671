package sms

import (
	"context"
	"errors"
	"time"

	"axgate/events"
	"axgate/routing"
)

// Text is a text as the ledger keeps it. Until it is done it is either due, or
// held by the office that works on it.
type Text struct {
	ID     string // smsIdentifier
	Key    string // of the Incoming; empty if it came in parts
	Source string
	X      routing.X
	Sender routing.Number // empty: not known
	Text   string         // as it was written; once it is done only if its app keeps texts
	At     time.Time      // when it, or its first part, came
	Parts  int            // in how many it came; 0: it came whole
	Open   bool           // not all of its parts are there yet

	App string // app_key
	SP  string // account

	// What the rules said last.
	Taken     bool   // they were asked once: App, Binding and Receiver are what routing.Taken is made of
	Binding   string // subscriptionId
	Receiver  routing.Number
	Direction routing.Direction
	AreaCode  string
	UserData  string
	Split     int // splitNum

	Asked bool                  // the question to the app's server is its event 1
	Reply *routing.MessageReply // what the app's server said; nil: nothing yet

	// Carrier is whom it stays with: it has sent pieces, or it is not known
	// whether it has. Empty: any may have it.
	Carrier string
	Pieces  int // of the carrier
	Sent    int // of the pieces
	Tries   int // to send that were begun, over any carrier
	Fails   int // tries in a row that brought nothing

	Due   time.Time // when it is worked on next; while it is held, the end of the lease; zero: it is done
	Ahead bool      // later ones of its sender to X wait for it

	Result  routing.SendResult // Done is not zero
	Refused bool               // the rules did not let it pass when it came
	Done    time.Time
	Why     string // of the rules, for operators: no real numbers
	Failure string // of the last try, likewise
}

// ErrFull tells that as much waits for an X, or of a sender to X, as may.
var ErrFull = errors.New("too many texts wait")

// Bounds are what a text that comes is held to.
type Bounds struct {
	Waiting int           // texts to one X that are not done
	Open    int           // texts of one sender to X whose parts are not all there
	Twins   time.Duration // for how long a twin is one
}

// Store keeps texts. Several offices may share one.
type Store interface {
	// AddText stores a text with its events unless one with its key, or lately
	// with its twin, stands: that one is returned. ErrFull: too many wait.
	AddText(ctx context.Context, t *Text, twin Twin, b Bounds, evs ...events.Event) (before *Text, err error)
	// AddPart stores a part of a text. t is the text as it is if this is its
	// first part, with Open, the time of the part in At, and in Due the instant
	// up to which the others are waited for. With the last part the text is put
	// together: it is returned, and held until the lease ends.
	AddPart(ctx context.Context, t *Text, p NewPart, b Bounds, lease time.Time) (PartReceipt, error)
	// ClaimTexts takes texts that are due at now and holds them until the lease
	// ends. room says how many of an app are wanted. None is taken while an
	// earlier one of its sender to X is ahead of it. more tells that there is
	// more due than was asked for. What was taken before an error is returned
	// with it.
	ClaimTexts(ctx context.Context, now, lease time.Time, room func(app string) int) (taken []Text, more bool, err error)
	// SaveText stores the state of a text that is held, with events, and holds
	// it until due, or lets it be due then. Not held: the lease is somebody
	// else's by now, and nothing was stored.
	SaveText(ctx context.Context, t *Text, due time.Time, evs ...events.Event) (held bool, err error)
	// ForgetTwins forgets twins from before an instant, at most limit.
	ForgetTwins(ctx context.Context, before time.Time, limit int) (n int, err error)
}

// NewPart is a part that came.
type NewPart struct {
	Part
	Key  string
	Twin Twin
	Text string
	At   time.Time
}

// PartReceipt is what became of a part.
type PartReceipt struct {
	Text     Text // that it belongs to
	Repeated bool // it was there before
	Whole    bool // it was the last one: Text is put together and held
}
