package sdp

import (
	"fmt"
	"slices"
	"time"
)

// Passing is what a session may pass through: audio whose packets go from one
// leg to the other as they are. Its codecs are the other leg's, in our own
// words (see Codec), and so is the packet duration.
type Passing struct {
	Codecs []Codec
	PTime  time.Duration // that the other leg wants; 0: 20 ms
	Alone  bool          // the other leg has nothing else: G.711 is not offered
}

// maxPassed is how many codecs are passed on, counting each with its
// parameters: an INVITE has to stay small.
const maxPassed = 6

// Pass says what the session may pass through. It is called before the
// session's first description, or between the attempts of an offer and the
// answer: once a codec is in use, it stays.
func (s *Session) Pass(p Passing) { s.pass = p }

// Passable are the codecs of the peer's audio which are no G.711 and have one
// of these names, in the peer's order.
func (r *Remote) Passable(names []string) []Codec {
	var all []Codec
	for i := range r.lines {
		l := &r.lines[i]
		if !l.usable(r.security) {
			continue
		}
		for _, f := range l.listed {
			k := kindNamed(f.codec.Name)
			if k == nil || f.codec.talks() || f.codec.Clock != k.Clock || f.codec.Channels != k.Channels {
				continue
			}
			if slices.Contains(known(names), f.codec.Name) && !slices.ContainsFunc(all, f.codec.fits) && len(all) < maxPassed {
				all = append(all, f.codec)
			}
		}
	}
	return all
}

// PTime is the packet duration that the peer wants, 10 to 60 ms, of the first
// audio line.
func (r *Remote) PTime() time.Duration {
	for i := range r.lines {
		if l := &r.lines[i]; l.usable(r.security) {
			return l.packet()
		}
	}
	return usualPacket * time.Millisecond
}

// usualPacket is the packet duration of who does not say, in ms (RFC 3551
// section 4.2).
const usualPacket = 20

// Speaks tells whether the media engine speaks a codec: prompts, tones and
// recordings are possible with it.
func (c Codec) Speaks() bool { return c.talks() }

// Fits tells whether packets of one codec are packets of the other.
func (c Codec) Fits(other Codec) bool { return c.fits(other) }

// offering are the codecs of an offer: by our list of names, each where it
// stands there. Once one is passed through it is the only one.
func (s *Session) offering() []Codec {
	if s.passing() {
		return []Codec{s.codec}
	}
	var all []Codec
	for _, name := range s.names {
		if k := kindNamed(name); k.talks() && !s.pass.Alone {
			all = append(all, k.Codec)
		}
		for _, c := range s.pass.Codecs {
			if c.Name == name {
				all = append(all, c)
			}
		}
	}
	return all
}

// passing tells whether a codec that is passed through is in use.
func (s *Session) passing() bool { return s.codec != (Codec{}) && !s.codec.talks() }

// preferred are the codecs of an answer: that in use first, since it does not
// change in a talk without need. One that is passed through cannot change: the
// other leg has it too.
func (s *Session) preferred() []Codec {
	switch {
	case s.passing():
		return []Codec{s.codec}
	case s.codec.talks():
		return append([]Codec{s.codec}, spoken(s.names)...)
	}
	return append(slices.Clone(s.pass.Codecs), spoken(s.names)...)
}

// current are the formats of the description last sent that are still ours to
// offer: with a codec passed through, this one and its events; else without
// those that were not taken.
func (s *Session) current() []format {
	var all []format
	for _, f := range s.formats {
		switch event := f.codec.Name == telephoneEvent; {
		case s.codec == (Codec{}),
			event && f.codec.Clock == s.codec.Clock,
			s.passing() && f.codec.fits(s.codec),
			!s.passing() && (f.codec.talks() || f.codec == noise):
			all = append(all, f)
		}
	}
	return all
}

// Mux says what a side thinks of RTCP on the port of RTP (RFC 5761).
type Mux uint8

// What it may think.
const (
	MuxAccept Mux = iota // when the peer offers it
	MuxOffer             // offer it as well
	MuxOff
)

// MuxNamed reads the word of the configuration; an empty one is accept.
func MuxNamed(word string) (Mux, error) {
	switch word {
	case "", "accept":
		return MuxAccept, nil
	case "offer":
		return MuxOffer, nil
	case "off":
		return MuxOff, nil
	}
	return MuxOff, fmt.Errorf("rtcp_mux %.20q: use accept, offer or off", word)
}

// Multiplex says whether RTCP may go with RTP; it is accepted else. It is
// called before the first description.
func (s *Session) Multiplex(m Mux) { s.mux = m }

// join lets RTCP go with RTP, or not.
func (s *Session) join(g *Agreed, muxed bool) {
	g.Mux, s.muxed = muxed, muxed
	if muxed {
		g.RTCP = g.RTP
	}
}
