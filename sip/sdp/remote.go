// Package sdp is one leg's side of the offer/answer model (RFC 3264): it reads
// what the peer describes, tolerantly, and describes our side, strictly. A
// Session is made of our own addresses and codecs alone and answers only what
// its own peer sent, so nothing of one leg can reach the other.
package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
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
// with the peer, without passing any through: nil, ErrNoCodec, or why not on
// how it is protected: ErrPlain, ErrSuite or ErrCrypto.
func (r *Remote) Common(codecs []string) error {
	_, err := r.pick(spoken(codecs), r.security)
	return err
}

// Reachable tells whether audio can be sent from an address of ours to the
// peer's: where not, Answer fails with ErrAddress.
func (r *Remote) Reachable(from netip.Addr) bool {
	return slices.ContainsFunc(r.lines, func(l line) bool { return l.usable(r.security) && reachable(l.address, from.Unmap()) == nil })
}

// reachable is ErrAddress if nothing can be sent from one address to another.
func reachable(to, from netip.Addr) error {
	switch {
	case !to.IsValid(): // ParseFor looked at another line
		return fmt.Errorf("%w: the line has none", ErrAddress)
	case to.IsUnspecified(): // on hold
		return nil
	case to.Is4() != from.Is4():
		return fmt.Errorf("%w: %v is of another address family than %v", ErrAddress, to, from)
	case to.IsMulticast() || to == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("%w: %v is not that of one host", ErrAddress, to)
	}
	return nil
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
	mux      bool     // a=rtcp-mux
	maps     []format // of a=rtpmap
	fmtps    []fmtp
	listed   []format // the payload types of the m-line, in order, each once
	cryptos  []string // values of a=crypto, one more than are read at most
}

// fmtp is what an a=fmtp says of a payload type.
type fmtp struct {
	pt   uint8
	text string
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
func (l *line) lookup(pt uint8) Codec {
	c := static(pt)
	if i := slices.IndexFunc(l.maps, func(f format) bool { return f.pt == pt }); i >= 0 {
		c = l.maps[i].codec
	}
	if k := kindNamed(c.Name); k != nil {
		if i := slices.IndexFunc(l.fmtps, func(f fmtp) bool { return f.pt == pt }); i >= 0 {
			c.Params = k.fmtp(l.fmtps[i].text)
		}
	}
	return c
}

// list looks the payload types of the m-line up, once: what they stand for may
// be a long way to read.
func (l *line) list() {
	var seen [128]bool
	for _, f := range l.formats {
		if pt, ok := number(f, 127); ok && !seen[pt] {
			seen[pt] = true
			l.listed = append(l.listed, format{uint8(pt), l.lookup(uint8(pt))})
		}
	}
}

// find is the first payload type that fits a codec.
func (l *line) find(c Codec) (format, bool) {
	for _, f := range l.listed {
		if f.codec.fits(c) {
			return f, true
		}
	}
	return format{}, false
}

// event is the payload type of telephone-event with the clock of the audio
// (RFC 4733 section 2.4.1), 0 if there is none.
func (l *line) event(clock int) uint8 {
	f, _ := l.find(eventAt(clock))
	return f.pt
}

// first is the first of the codecs that a line has: ours, and the peer's form
// of it.
func (l *line) first(codecs []Codec) (ours Codec, theirs format, ok bool) {
	for _, c := range codecs {
		if f, has := l.find(c); has {
			return c, f, true
		}
	}
	return Codec{}, format{}, false
}

// choice is what is taken of an offer.
type choice struct {
	index  int    // of the line
	codec  Codec  // ours
	theirs format // and theirs
	crypto crypto // the peer's; none: plain RTP
}

// pick finds the first line with keys and one of the codecs if the leg may be
// protected, else the first plain one, and on it the first of the codecs that
// it has.
func (r *Remote) pick(codecs []Codec, s Security) (choice, error) {
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
		if codec, theirs, ok := l.first(codecs); ok {
			return choice{index: i, codec: codec, theirs: theirs}, nil
		}
	}
	if plain || why == nil {
		return choice{}, ErrNoCodec
	}
	return choice{}, why
}

// pickSecure is pick among the lines with keys. The error is the first reason
// why there is none.
func (r *Remote) pickSecure(codecs []Codec) (choice, error) {
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
		codec, theirs, ok := l.first(codecs)
		if err == nil && !ok {
			err = ErrNoCodec
		}
		if err == nil {
			return choice{index: i, codec: codec, theirs: theirs, crypto: c}, nil
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
