package rp

import (
	"fmt"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"
)

// typeMask is TP-MTI in the first octet (TS 23.040 9.2.3.1), and what it says
// depends on who sends.
const (
	typeMask    = 3
	typeDeliver = 0 // from the network; SMS-DELIVER-REPORT from a phone
	typeSubmit  = 1 // from a phone; SMS-SUBMIT-REPORT from the network
)

// Deliver is SMS-DELIVER (TS 23.040 9.2.2.1): a text to a phone.
type Deliver struct {
	Originator Address
	At         time.Time // TP-SCTS, when the service centre took it; zero: not readable
	More       bool      // the network has more for this phone (TP-MMS)
	Content
}

const noMore = 0x04 // TP-MMS

// ParseDeliver reads an SMS-DELIVER. What is behind it is left alone. The
// error is a *Fault; SMS-STATUS-REPORT is one, as we never ask for it.
func ParseDeliver(b []byte) (Deliver, error) {
	r := &reader{left: b}
	first, ok := r.octet()
	if !ok {
		return Deliver{}, broken("SMS-DELIVER")
	}
	if first&typeMask != typeDeliver {
		return Deliver{}, unusable(TPDUUnsupported, "the TPDU is no SMS-DELIVER")
	}
	originator, err := r.address()
	if err != nil {
		return Deliver{}, err
	}
	v, ok := r.take(2 + stampLen)
	if !ok {
		return Deliver{}, broken("SMS-DELIVER")
	}
	c, err := r.content(first, v[0], tpdu.DCS(v[1]))
	if err != nil {
		return Deliver{}, err
	}
	return Deliver{Originator: originator, At: stampTime(v[2:]), More: first&noMore == 0, Content: c}, nil
}

// Marshal is SMS-DELIVER. The time stamp has the zone of At, in quarters of an
// hour. An error tells what of it has no form.
func (d Deliver) Marshal() ([]byte, error) {
	dcs, ud, udhi, err := d.Content.marshal()
	if err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	originator, err := d.Originator.transfer()
	if err != nil {
		return nil, fmt.Errorf("originator: %w", err)
	}
	b := []byte{typeDeliver | udhi}
	if !d.More {
		b[0] |= noMore
	}
	b = append(append(b, originator...), 0, dcs)
	b = append(b, stamp(d.At)...)
	return append(b, ud...), nil
}
