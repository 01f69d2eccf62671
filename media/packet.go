package media

import "encoding/binary"

// headerSize is that of an RTP header without contributing sources and extension, as the engine sends it.
const headerSize = 12

// packet is an RTP header with the place of its payload (RFC 3550 section 5.1).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|V=2|P|X|  CC   |M|     PT      |       sequence number         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                           timestamp                           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           synchronization source (SSRC) identifier            |
//	+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
type packet struct {
	marker     bool
	pt         uint8
	seq        uint16
	ts, ssrc   uint32
	start, end int // of the payload in the datagram; start is at least headerSize
}

// parse reads an RTP header; it does not keep b. It is false for what is not RTP version 2 or contradicts its own length.
func parse(b []byte) (packet, bool) {
	if len(b) < headerSize || b[0]>>6 != 2 {
		return packet{}, false
	}
	p := packet{
		marker: b[1]&0x80 != 0,
		pt:     b[1] & 0x7F,
		seq:    binary.BigEndian.Uint16(b[2:]),
		ts:     binary.BigEndian.Uint32(b[4:]),
		ssrc:   binary.BigEndian.Uint32(b[8:]),
		start:  headerSize + 4*int(b[0]&0x0F),
		end:    len(b),
	}
	if b[0]&0x10 != 0 { // extension: 2 bytes of profile, length in words
		if len(b) < p.start+4 {
			return packet{}, false
		}
		p.start += 4 + 4*int(binary.BigEndian.Uint16(b[p.start+2:]))
	}
	if b[0]&0x20 != 0 { // padding: its last byte counts it, itself included
		padding := int(b[len(b)-1])
		if padding == 0 {
			return packet{}, false
		}
		p.end -= padding
	}
	if p.start > p.end {
		return packet{}, false
	}
	return p, true
}

// putHeader writes a header of headerSize bytes to b.
func putHeader(b []byte, pt uint8, marker bool, seq uint16, ts, ssrc uint32) {
	b = b[:headerSize]
	b[0] = 2 << 6
	b[1] = pt
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}
