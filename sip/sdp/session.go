package sdp

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"axgate/media/srtp"
)

// Agreed is what an offer and its answer have settled for one leg.
type Agreed struct {
	// RTP and RTCP are the peer's addresses; zero while it is on hold at the
	// address 0.0.0.0.
	RTP, RTCP netip.AddrPort
	// Codec is PCMA or PCMU, or another one whose packets are passed through as
	// they are.
	Codec Codec
	// SendPT is the payload type that the peer listed for Codec, RecvPT the one
	// that we listed: each receiver chooses (RFC 3264 section 5.1).
	SendPT, RecvPT uint8
	// SendEventPT and RecvEventPT are the same for telephone-event at the clock
	// of Codec; both are 0 if it was not negotiated.
	SendEventPT, RecvEventPT uint8
	PTime                    time.Duration // of the packets the peer wants: 10 to 60 ms
	Send, Receive            bool          // whether we may send to the peer, and it sends to us
	Held                     bool          // the peer does not want to hear us, though we would speak
	Mux                      bool          // RTCP goes with RTP, to the same addresses (RFC 5761)
	Keys                     srtp.Keys     // of SRTP and SRTCP; none: plain RTP
}

// Session is our side of one dialog's SDP. It belongs to the goroutine of its
// call. Each description that differs from the one before it has a version
// that is higher by one (RFC 3264 section 8).
type Session struct {
	ip    netip.Addr
	port  uint16
	names []string // of codecs, our preference
	pass  Passing
	mux   Mux

	id, version uint64
	slots       []slot   // the m-lines as they were last described
	formats     []format // of our audio line, likewise
	way         way      // likewise
	body        []byte   // the description last sent
	said        uint64   // its version
	stops       way      // what must not flow, whatever the peer says; see again.go
	before      *before  // the last Redirect; nil: there was none

	security Security
	cryptos  []crypto       // ours, as they were last described
	own      crypto         // that in use; none: plain RTP
	peer     netip.AddrPort // for which own was made

	meaning []format // what a payload type of ours stands for, for ever
	codec   Codec    // in use
	muxed   bool     // likewise: RTCP goes with RTP
	muxing  bool     // the description last sent says so
}

// slot is an m-line. The session keeps their number and order (RFC 3264
// section 8); all but ours are refused with port 0.
type slot struct {
	ours         bool
	media, proto string
	format       string // one of the refused formats, since there must be one
}

// format is a payload type that one side lists, and what it stands for.
type format struct {
	pt    uint8
	codec Codec
}

// NewSession is the session of a leg whose audio arrives at ip and port (RTCP
// at the next port). codecs are encoding names in the order of our preference;
// ValidCodec tells which there are, others are left out; without PCMA and PCMU
// both stand behind. Those that are passed through only tell where they stand
// in an offer if Pass gives them.
func NewSession(ip netip.Addr, port uint16, codecs []string) *Session {
	return &Session{ip: ip.Unmap(), port: port, names: known(codecs), id: 1 + rand.Uint64N(1<<53),
		meaning: fixed[:len(fixed):len(fixed)]}
}

// fixed are the payload types that have had a meaning before any session. It is
// shared: what is added to it goes elsewhere, and nothing in it is changed.
var fixed = []format{{0, pcmu}, {8, pcma}, {noiseType, noise}}

// Secure says whether the session's media may or must be SRTP; it is off else.
// It is called before the first description.
func (s *Session) Secure(level Security) { s.security = level }

// Fork is the session of a further dialog that the offer last made may be
// answered in: each goes its own way from here (RFC 3261 section 13.2.2.4).
func (s *Session) Fork() *Session {
	f := *s
	f.meaning = slices.Clone(s.meaning)
	return &f
}

// Offer describes all that we can do.
func (s *Session) Offer() []byte {
	var formats []format
	var clocks []int
	for _, c := range s.offering() {
		if pt, ok := s.number(c, wanted(c)); ok {
			formats = append(formats, format{pt, c})
			if !slices.Contains(clocks, c.Clock) {
				clocks = append(clocks, c.Clock)
			}
		}
	}
	slices.Sort(clocks) // the usual number goes to the usual clock
	for _, clock := range clocks {
		if pt, ok := s.number(eventAt(clock), defaultEvent); ok {
			formats = append(formats, format{pt, eventAt(clock)})
		}
	}
	slots := s.slots
	if len(slots) == 0 {
		slots = []slot{{ours: true, media: "audio", proto: s.proto()}}
	}
	s.cryptos = s.offered()
	s.muxing = s.muxed || s.mux == MuxOffer
	return s.describe(slots, formats, way{true, true})
}

// Current is the description last sent, as the offer in our answer to a
// re-INVITE without one (RFC 6337 section 5). It says what we want, not what
// the peer's hold left us: after a hold it is sendrecv again.
func (s *Session) Current() []byte {
	if s.body == nil {
		return s.Offer()
	}
	if s.own.in() {
		s.cryptos = s.inUse()
	}
	s.muxing = s.muxed || s.mux == MuxOffer
	return s.describe(s.slots, s.current(), s.full())
}

// Answer answers an offer by RFC 3264 section 6: one audio codec, with
// telephone-event and comfort noise if they were offered, every other m-line
// refused. With keys, the first suite that we have is taken. A codec that is
// passed through stays for the session. After an error (ErrNoCodec, ErrAddress,
// ErrPlain, ErrSuite, ErrCrypto) the session is as before.
func (s *Session) Answer(r *Remote) ([]byte, Agreed, error) {
	c, err := r.pick(s.preferred(), s.security)
	if err != nil {
		return nil, Agreed{}, err
	}
	l := &r.lines[c.index]
	g, err := s.agree(l)
	if err != nil {
		return nil, Agreed{}, err
	}
	own, err := s.reply(c.crypto, g.RTP)
	if err != nil {
		return nil, Agreed{}, err
	}
	g.Codec, g.SendPT = c.theirs.codec.settled(c.codec), c.theirs.pt
	if g.RecvPT, _ = s.number(g.Codec, g.SendPT); g.RecvPT == 0 && g.Codec != pcmu {
		return nil, Agreed{}, ErrNoCodec // no number is left for it
	}
	formats := []format{{g.RecvPT, g.Codec}}
	if pt := l.event(g.Codec.Clock); pt != 0 && pt != g.SendPT {
		if ours, ok := s.number(eventAt(g.Codec.Clock), pt); ok {
			g.SendEventPT, g.RecvEventPT = pt, ours
			formats = append(formats, format{ours, eventAt(g.Codec.Clock)})
		}
	}
	if f, ok := l.find(noise); ok && f.pt == noiseType && g.Codec.talks() {
		formats = append(formats, format{noiseType, noise})
	}
	slots := make([]slot, len(r.lines))
	for i := range r.lines {
		slots[i] = slotOf(&r.lines[i], i == c.index)
	}
	s.join(&g, l.mux && s.mux != MuxOff)
	s.codec, s.muxing = g.Codec, g.Mux
	g.Keys = s.settle(own, c.crypto, g.RTP)
	s.cryptos = s.inUse()
	return s.describe(slots, formats, way{sends: g.Send, receives: g.Receive}), g, nil
}

// Accept takes the peer's answer to the description last sent. An error is
// ErrNoAudio, ErrNoCodec, ErrAddress, ErrPlain, ErrSuite or ErrCrypto; the
// session is then as before.
func (s *Session) Accept(r *Remote) (Agreed, error) {
	l := s.answered(r)
	if l == nil {
		return Agreed{}, ErrNoAudio
	}
	g, err := s.agree(l)
	if err != nil {
		return Agreed{}, err
	}
	own, theirs, err := s.replied(l)
	if err != nil {
		return Agreed{}, err
	}
	ours, taken, ok := s.taken(l)
	if !ok {
		return Agreed{}, ErrNoCodec
	}
	g.Codec, g.SendPT, g.RecvPT = ours.codec.settled(taken.codec), taken.pt, ours.pt
	for _, f := range s.formats {
		if pt := l.event(g.Codec.Clock); f.codec == eventAt(g.Codec.Clock) && pt != 0 && pt != g.SendPT {
			g.SendEventPT, g.RecvEventPT = pt, f.pt
		}
	}
	s.join(&g, l.mux && s.muxing)
	s.codec = g.Codec
	g.Keys = s.settle(own, theirs, g.RTP)
	return g, nil
}

// taken is the first of the peer's payload types that answers one of ours.
// Several of ours may be one codec with different parameters: then the peer's
// number says which.
func (s *Session) taken(l *line) (ours, theirs format, ok bool) {
	for _, t := range l.listed {
		fits := func(f format) bool {
			return t.codec.fits(f.codec) && f.codec.Name != telephoneEvent && f.codec.Name != comfortNoise
		}
		i := slices.IndexFunc(s.formats, func(f format) bool { return f.pt == t.pt && fits(f) })
		if i < 0 {
			i = slices.IndexFunc(s.formats, fits)
		}
		if i >= 0 {
			return s.formats[i], t, true
		}
	}
	return format{}, format{}, false
}

// answered is the line that answers our audio: it stands in the same place, or
// else is the first that can be used.
func (s *Session) answered(r *Remote) *line {
	ours := slices.IndexFunc(s.slots, func(sl slot) bool { return sl.ours })
	if ours >= 0 && ours < len(r.lines) && r.lines[ours].usable(s.security) {
		return &r.lines[ours]
	}
	for i := range r.lines {
		if r.lines[i].usable(s.security) {
			return &r.lines[i]
		}
	}
	return nil
}

// agree settles addresses, direction and packet duration.
func (s *Session) agree(l *line) (Agreed, error) {
	peer := l.peerWay()
	g := Agreed{Send: peer.receives && !s.stops.sends, Receive: peer.sends && !s.stops.receives, Held: !peer.receives && !s.stops.sends, PTime: l.packet()}
	ip := l.address
	if err := reachable(ip, s.ip); err != nil || ip.IsUnspecified() {
		return g, err
	}
	g.RTP = netip.AddrPortFrom(ip, l.port)
	switch at := l.rtcp.Addr(); {
	case at.IsValid() && at.Is4() == ip.Is4() && !at.IsUnspecified() && !at.IsMulticast():
		g.RTCP = l.rtcp
	case l.rtcpPort != 0:
		g.RTCP = netip.AddrPortFrom(ip, l.rtcpPort)
	case l.port < 65535:
		g.RTCP = netip.AddrPortFrom(ip, l.port+1)
	}
	return g, nil
}

// packet is the packet duration the peer wants: its ptime, else 20 ms, never
// above its maxptime, in steps of 10 ms.
func (l *line) packet() time.Duration {
	ms := usualPacket
	if l.ptime > 0 {
		ms = l.ptime
	}
	if l.maxPTime > 0 {
		ms = min(ms, l.maxPTime)
	}
	return time.Duration(min(max(ms/10*10, 10), 60)) * time.Millisecond
}
