package rp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/tpdu"

	"axgate/sms/parts"
)

// Limits of TP-User Data (TS 23.040 9.2.3.16, 9.2.3.24).
const (
	maxSeptets = 160
	maxOctets  = 140
)

// Content is what a TPDU says: a text, or one segment of a long one.
type Content struct {
	Text string // UTF-8; of a segment it may end within a character, see parts.Join
	UCS2 bool   // the text is in UCS-2, not in the GSM alphabet
	Part *Part  // nil: the text is whole
	// Binary: it is no text for people but 8 bit data, for a port of an
	// application, for the SIM or an indicator; Text is empty.
	Binary bool
	// Silent: short message type 0, to be acknowledged and dropped (9.2.3.9).
	Silent bool
}

// Part is the concatenation header (9.2.3.24.1, 9.2.3.24.8).
type Part struct {
	Ref   int  // the same in all parts; below 256 unless Wide
	Seq   int  // from 1
	Total int  // 1 to 255
	Wide  bool // the reference has 16 bits
}

// Split is a text as the contents of as few TPDUs as it needs, with the lowest
// 8 bits of the reference in the headers, 16 if wide. It is always the same for
// the same text and reference. A text of more than 255 segments is an error.
func Split(text string, ref int, wide bool) ([]Content, error) {
	segments := parts.Split(text, wide)
	if len(segments) > parts.MaxSegments {
		return nil, fmt.Errorf("a text of %d segments", len(segments))
	}
	if ref &= 0xFFFF; !wide {
		ref &= 0xFF
	}
	contents := make([]Content, len(segments))
	for i, s := range segments {
		contents[i] = Content{Text: s, UCS2: !parts.GSM(text)}
		if len(segments) > 1 {
			contents[i].Part = &Part{Ref: ref, Seq: i + 1, Total: len(segments), Wide: wide}
		}
	}
	return contents, nil
}

// Information elements (9.2.3.24). The library's own names for the language
// tables are wrong: it has the digits as decimal ones.
const (
	elementConcat8   = 0x00
	elementConcat16  = 0x08
	elementPort8     = 0x04
	elementPort16    = 0x05
	elementWireless  = 0x09 // control messages
	elementSIMFirst  = 0x70 // security headers of the SIM toolkit
	elementSIMLast   = 0x7F
	elementSingle    = 0x24 // national language tables
	elementLocking   = 0x25
	headerIndicator  = 0x40 // TP-UDHI in the first octet
	pidSilent        = 0x40
	pidForPhoneFirst = 0x7C // data for the phone or its SIM, to 0x7F
)

// content reads TP-UDL and TP-UD.
func (r *reader) content(first, pid byte, dcs tpdu.DCS) (Content, error) {
	if dcs.Compressed() {
		return Content{}, unusable(AlphabetUnknown, "the text is compressed")
	}
	alphabet, err := dcs.Alphabet()
	if err != nil {
		alphabet = tpdu.Alpha7Bit // reserved codings (TS 23.038 section 4)
	}
	length, ok := r.octet()
	octets, most := int(length), maxOctets
	if alphabet == tpdu.Alpha7Bit {
		octets, most = (int(length)*7+7)/8, maxSeptets
	}
	ud, there := r.take(octets)
	if !ok || !there || int(length) > most {
		return Content{}, broken("TP-User Data")
	}
	var header tpdu.UserDataHeader
	skip := 0
	if first&headerIndicator != 0 {
		if len(ud) == 0 || 1+int(ud[0]) > len(ud) {
			return Content{}, broken("TP-User Data Header")
		}
		skip = 1 + int(ud[0])
		// One whose elements do not fit it counts as not there.
		if _, err := header.UnmarshalBinary(ud[:skip]); err != nil {
			header = nil
		}
	}
	c := Content{UCS2: alphabet == tpdu.AlphaUCS2, Part: partOf(header)}
	c.Silent = pid == pidSilent
	c.Binary = alphabet == tpdu.Alpha8Bit || forMachine(header, pid, dcs)
	switch {
	case c.Binary:
	case c.UCS2:
		c.Text = decodeUCS2(ud[skip:])
	default:
		c.Text = decodeGSM(septetsOf(ud, skip, int(length)), language(header, elementLocking), language(header, elementSingle))
	}
	if c.Part == nil || c.Part.Total == 1 { // no other has the rest of a character
		c.Text = parts.Join([]string{c.Text})
	}
	return c, nil
}

// septetsOf are the septets behind a header of skip octets and the bits that
// fill it up to a septet; length counts the header's too.
func septetsOf(ud []byte, skip, length int) []byte {
	septets := gsm7.Unpack7Bit(ud[skip:], fillBits(skip))
	n := length - (skip*8+6)/7
	return septets[:max(0, min(n, len(septets)))]
}

func fillBits(header int) int { return (7 - header%7) % 7 }

// forMachine tells of texts that are not for people.
func forMachine(header tpdu.UserDataHeader, pid byte, dcs tpdu.DCS) bool {
	for _, e := range header {
		switch {
		case e.ID == elementPort8, e.ID == elementPort16, e.ID == elementWireless:
			return true
		case e.ID >= elementSIMFirst && e.ID <= elementSIMLast:
			return true
		}
	}
	discarded := dcs&0xF0 == 0xC0 // an indicator whose text is not to be kept
	return discarded || pid >= pidForPhoneFirst && pid <= 0x7F
}

// partOf is the last concatenation header that makes sense (9.2.3.24.1).
func partOf(header tpdu.UserDataHeader) *Part {
	for i := len(header) - 1; i >= 0; i-- {
		e := header[i]
		var p Part
		switch {
		case e.ID == elementConcat8 && len(e.Data) == 3:
			p = Part{Ref: int(e.Data[0]), Total: int(e.Data[1]), Seq: int(e.Data[2])}
		case e.ID == elementConcat16 && len(e.Data) == 4:
			p = Part{Ref: int(binary.BigEndian.Uint16(e.Data)), Total: int(e.Data[2]), Seq: int(e.Data[3]), Wide: true}
		default:
			continue
		}
		if p.Total > 0 && p.Seq > 0 && p.Seq <= p.Total {
			return &p
		}
	}
	return nil
}

// language is the national language that an element names, 0 if none.
func language(header tpdu.UserDataHeader, id byte) int {
	if e, ok := header.IE(id); ok && len(e.Data) == 1 {
		return int(e.Data[0])
	}
	return 0
}

// marshal is TP-DCS, TP-UDL with TP-UD, and TP-UDHI for the first octet.
func (c Content) marshal() (dcs byte, ud []byte, udhi byte, err error) {
	if c.Binary || c.Silent {
		return 0, nil, 0, errors.New("only texts are written")
	}
	var header []byte
	if c.Part != nil {
		if header, err = c.Part.header(); err != nil {
			return 0, nil, 0, err
		}
		udhi = headerIndicator
	}
	var length, most int
	var text []byte
	if c.UCS2 {
		dcs, text, most = byte(tpdu.DcsUCS2Data), encodeUCS2(c.Text), maxOctets
		length = len(header) + len(text)
	} else {
		septets, err := encodeGSM(c.Text)
		if err != nil {
			return 0, nil, 0, err
		}
		text, most = gsm7.Pack7Bit(septets, fillBits(len(header))), maxSeptets
		length = (len(header)*8+6)/7 + len(septets)
		if len(septets) == 0 && fillBits(len(header)) > 0 {
			text = []byte{0} // the bits that fill up the header have an octet of their own
		}
	}
	if length > most {
		return 0, nil, 0, fmt.Errorf("a segment of %d units, at most %d fit", length, most)
	}
	return dcs, append(append([]byte{byte(length)}, header...), text...), udhi, nil
}

// header is TP-User Data Header with its length.
func (p Part) header() ([]byte, error) {
	most := 0xFF
	if p.Wide {
		most = 0xFFFF
	}
	if p.Ref < 0 || p.Ref > most || p.Total < 1 || p.Total > parts.MaxSegments || p.Seq < 1 || p.Seq > p.Total {
		return nil, fmt.Errorf("no concatenation header for part %d of %d", p.Seq, p.Total)
	}
	e := tpdu.InformationElement{ID: elementConcat8, Data: []byte{byte(p.Ref), byte(p.Total), byte(p.Seq)}}
	if p.Wide {
		e = tpdu.InformationElement{ID: elementConcat16, Data: []byte{byte(p.Ref >> 8), byte(p.Ref), byte(p.Total), byte(p.Seq)}}
	}
	return tpdu.UserDataHeader{e}.MarshalBinary()
}
