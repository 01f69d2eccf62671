package main

import (
	"encoding/binary"

	"axgate/bench/load/message"
	"axgate/bench/load/wire"
)

const (
	slots     = 20  // ms of a packet: streams take turns within them
	samples   = 160 // of a packet
	rtpHeader = 12
	kept      = 128 // packets of a stream whose times are known
	eventSize = rtpHeader + 4
)

// mark begins the audio of our packets. Behind it are the sender's call and
// side, and which packet it is.
const (
	mark     = 0x61786c64
	markSize = 4 + 4 + 4 + 4 // mark, place, side and turn, number
)

// stream is what a leg sends.
type stream struct {
	live       bool
	left       int // packets of audio; 0 and below: no end
	id         message.ID
	side       int
	to, toRTCP wire.Address
	slot       int
	sequence   uint16
	clock      uint32
	number     uint32 // of the next audio packet
	times      [kept]int64
	came       [kept]bool
	packet     [rtpHeader + samples]byte
	report     [rtcpSize]byte
	digits     keys
}

// begin makes it the stream of a leg.
func (s *stream) begin(id message.ID, side int, to wire.Address, packets int) {
	*s = stream{live: true, left: packets, id: id, side: side, to: to, toRTCP: to.Next(), slot: int(id.Place) % slots, sequence: uint16(id.Turn), clock: id.Place << 8}
	ssrc := id.Place<<1 | uint32(side) | 1<<31
	s.packet[0], s.packet[1] = 0x80, 0x80|8 // version 2; the first packet is marked (RFC 3551 section 4.1); PCMA
	binary.BigEndian.PutUint32(s.packet[8:], ssrc)
	at := s.packet[rtpHeader:]
	binary.BigEndian.PutUint32(at, mark)
	binary.BigEndian.PutUint32(at[4:], id.Place)
	binary.BigEndian.PutUint32(at[8:], uint32(side)<<24|id.Turn)
	fillReport(s.report[:], ssrc)
}

// audio writes the next packet.
func (s *stream) audio() []byte {
	s.step()
	at := s.packet[rtpHeader:]
	binary.BigEndian.PutUint32(at[12:], s.number)
	n := int(s.number%soundPackets) * samples
	copy(at[markSize:], sound[n+markSize:n+samples])
	s.came[s.number%kept] = false
	return s.packet[:]
}

// step numbers a packet of audio.
func (s *stream) step() {
	binary.BigEndian.PutUint16(s.packet[2:], s.sequence)
	binary.BigEndian.PutUint32(s.packet[4:], s.clock)
	s.sequence++
	s.clock += samples
}

// readMark finds who sent a packet that came, and which it is.
func readMark(packet []byte) (id message.ID, side int, number uint32, ok bool) {
	if len(packet) < rtpHeader+markSize || packet[0] != 0x80 {
		return id, 0, 0, false
	}
	at := packet[rtpHeader:]
	id = message.ID{Place: binary.BigEndian.Uint32(at[4:]), Turn: binary.BigEndian.Uint32(at[8:]) & (1<<24 - 1)}
	return id, int(at[8]), binary.BigEndian.Uint32(at[12:]), binary.BigEndian.Uint32(at) == mark && at[8] < sides
}

// sound is a second of noise in A-law that swells and ebbs as speech does.
const soundPackets = 50

var sound = makeSound()

func makeSound() []byte {
	out := make([]byte, soundPackets*samples)
	state := uint32(1)
	for i := range out {
		state = state*1664525 + 1013904223
		const syllable = 2000 // samples
		loud := byte(i % syllable / 400)
		out[i] = (byte(state>>24)&0x80 | (loud+1)<<4 | byte(state>>16)&0x0f) ^ 0x55
	}
	return out
}
