// Package sdp is one leg's side of the offer/answer model (RFC 3264): it reads
// what the peer describes, tolerantly, and describes our side, strictly. A
// Session is made of our own addresses and codecs alone and answers only what
// its own peer sent, so nothing of one leg can reach the other.
package sdp

import (
	"errors"
	"net/netip"
	"strings"
)

// What can be wrong with a peer's description. Compare with errors.Is. With
// ErrType 415 is due, with ErrMalformed 400 (in an answer: end the call), with
// the others 488, also with ErrCrypto: the description itself can be read.
var (
	ErrType      = errors.New("content type is neither application/sdp nor multipart with such a part")
	ErrMalformed = errors.New("session description is malformed")
	ErrNoAudio   = errors.New("no audio over plain RTP")
	ErrSecure    = errors.New("audio over SRTP only, and this leg is plain RTP")
	ErrPlain     = errors.New("audio over plain RTP only, and this leg requires SRTP")
	ErrSuite     = errors.New("no SRTP suite in common")
	ErrCrypto    = errors.New("crypto attribute is malformed")
	ErrNoCodec   = errors.New("no codec in common")
	ErrAddress   = errors.New("media address that cannot be reached from ours")
)

// Remote is what a peer described, as far as a telephone call needs it.
type Remote struct {
	lines    []line   // the m-lines in their order
	security Security // of the leg that it was read for
}

// Common tells whether a session with these codecs (see NewSession) can agree
// with the peer: nil, ErrNoCodec, or why not on how it is protected: ErrPlain,
// ErrSuite or ErrCrypto.
func (r *Remote) Common(codecs []string) error {
	_, err := r.pick(known(codecs), r.security)
	return err
}

// line is one m-line with its attributes.
type line struct {
	media, proto string
	port         uint16
	formats      []string

	address  netip.Addr // from c=, that of the session if the line has none
	host     string     // what stood there if it is no IP address
	rtcp     netip.AddrPort
	rtcpPort uint16 // of a=rtcp, 0: none
	way      way
	ptime    int // ms, 0: not said
	maxPTime int
	maps     []mapping
	cryptos  []string // values of a=crypto, one more than are read at most
}

// mapping is a payload type and what it stands for.
type mapping struct {
	pt    uint8
	name  string
	clock int // Hz
}

func (m mapping) is(name string) bool {
	return strings.EqualFold(m.name, name) && m.clock == clock
}

// usable tells whether a line can carry our audio, protected or not as the leg
// is.
func (l *line) usable(s Security) bool {
	return l.plain() || s != Off && l.savp()
}

func (l *line) plain() bool {
	return l.media == "audio" && l.port != 0 && (l.proto == "RTP/AVP" || l.proto == "RTP/AVPF")
}

// savp tells whether a line is SRTP, with keys in SDP as far as its protocol
// says.
func (l *line) savp() bool {
	return l.media == "audio" && l.port != 0 && (l.proto == "RTP/SAVP" || l.proto == "RTP/SAVPF")
}

func (l *line) secure() bool {
	return l.media == "audio" && l.port != 0 && strings.Contains(l.proto, "RTP/SAVP")
}

// lookup is what a payload type of this line stands for.
func (l *line) lookup(pt uint8) mapping {
	for _, m := range l.maps {
		if m.pt == pt {
			return m
		}
	}
	return static(pt)
}

// listed are the payload types of the m-line, in order.
func (l *line) listed() []mapping {
	all := make([]mapping, 0, len(l.formats))
	for _, f := range l.formats {
		if pt, ok := number(f, 127); ok {
			all = append(all, l.lookup(uint8(pt)))
		}
	}
	return all
}

// find is the first payload type of a name at 8 kHz.
func (l *line) find(name string) (uint8, bool) {
	for _, m := range l.listed() {
		if m.is(name) {
			return m.pt, true
		}
	}
	return 0, false
}

// event is the payload type of telephone-event with the clock of the audio
// (RFC 4733 section 2.4.1), 0 if there is none.
func (l *line) event() uint8 {
	pt, _ := l.find(telephoneEvent)
	return pt
}

// first is the first of the codecs that a line has.
func (l *line) first(codecs []string) (string, bool) {
	for _, c := range codecs {
		if _, has := l.find(c); has {
			return c, true
		}
	}
	return "", false
}

// choice is what is taken of an offer.
type choice struct {
	index  int // of the line
	codec  string
	crypto crypto // the peer's; none: plain RTP
}

// pick finds the first line with keys and one of the codecs if the leg may be
// protected, else the first plain one, and on it the first of the codecs that
// it has.
func (r *Remote) pick(codecs []string, s Security) (choice, error) {
	var why error
	if s != Off {
		c, err := r.pickSecure(codecs)
		if err == nil || s == Required {
			return c, err
		}
		why = err
	}
	plain := false
	for i := range r.lines {
		l := &r.lines[i]
		if !l.plain() {
			continue
		}
		plain = true
		if codec, ok := l.first(codecs); ok {
			return choice{index: i, codec: codec}, nil
		}
	}
	if plain || why == nil {
		return choice{}, ErrNoCodec
	}
	return choice{}, why
}

// pickSecure is pick among the lines with keys. The error is the first reason
// why there is none.
func (r *Remote) pickSecure(codecs []string) (choice, error) {
	var why error
	for i := range r.lines {
		l := &r.lines[i]
		if !l.plain() && !l.savp() {
			continue
		}
		c, err := crypto{}, ErrPlain
		if l.savp() || len(l.cryptos) > 0 {
			c, err = l.crypto()
		}
		codec, ok := l.first(codecs)
		if err == nil && !ok {
			err = ErrNoCodec
		}
		if err == nil {
			return choice{index: i, codec: codec, crypto: c}, nil
		}
		if why == nil {
			why = err
		}
	}
	if why == nil {
		why = ErrNoCodec
	}
	return choice{}, why
}

// way is a direction as its speaker sees it (RFC 8866 section 6.7).
type way struct{ sends, receives bool }

func (w way) String() string {
	switch w {
	case way{true, true}:
		return "sendrecv"
	case way{sends: true}:
		return "sendonly"
	case way{receives: true}:
		return "recvonly"
	}
	return "inactive"
}

func wayNamed(attribute string) (way, bool) {
	switch attribute {
	case "sendrecv":
		return way{true, true}, true
	case "sendonly":
		return way{sends: true}, true
	case "recvonly":
		return way{receives: true}, true
	case "inactive":
		return way{}, true
	}
	return way{}, false
}

// peerWay is the direction of a line; the address 0.0.0.0 says that nothing
// must be sent there (RFC 3264 section 8.4).
func (l *line) peerWay() way {
	w := l.way
	if l.address.IsUnspecified() {
		w.receives = false
	}
	return w
}
