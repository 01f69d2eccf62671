package carrier

import (
	"errors"
	"fmt"
	"time"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/tpdu"
)

// RelayType is the Content-Type of 3GPP texts.
const RelayType = "application/vnd.3gpp.sms"

// Relay is a message of the relay layer (3GPP TS 24.011 section 7.3).
type Relay struct {
	Kind  byte // its message type, Kind...
	Ref   byte
	Cause byte // of an error
	TPDU  []byte
}

// The message types: with the direction in the lowest bit.
const (
	DataFromPhone    = 0
	DataFromNetwork  = 1
	AckFromPhone     = 2
	AckFromNetwork   = 3
	ErrorFromPhone   = 4
	ErrorFromNetwork = 5
)

// Deliver makes the RP-DATA of a text that comes from a phone at a service
// centre, one for each segment, with references from ref on.
func Deliver(ref byte, center, from, text string) ([][]byte, error) {
	segments, err := sms.Encode([]byte(text), sms.AsDeliver, sms.From(from))
	if err != nil {
		return nil, fmt.Errorf("encode a text: %w", err)
	}
	var all [][]byte
	for i, s := range segments {
		s.SCTS = tpdu.Timestamp{Time: time.Now()}
		pdu, err := s.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("encode segment %d of a text: %w", i+1, err)
		}
		address := number(center)
		body := append([]byte{DataFromNetwork, ref + byte(i), byte(len(address))}, address...)
		body = append(body, 0, byte(len(pdu))) // no destination
		all = append(all, append(body, pdu...))
	}
	return all, nil
}

// number is an international number as an address of the relay layer.
func number(global string) []byte {
	out := []byte{0x91}
	digits := global[1:]
	if len(digits)%2 == 1 {
		digits += "?" // 0x3f: the low half is the filler
	}
	for i := 0; i < len(digits); i += 2 {
		out = append(out, digits[i]&0xf|digits[i+1]<<4)
	}
	return out
}

// Answer is an RP-ACK or RP-ERROR of the network for data of that reference.
func Answer(ref, cause byte) []byte {
	if cause == 0 {
		return []byte{AckFromNetwork, ref}
	}
	return []byte{ErrorFromNetwork, ref, 1, cause}
}

// ReadRelay reads a message of the relay layer.
func ReadRelay(body []byte) (Relay, error) {
	if len(body) < 2 {
		return Relay{}, errors.New("the relay message is cut")
	}
	r, rest := Relay{Kind: body[0], Ref: body[1]}, body[2:]
	switch {
	case r.Kind > ErrorFromNetwork:
		return Relay{}, fmt.Errorf("relay message type %d", r.Kind)
	case r.Kind >= ErrorFromPhone:
		if len(rest) < 2 || len(rest) < 1+int(rest[0]) {
			return Relay{}, errors.New("the cause is cut")
		}
		r.Cause = rest[1] & 0x7f
		return r, nil
	case r.Kind >= AckFromPhone:
		return r, nil
	}
	for range 2 { // originator, destination
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return Relay{}, errors.New("an address is cut")
		}
		rest = rest[1+int(rest[0]):]
	}
	if len(rest) == 0 || len(rest) != 1+int(rest[0]) {
		return Relay{}, errors.New("the user data has another length")
	}
	r.TPDU = rest[1:]
	return r, nil
}

// Submitted reads the text of SMS-SUBMITs, all the segments of one in their
// order, and to whom it goes.
func Submitted(pdus ...[]byte) (to, text string, err error) {
	var segments []*tpdu.TPDU
	for _, pdu := range pdus {
		s, err := sms.Unmarshal(pdu, sms.AsMO)
		if err != nil {
			return "", "", fmt.Errorf("decode an SMS-SUBMIT: %w", err)
		}
		segments, to = append(segments, s), s.DA.Number()
	}
	if !sms.IsCompleteMessage(segments) {
		return to, "", fmt.Errorf("%d segments are no whole text", len(pdus))
	}
	b, err := sms.Decode(segments)
	return to, string(b), err
}
