package srtp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
	"github.com/pion/transport/v5/replaydetector"
)

// Overhead is the most that a packet gets longer by, in octets.
const Overhead = 20

// window is how many packets back a packet may still come, for both directions; RFC 3711 section 3.3.2 wants 64 at least.
const window = 128

// Why a packet was not protected.
var (
	ErrRepeated = errors.New("SRTP sequence number was used before, or is too old")
	ErrStream   = errors.New("SRTP sender has another SSRC")
	ErrRoom     = errors.New("no room for the protected packet")
)

// Sender protects what goes to a peer, one stream with its RTCP. A new key needs a new Sender, and its stream a new SSRC:
// then the roll-over counter is 0, in whichever of the two ways the peer reads RFC 3711 section 3.3.1 and RFC 4568
// section 7.1.4.
type Sender struct {
	context *pion.Context
	ssrc    uint32
	tag     int // octets that an RTP packet gets longer by

	started bool
	highest int64 // packet index, RFC 3711 section 3.3.1
	used    replaydetector.CheckAccepter

	header        rtp.Header // kept, so that reading one allocates nothing
	controlHeader rtcp.Header
}

// NewSender makes the sender of the stream with this SSRC. The stream's sequence should begin below 32768, so that a loss
// at its beginning does not hide a roll-over (RFC 4568 section 6.4).
func NewSender(k Key, ssrc uint32) (*Sender, error) {
	if k.idSize != 0 {
		return nil, ErrKeyID // ours have none
	}
	c, err := k.context()
	if err != nil {
		return nil, err
	}
	used, ok := replaydetector.New(window, math.MaxInt64).(replaydetector.CheckAccepter)
	if !ok {
		return nil, errors.New("make an SRTP sender: the replay window allocates per packet")
	}
	return &Sender{context: c, ssrc: ssrc, tag: suites[k.suite].tag, used: used}, nil
}

// RTP protects an RTP packet of the stream and returns it in dst, whose capacity must be at least that of the packet and
// Overhead. dst may begin where packet does; otherwise they must not overlap.
//
// A sequence number is encrypted once: a second packet with it would tell an eavesdropper the difference of the two
// payloads. It is refused with ErrRepeated.
func (s *Sender) RTP(dst, packet []byte) ([]byte, error) {
	if len(packet) < 12 || packet[0]>>6 != 2 {
		return nil, ErrMalformed
	}
	if binary.BigEndian.Uint32(packet[8:]) != s.ssrc {
		return nil, ErrStream
	}
	if cap(dst) < len(packet)+s.tag {
		return nil, ErrRoom
	}
	index := s.index(binary.BigEndian.Uint16(packet[2:]))
	if index < 0 {
		return nil, ErrRepeated
	}
	token := s.used.CheckSeq(uint64(index))
	if !token.Passed() {
		return nil, ErrRepeated
	}
	b, err := s.context.EncryptRTP(dst[:0], packet, &s.header)
	if err != nil {
		return nil, fmt.Errorf("protect an RTP packet: %w", err)
	}
	s.used.Accept(token)
	s.started, s.highest = true, max(s.highest, index)
	return b, nil
}

// index is the place of a sequence number in the stream that rolls over after 65536 packets.
func (s *Sender) index(seq uint16) int64 {
	if !s.started {
		return int64(seq)
	}
	return s.highest + int64(int16(seq-uint16(s.highest)))
}

// RTCP protects a compound RTCP packet, as RTP does.
func (s *Sender) RTCP(dst, packet []byte) ([]byte, error) {
	if len(packet) < 8 || packet[0]>>6 != 2 {
		return nil, ErrMalformed
	}
	if binary.BigEndian.Uint32(packet[4:]) != s.ssrc {
		return nil, ErrStream
	}
	if cap(dst) < len(packet)+Overhead {
		return nil, ErrRoom
	}
	b, err := s.context.EncryptRTCP(dst[:0], packet, &s.controlHeader)
	if err != nil {
		return nil, fmt.Errorf("protect an RTCP packet: %w", err)
	}
	return b, nil
}
