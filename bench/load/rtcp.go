package main

import "encoding/binary"

// reportEvery is how many packets are between two reports: 5 s.
const reportEvery = 250

const (
	senderReport = 28
	cname        = "load"
	rtcpSize     = senderReport + 4 + 4 + 2 + len(cname) + 2
)

// fillReport writes a sender report and a CNAME (RFC 3550 sections 6.4.1, 6.5)
// whose counts stay zero: they cost the receiver the same.
func fillReport(b []byte, ssrc uint32) {
	b[0], b[1] = 0x80, 200
	binary.BigEndian.PutUint16(b[2:], senderReport/4-1)
	binary.BigEndian.PutUint32(b[4:], ssrc)
	d := b[senderReport:]
	d[0], d[1] = 0x81, 202
	binary.BigEndian.PutUint16(d[2:], uint16(len(d)/4-1))
	binary.BigEndian.PutUint32(d[4:], ssrc)
	d[8], d[9] = 1, byte(len(cname))
	copy(d[10:], cname)
}
