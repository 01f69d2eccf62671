package trunk

import (
	"fmt"
	"time"
)

// Early is how a call over a trunk goes until it is answered.
type Early struct {
	// Reliable says whether provisional responses are acknowledged (RFC 3262).
	Reliable Reliable
	// NoMedia: there is no audio before the answer on calls from the trunk. It
	// rings there with its own tone, and who is refused is answered for the
	// prompt and then hung up.
	NoMedia bool
	// CutPrompt: early media of the trunk ends the pre-call prompt; else that
	// plays to its end.
	CutPrompt bool
	// RingbackWait is how long SDP of the trunk without audio is waited with
	// before our own ring-back; 0: that of the node.
	RingbackWait time.Duration
	// Header: P-Early-Media (RFC 5009) is sent. What the trunk sends is obeyed
	// anyway.
	Header bool
	// Digits: callers of the trunk are asked for their extension before they are
	// answered.
	Digits bool
}

// Reliable is what is done about reliable provisional responses.
type Reliable string

// The choices. ReliableSupported, also if empty, uses them with peers that can;
// ReliableRequired has the trunk that is called send no others.
const (
	ReliableOff       Reliable = "off"
	ReliableSupported Reliable = "supported"
	ReliableRequired  Reliable = "required"
)

// maxRingbackWait is the longest that a caller may hear nothing.
const maxRingbackWait = 30 * time.Second

func (e *Early) complete() error {
	switch e.Reliable {
	case "":
		e.Reliable = ReliableSupported
	case ReliableOff, ReliableSupported, ReliableRequired:
	default:
		return fmt.Errorf("reliable_1xx %.20q: use off, supported or required", string(e.Reliable))
	}
	if e.RingbackWait < 0 || e.RingbackWait > maxRingbackWait {
		return fmt.Errorf("ringback_wait %v: use at most %v", e.RingbackWait, maxRingbackWait)
	}
	return nil
}
