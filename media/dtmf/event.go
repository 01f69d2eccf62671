// Package dtmf reads the digits that people type during a call, in the three
// ways that phones send them: RTP telephone events (RFC 4733), SIP INFO bodies
// and tones in the audio (ITU-T Q.23, Q.24).
package dtmf

import "encoding/binary"

// digits are the telephone events 0 to 15 (RFC 4733 section 3.2, table 3).
const digits = "0123456789*#ABCD"

// Event gives the telephone event of a digit: 0-9, *, #, A-D in any case.
func Event(digit byte) (code uint8, ok bool) {
	if digit >= 'a' && digit <= 'd' {
		digit -= 'a' - 'A'
	}
	for i := range len(digits) {
		if digits[i] == digit {
			return uint8(i), true
		}
	}
	return 0, false
}

// Digit gives the digit of a telephone event; ok is false for events that are
// not digits, such as a hook flash.
func Digit(code uint8) (digit byte, ok bool) {
	if int(code) >= len(digits) {
		return 0, false
	}
	return digits[code], true
}

// payloadLen is the length of a telephone-event payload (RFC 4733 section 2.3).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     event     |E|R| volume    |          duration             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const payloadLen = 4

const (
	endBit     = 0x80
	volumeMask = 0x3F
)

// Payload appends a telephone-event payload to dst. Volume is the level below
// 0 dBm0 in dB, 0 to 63; duration counts timestamp units since the event began.
func Payload(dst []byte, code uint8, end bool, volume uint8, duration uint16) []byte {
	second := min(volume, volumeMask)
	if end {
		second |= endBit
	}
	return append(dst, code, second, byte(duration>>8), byte(duration))
}

// Parse takes a telephone-event payload apart. Of a payload with several
// events it reads the first; ok is false if it is too short.
func Parse(payload []byte) (code uint8, end bool, volume uint8, duration uint16, ok bool) {
	if len(payload) < payloadLen {
		return 0, false, 0, 0, false
	}
	return payload[0], payload[1]&endBit != 0, payload[1] & volumeMask, binary.BigEndian.Uint16(payload[2:]), true
}
