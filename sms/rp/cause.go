package rp

import (
	"errors"
	"fmt"
)

// Cause is RP-Cause (TS 24.011 8.2.5.4), 1 to 127.
type Cause byte

// The causes that we tell or have to tell apart.
const (
	UnassignedNumber    Cause = 1
	OperatorBarring     Cause = 8
	CallBarred          Cause = 10
	Rejected            Cause = 21 // short message transfer rejected
	MemoryFull          Cause = 22
	OutOfOrder          Cause = 27 // the destination
	UnidentifiedSender  Cause = 28
	FacilityRejected    Cause = 29
	UnknownSubscriber   Cause = 30
	NetworkOutOfOrder   Cause = 38
	TemporaryFailure    Cause = 41
	Congestion          Cause = 42
	NoResources         Cause = 47
	NotSubscribed       Cause = 50
	NotImplemented      Cause = 69
	InvalidReference    Cause = 81
	SemanticallyWrong   Cause = 95
	InvalidMandatory    Cause = 96
	UnknownType         Cause = 97
	WrongState          Cause = 98
	UnknownElement      Cause = 99
	Unspecified         Cause = 111 // protocol error
	InterworkingFailure Cause = 127
)

var causes = map[Cause]string{
	UnassignedNumber: "unassigned number", OperatorBarring: "operator determined barring", CallBarred: "call barred",
	Rejected: "transfer rejected", MemoryFull: "memory capacity exceeded", OutOfOrder: "destination out of order",
	UnidentifiedSender: "unidentified subscriber", FacilityRejected: "facility rejected", UnknownSubscriber: "unknown subscriber",
	NetworkOutOfOrder: "network out of order", TemporaryFailure: "temporary failure", Congestion: "congestion",
	NoResources: "resources unavailable", NotSubscribed: "facility not subscribed", NotImplemented: "facility not implemented",
	InvalidReference: "invalid reference", SemanticallyWrong: "semantically incorrect", InvalidMandatory: "invalid mandatory information",
	UnknownType: "message type unknown", WrongState: "message not compatible with state", UnknownElement: "information element unknown",
	Unspecified: "protocol error", InterworkingFailure: "interworking",
}

// String is the cause for operators: "41 temporary failure".
func (c Cause) String() string {
	if name, ok := causes[c]; ok {
		return fmt.Sprintf("%d %s", byte(c), name)
	}
	return fmt.Sprint(byte(c))
}

// Temporary tells whether another try may help (Annex E).
func (c Cause) Temporary() bool {
	switch c {
	case MemoryFull, OutOfOrder, NetworkOutOfOrder, TemporaryFailure, Congestion, NoResources:
		return true
	}
	return false
}

// Failure is TP-Failure-Cause (TS 23.040 9.2.3.22), 0 for none.
type Failure byte

// The failure causes that we tell or have to tell apart.
const (
	AlphabetUnknown Failure = 0x90 // and compressed texts
	TPDUUnsupported Failure = 0xB0
	Duplicate       Failure = 0xC5
	MemoryExceeded  Failure = 0xD3

	scBusy    Failure = 0xC0
	scFailure Failure = 0xC2
	simFull   Failure = 0xD0
)

// Fault is why a message or a TPDU cannot be used.
type Fault struct {
	MR      byte  // of an RP message
	From    Side  // who tells it
	Silent  bool  // the standard has it left without an answer
	Cause   Cause // to be told
	Failure Failure
	reason  string
}

func (f *Fault) Error() string { return f.reason }

// Answer is what the side that read the message tells the other; ok is false
// where nothing is to be told.
func (f *Fault) Answer() (e Error, ok bool) {
	return Error{From: f.From, MR: f.MR, Cause: f.Cause}, !f.Silent
}

// broken is the fault of a message whose octets do not fit its format.
func broken(what string) *Fault {
	return &Fault{Cause: InvalidMandatory, reason: what + " does not fit the message"}
}

// unusable is the fault of a TPDU that is not for us.
func unusable(f Failure, reason string) *Fault {
	return &Fault{Cause: Unspecified, Failure: f, reason: reason}
}

func faultOf(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Cause: Unspecified, reason: err.Error()}
}
