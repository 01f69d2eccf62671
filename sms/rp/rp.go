// Package rp reads and writes what SIP MESSAGE carries as
// application/vnd.3gpp.sms (3GPP TS 24.341): the messages of the relay layer
// (TS 24.011 section 7.3) and in them the TPDUs of TS 23.040, of which we need
// SMS-DELIVER, SMS-SUBMIT and their reports.
//
// Whoever brings a text, a phone with SMS-SUBMIT or a network with SMS-DELIVER,
// sends Data and gets an Ack or an Error with the same reference:
//
//	m, err := rp.Parse(body)
//	d := m.(rp.Data)                  // From tells which of both it is
//	s, err := rp.ParseSubmit(d.TPDU)  // or rp.ParseDeliver
//	d.Ack(now)                        // or d.Refuse(err, now), d.RefuseFor(cause)
//
// All input is bounded by the length octets of the formats; what is not within
// them is a *Fault, which knows the cause that the standard wants to be told.
package rp

import (
	"fmt"
	"time"
)

// Side is who sends an RP message: both have their own message types.
type Side byte

// The sides.
const (
	Phone   Side = iota // mobile station to network
	Network             // network to mobile station
)

func (s Side) other() Side { return s ^ 1 }

// Message is a Data, Ack, Error or Memory.
type Message interface {
	// Reference is RP-Message Reference, by which an answer finds its Data.
	Reference() byte
	// Marshal is the message as the body of a MESSAGE. An error tells what of
	// it has no form: an address that is too long or no number, a TPDU of more
	// than 232 octets.
	Marshal() ([]byte, error)
}

// Data is RP-DATA (TS 24.011 7.3.1): a TPDU on its way.
type Data struct {
	From        Side
	MR          byte
	Originator  Address // the service centre, from the network only
	Destination Address // the service centre, from a phone only
	TPDU        []byte  // SMS-SUBMIT from a phone, SMS-DELIVER from the network; at most 232 octets
}

// Ack is RP-ACK (7.3.3): the other side has taken the Data of this reference.
type Ack struct {
	From Side
	MR   byte
	TPDU []byte // SMS-DELIVER-REPORT or SMS-SUBMIT-REPORT, may be empty
}

// Error is RP-ERROR (7.3.4): the other side has not taken the Data of this
// reference.
type Error struct {
	From  Side
	MR    byte
	Cause Cause
	TPDU  []byte // SMS-DELIVER-REPORT or SMS-SUBMIT-REPORT, may be empty
}

// Memory is RP-SMMA (7.3.2): a phone tells that it has room for texts again.
type Memory struct{ MR byte }

var (
	_ Message = Data{}
	_ Message = Ack{}
	_ Message = Error{}
	_ Message = Memory{}
)

// Reference is its RP-Message Reference.
func (d Data) Reference() byte { return d.MR }

// Reference is that of the Data it answers.
func (a Ack) Reference() byte { return a.MR }

// Reference is that of the Data it answers.
func (e Error) Reference() byte { return e.MR }

// Reference is its RP-Message Reference.
func (m Memory) Reference() byte { return m.MR }

// Ack is the answer that the TPDU was taken, with its report; at is when, and
// is told to phones only (TP-SCTS).
func (d Data) Ack(at time.Time) Ack {
	return Ack{From: d.From.other(), MR: d.MR, TPDU: report(d.From.other(), 0, at)}
}

// Refuse is the answer that the TPDU was not taken because of what a parser
// said of it: a *Fault, else the cause is Unspecified; at is as in Ack.
func (d Data) Refuse(err error, at time.Time) Error {
	f := faultOf(err)
	e := d.RefuseFor(f.Cause)
	if f.Failure != 0 {
		e.TPDU = report(e.From, f.Failure, at)
	}
	return e
}

// RefuseFor is the answer that the TPDU was not taken, and why.
func (d Data) RefuseFor(c Cause) Error {
	return Error{From: d.From.other(), MR: d.MR, Cause: c}
}

// Refuse is the answer that the network does not keep texts for a full phone:
// they are tried again in their own time (Annex E, cause 69).
func (m Memory) Refuse() Error {
	return Error{From: Network, MR: m.MR, Cause: NotImplemented}
}

// Message types (8.2.2); the lowest bit is the side.
const (
	typeData   = 0
	typeAck    = 2
	typeError  = 4
	typeMemory = 6
)

// userData is the identifier of RP-User Data where it is optional (8.2.5.3).
const userData = 0x41

// maxTPDU is the longest TPDU in RP-User Data (8.2.5.3).
const maxTPDU = 232

// Marshal is RP-DATA.
func (d Data) Marshal() ([]byte, error) {
	b := []byte{typeData | byte(d.From), d.MR}
	originator, destination := d.Originator, Address{}
	if d.From == Phone {
		originator, destination = Address{}, d.Destination
	}
	for _, a := range []Address{originator, destination} {
		v, err := a.relay()
		if err != nil {
			return nil, fmt.Errorf("address of the service centre: %w", err)
		}
		b = append(append(b, byte(len(v))), v...)
	}
	if len(d.TPDU) == 0 || len(d.TPDU) > maxTPDU {
		return nil, fmt.Errorf("a TPDU of %d octets", len(d.TPDU))
	}
	return append(append(b, byte(len(d.TPDU))), d.TPDU...), nil
}

// Marshal is RP-ACK.
func (a Ack) Marshal() ([]byte, error) {
	return withReport([]byte{typeAck | byte(a.From), a.MR}, a.TPDU)
}

// Marshal is RP-ERROR.
func (e Error) Marshal() ([]byte, error) {
	return withReport([]byte{typeError | byte(e.From), e.MR, 1, byte(e.Cause) & 0x7F}, e.TPDU)
}

// Marshal is RP-SMMA.
func (m Memory) Marshal() ([]byte, error) { return []byte{typeMemory, m.MR}, nil }

func withReport(b, tpdu []byte) ([]byte, error) {
	if len(tpdu) == 0 {
		return b, nil
	}
	if len(tpdu) > maxTPDU {
		return nil, fmt.Errorf("a TPDU of %d octets", len(tpdu))
	}
	return append(append(b, userData, byte(len(tpdu))), tpdu...), nil
}
