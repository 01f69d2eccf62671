package sdp

import (
	"errors"
	"fmt"
)

// Security says whether a leg's media is SRTP with keys in SDP (SDES, RFC 4568).
type Security uint8

// What a side wants. Optional offers and takes keys and does without; as an
// offer it is RTP/AVP with keys, which peers that know none ignore (RFC 8643).
const (
	Off Security = iota
	Optional
	Required
)

// ErrReadable is a side that requires SRTP while its signalling can be read.
var ErrReadable = errors.New("SRTP is required, but its keys go over TLS only")

// String is the word of the configuration.
func (s Security) String() string {
	switch s {
	case Off:
		return "off"
	case Optional:
		return "optional"
	case Required:
		return "required"
	}
	return fmt.Sprintf("security %d", uint8(s))
}

// SecurityNamed reads the word of the configuration; an empty one is off.
func SecurityNamed(word string) (Security, error) {
	switch word {
	case "", "off":
		return Off, nil
	case "optional":
		return Optional, nil
	case "required":
		return Required, nil
	}
	return Off, fmt.Errorf("media security %.20q: use off, optional or required", word)
}

// Over is what a side may do over this signalling: who can read the keys can
// hear the talk, so without TLS there are none. An error is ErrReadable.
func (s Security) Over(tls bool) (Security, error) {
	switch {
	case tls || s == Off:
		return s, nil
	case s == Optional:
		return Off, nil
	}
	return Off, ErrReadable
}
