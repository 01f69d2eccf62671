package main

import (
	"encoding/binary"

	"axgate/bench/load/wire"
)

// A digit is held for 100 ms, and its last packet comes three times (RFC 4733
// section 2.5.1.4); 60 ms are between digits.
const (
	held   = 5
	ends   = 3
	gap    = 3
	volume = 10
)

// keys are digits that are typed in place of audio.
type keys struct {
	event  int
	digits [10]byte
	n      int // of digits
	at     int // which is typed
	step   int // packets of it so far
	clock  uint32
	packet [eventSize]byte
}

// typing tells whether there are digits left.
func (k *keys) typing() bool { return k.at < k.n }

// press gives the events that are due in this packet's place; nil is a gap.
// begins tells that it is the first of the last digit.
func (s *stream) press() (packet []byte, again int, begins bool) {
	k := &s.digits
	if k.step == 0 {
		k.clock = s.clock
	}
	k.step++
	s.clock += samples
	if k.step > held {
		if k.step == held+gap {
			k.at, k.step = k.at+1, 0
		}
		return nil, 0, false
	}
	p := k.packet[:]
	p[0], p[1] = 0x80, byte(k.event)
	if k.step == 1 {
		p[1] |= 0x80
	}
	s.numberEvent()
	binary.BigEndian.PutUint32(p[4:], k.clock)
	copy(p[8:], s.packet[8:rtpHeader])
	p[12], p[13] = k.digits[k.at]-'0', volume
	binary.BigEndian.PutUint16(p[14:], uint16(k.step*samples))
	again = 1
	if k.step == held {
		p[13] |= 0x80
		again = ends
	}
	return p, again, k.step == 1 && k.at == k.n-1
}

// numberEvent gives the packet the next sequence number.
func (s *stream) numberEvent() {
	binary.BigEndian.PutUint16(s.digits.packet[2:], s.sequence)
	s.sequence++
}

// dialOn sends what is due of the digits.
func (l *load) dialOn(c *call, s *stream) {
	packet, again, begins := s.press()
	if begins {
		c.typed = wire.Now()
	}
	for i := range again {
		if i > 0 {
			s.numberEvent()
		}
		if l.sides[s.side].rtp.Send(packet, &s.to) != nil {
			l.tally.refusedSends++
		}
	}
}
