package rp

import (
	"fmt"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"
)

// Submit is SMS-SUBMIT (TS 23.040 9.2.2.2): a text from a phone.
type Submit struct {
	MR               byte // TP-Message Reference
	Destination      Address
	RejectDuplicates bool          // TP-RD: it may have arrived before
	Validity         time.Duration // TP-VP in its relative form; 0: none, or another form
	ReportWanted     bool          // TP-SRR; never written
	Content
}

const (
	rejectDuplicates = 0x04 // TP-RD
	validityFormat   = 0x18 // TP-VPF
	validityRelative = 0x10
	validityEnhanced = 0x08
	validityAbsolute = 0x18
	reportRequest    = 0x20 // TP-SRR
)

// ParseSubmit reads an SMS-SUBMIT. What is behind it is left alone. The error
// is a *Fault; SMS-COMMAND is one.
func ParseSubmit(b []byte) (Submit, error) {
	r := &reader{left: b}
	head, ok := r.take(2)
	if !ok {
		return Submit{}, broken("SMS-SUBMIT")
	}
	first := head[0]
	if first&typeMask != typeSubmit {
		return Submit{}, unusable(TPDUUnsupported, "the TPDU is no SMS-SUBMIT")
	}
	destination, err := r.address()
	if err != nil {
		return Submit{}, err
	}
	v, ok := r.take(2)
	if !ok {
		return Submit{}, broken("SMS-SUBMIT")
	}
	validity, err := r.validity(first)
	if err != nil {
		return Submit{}, err
	}
	c, err := r.content(first, v[0], tpdu.DCS(v[1]))
	if err != nil {
		return Submit{}, err
	}
	return Submit{MR: head[1], Destination: destination, RejectDuplicates: first&rejectDuplicates != 0, Validity: validity,
		ReportWanted: first&reportRequest != 0, Content: c}, nil
}

// Marshal is SMS-SUBMIT. The validity is rounded up to what its octet can say,
// 5 min to 63 weeks. An error tells what of it has no form.
func (s Submit) Marshal() ([]byte, error) {
	dcs, ud, udhi, err := s.Content.marshal()
	if err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	destination, err := s.Destination.transfer()
	if err != nil {
		return nil, fmt.Errorf("destination: %w", err)
	}
	b := []byte{typeSubmit | udhi, s.MR}
	if s.RejectDuplicates {
		b[0] |= rejectDuplicates
	}
	b = append(append(b, destination...), 0, dcs)
	if s.Validity > 0 {
		b[0] |= validityRelative
		b = append(b, validityOctet(s.Validity))
	}
	return append(b, ud...), nil
}

// validity reads TP-VP; of the forms that are 7 octets long nothing is used.
func (r *reader) validity(first byte) (time.Duration, error) {
	switch first & validityFormat {
	case validityRelative:
		n, ok := r.octet()
		if !ok {
			return 0, broken("TP-Validity-Period")
		}
		return validityOf(n), nil
	case validityEnhanced, validityAbsolute:
		if _, ok := r.take(7); !ok {
			return 0, broken("TP-Validity-Period")
		}
	}
	return 0, nil
}

// The steps of the relative validity period (9.2.3.12.1).
const (
	day  = 24 * time.Hour
	week = 7 * day
)

func validityOf(n byte) time.Duration {
	switch d := time.Duration(n); {
	case n <= 143:
		return (d + 1) * 5 * time.Minute
	case n <= 167:
		return 12*time.Hour + (d-143)*30*time.Minute
	case n <= 196:
		return (d - 166) * day
	default:
		return (d - 192) * week
	}
}

// validityOctet is the shortest validity period that is not shorter than d.
func validityOctet(d time.Duration) byte {
	for n := range byte(255) {
		if validityOf(n) >= d {
			return n
		}
	}
	return 255
}
