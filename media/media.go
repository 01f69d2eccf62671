// Package media anchors the audio of calls: for each of a call's two legs it holds an RTP and an RTCP socket, latches to
// the peer's real source, and sends it one continuous stream made of prompts, tones, digits and the other leg's audio.
//
// An [Engine] runs one or more workers. A worker is one goroutine with an epoll loop; it alone touches the
// calls pinned to it, so a packet meets no lock and no allocation on its way. Methods of [Call] may be called from any
// goroutine; they put a command into the worker's queue, and commands of one goroutine are carried out in order.
//
// Audio is G.711 (PCMA and PCMU) at 8 kHz; any other codec that both legs have is passed through packet by packet, and then
// nothing can be played, recorded or detected. The standards followed are RFC 3550 (RTP, RTCP), RFC 3551 (payload types),
// RFC 4733 (telephone-event), RFC 4961 (symmetric RTP), RFC 5761 (RTCP on RTP's port), RFC 7362 section 5 (latching) and ITU-T G.107 (estimated MOS).
package media

import (
	"fmt"
	"net/netip"
	"time"

	"axgate/media/srtp"
)

// Side names a leg of a call.
type Side uint8

// The two legs of a call.
const (
	Caller Side = iota // leg A, the one who called us
	Callee             // leg B, the one whom we call
)

// String returns "caller" or "callee".
func (s Side) String() string {
	switch s {
	case Caller:
		return "caller"
	case Callee:
		return "callee"
	}
	return fmt.Sprintf("side %d", uint8(s))
}

func (s Side) valid() bool { return s == Caller || s == Callee }

func (s Side) other() Side { return 1 - s }

// Codec is a G.711 law, or that the audio is only passed through.
type Codec uint8

// The codecs. Passed is any one that both legs have in common: who points the legs says so.
const (
	PCMA   Codec = iota // A-law
	PCMU                // µ-law
	Passed              // unknown to the engine
)

// String returns the encoding name of RFC 3551.
func (c Codec) String() string {
	switch c {
	case PCMA:
		return "PCMA"
	case PCMU:
		return "PCMU"
	case Passed:
		return "passed"
	}
	return fmt.Sprintf("codec %d", uint8(c))
}

// Clip is a prompt: A-law samples, 8 kHz, mono. The samples are shared by all calls and must not be changed.
type Clip struct {
	Name string
	ALaw []byte
}

// Duration is the playing time of the clip.
func (c Clip) Duration() time.Duration {
	return time.Duration(len(c.ALaw)) * time.Second / sampleRate
}

// Stream is what a peer's SDP says about one leg, in numbers that the engine needs.
type Stream struct {
	// RTP and RTCP are the peer's addresses. While RTP is invalid, unspecified or without a port, nothing is sent until
	// the leg has latched. Without RTCP the port above RTP is used.
	RTP, RTCP netip.AddrPort
	Codec     Codec
	// Clock is that of the RTP timestamps of a Passed codec, in Hz, telephone-events included; 0: 8000, as G.711 has it.
	Clock uint32
	// SendPT is the payload type that the peer listed for Codec, RecvPT the one that we listed (RFC 3264 section 5.1).
	SendPT, RecvPT uint8
	// SendEventPT and RecvEventPT are the same for telephone-event at the codec's clock; 0: not negotiated.
	SendEventPT, RecvEventPT uint8
	// Digits is how digits are sent to the peer.
	Digits Digits
	// PTime is the packet duration that the peer asks for, rounded to a multiple of 10 ms between 10 and 60 ms. 0: it does
	// not ask; then the engine makes packets of 20 ms, and what it forwards keeps the duration that it came with, as a
	// Passed codec always does.
	PTime time.Duration
	// Mux: RTCP goes with RTP, to its address and from its port (RFC 5761).
	Mux bool
	// Inactive is after what silence of the peer it is Gone, unless it is on hold; 0: Config.Inactive; Never: however long.
	Inactive time.Duration
	// Send says whether we may send to the peer, Receive whether we expect audio from it: hold clears them.
	Send, Receive bool
	// NAT latches to the source that sends the first valid RTP, and sends there; if the signalled address is a public
	// one, the source has to be of its network (/24, IPv6 /64). Without NAT only the signalled IP address is believed
	// (from any port), and the signalled address is sent to.
	NAT bool
	// Keys protect RTP and RTCP both ways (SRTP); none: both are plain. With keys nothing plain is believed or sent.
	Keys srtp.Keys
}

// Digits is how digits are sent to a peer.
type Digits uint8

// The ways of digits: DigitsBest are telephone-events if they were negotiated, else tones; DigitsElsewhere are none here,
// since signalling carries them.
const (
	DigitsBest Digits = iota
	DigitsTones
	DigitsElsewhere
)

// EventKind says what happened on a leg.
type EventKind uint8

// What happens on a leg.
const (
	Heard    EventKind = iota + 1 // the first valid packet from the peer since Point
	Digit                         // a digit was typed: Event.Digit, one of 0-9 * # A-D
	PlayDone                      // the prompt Event.Play ended: its last frame was sent, or something replaced it
	Gone                          // nothing valid arrived for Config.Inactive although the peer was expected to send
)

// String returns the kind as one lower-case word.
func (k EventKind) String() string {
	switch k {
	case Heard:
		return "heard"
	case Digit:
		return "digit"
	case PlayDone:
		return "playdone"
	case Gone:
		return "gone"
	}
	return fmt.Sprintf("event %d", uint8(k))
}

// Event is something that the owner of a call has to know.
type Event struct {
	Kind  EventKind
	Side  Side
	Digit byte // of a Digit event
	// Tone: it was heard as a tone, which the other side hears too. Crossed: the engine sends it on to the other side.
	Tone, Crossed bool
	Play          uint64 // of a PlayDone event: the id that Play returned
}

// Never is a Stream.Inactive for peers that may be silent for ever.
const Never time.Duration = -1

// sampleRate is that of G.711 and of its RTP clock, in Hz.
const sampleRate = 8000

// ticks is a time in units of a clock in Hz; an engine's life of years does not overflow it.
func ticks(ns, clock int64) int64 { return ns / 1000 * clock / 1_000_000 }

// span is how long so many units of a clock in Hz last, in ns.
func span(ticks, clock int64) int64 { return ticks * 1_000_000_000 / clock }
