// Package sms is the office of texts through X (section 7 of the behaviour
// specification; MESSAGE is RFC 3428). A text that a carrier brings is on the
// disk before the carrier is told that it was taken; from there it is decided
// about anew at each try, sent to the other party showing X, and told of to
// the customer's server, whatever node of the system is alive. This file has
// what carriers, of SIP or not, have to know.
package sms

import (
	"context"
	"time"

	"axgate/routing"
)

// Incoming is a text to X, or one part of a long one, as a carrier brought it.
type Incoming struct {
	Source string // the trunk, gateway, or "phone"
	// Key names this text among all that ever came; what comes again with the
	// same key is a repetition. At most 64 characters.
	Key    string
	Twin   Twin
	X      routing.X
	Sender routing.Number // empty: not known
	Text   string         // UTF-8
	Part   *Part          // nil: the text is whole
	At     time.Time      // by the office's clock; zero: it came just now
}

// Twin tells a text that its sender's network sends again under another Key,
// which it does within some minutes.
type Twin struct {
	Mark string // the same each time; at most 64 characters; empty: it is not known
	// New: by its sender's word it never came before. It is kept whatever has
	// its Mark, and what comes with that later is a repetition of this one.
	New bool
}

// Part tells which part of a long text this is (3GPP TS 23.040 9.2.3.24.1).
type Part struct {
	Ref   int // the same in all parts
	Seq   int // from 1
	Total int // 2 to 255
}

// Outcome is what a carrier has to tell whoever brought a text.
type Outcome int

// The outcomes.
const (
	Taken    Outcome = iota // it is on the disk: 202
	Repeated                // it was taken before: 202
	Refused                 // the rules do not let it pass, and that is on the disk: 403
	Unknown                 // X is not ours: 404
	Limited                 // too many of the sender or to X: 480, try later; nothing was kept
	Busy                    // too many of anybody at this moment: 503, try later; nothing was kept
	TooLong                 // it has too many parts: 413; nothing was kept
)

// Receipt is what became of an Incoming at once.
type Receipt struct {
	ID      string // smsIdentifier; empty if nothing was kept
	Outcome Outcome
	Result  routing.SendResult // Refused
	After   time.Duration      // Limited, Busy: when to try again
}

// Outgoing is one piece of a text that goes to a phone. A piece that is tried
// again has the same ID and Piece, so that whoever has got it can tell.
type Outgoing struct {
	ID       string // of the text
	X        routing.X
	Receiver routing.Number
	Text     string    // the whole text; Piece tells which of the carrier's pieces is meant
	Piece    int       // from 0
	Pieces   int       // what Carrier.Pieces gave
	Try      int       // 0: it was never tried by anybody
	Fails    int       // tries of this piece whose end is known; what is sent is the same until there is one more
	At       time.Time // when the text came
}

// Carrier brings texts to phones.
type Carrier interface {
	// Name is the trunk's, the gateway's, or "phone".
	Name() string
	// Reaches tells whether texts to this number go by this carrier.
	Reaches(n routing.Number) bool
	// Pieces is in how many pieces the carrier sends a text, at least 1; it is
	// always the same for the same text.
	Pieces(text string) int
	// Send brings one piece to the phone or to the network that keeps it. An
	// error is a *Failure, or it is temporary and nobody knows.
	Send(ctx context.Context, o Outgoing) error
}

// Failure is why a piece was not sent.
type Failure struct {
	Status    int    // of SIP or HTTP; 0: none
	Reason    string // for operators: no real numbers
	Temporary bool   // another try, or another carrier, may help
}

func (f *Failure) Error() string { return f.Reason }
