package sdp

import (
	"net/netip"
	"slices"
	"time"

	"axgate/media/srtp"
)

// Saved is a session in a form that another node can go on with: what was
// described and agreed, but neither addresses of ours nor keys. Those are that
// node's own.
type Saved struct {
	ID       uint64        `json:"i"`
	Version  uint64        `json:"v"`
	Slots    []savedSlot   `json:"s"`
	Formats  []savedFormat `json:"f"`
	Meaning  []savedFormat `json:"m,omitempty"`
	Codec    Codec         `json:"c"`
	PTime    time.Duration `json:"pt,omitempty"` // that the other leg of a codec passed through wants
	Stops    [2]bool       `json:"st,omitzero"`  // sends, receives
	Muxed    bool          `json:"x,omitempty"`
	Security Security      `json:"y,omitempty"`
	Tag      int           `json:"kt,omitempty"` // of the key in use, with its suite
	Suite    string        `json:"ks,omitempty"` // empty: plain RTP
}

type savedSlot struct {
	Ours   bool   `json:"o,omitempty"`
	Media  string `json:"m"`
	Proto  string `json:"p"`
	Format string `json:"f,omitempty"`
}

type savedFormat struct {
	PT    uint8 `json:"n"`
	Codec Codec `json:"c"`
}

// ahead is by how much the versions of another node are higher than the one that
// was saved: a description that was not saved any more has none of them.
const ahead = 8

// Save is the session as it is now.
func (s *Session) Save() Saved {
	v := Saved{ID: s.id, Version: s.version, Codec: s.codec, Stops: [2]bool{s.stops.sends, s.stops.receives}, Muxed: s.muxed, Security: s.security,
		Formats: saveFormats(s.formats), PTime: s.pass.PTime,
		Meaning: saveFormats(slices.DeleteFunc(slices.Clone(s.meaning), func(f format) bool { return slices.Contains(fixed, f) }))}
	for _, sl := range s.slots {
		v.Slots = append(v.Slots, savedSlot{sl.ours, sl.media, sl.proto, sl.format})
	}
	if s.own.in() {
		v.Tag, v.Suite = s.own.tag, s.own.key.Suite().String()
	}
	return v
}

// Restore makes a new session, whose address, codecs and Multiplex are set, the one
// that another node saved. Again is then what its peer is to be offered: the same
// at our address, under a new key if there was one.
func (s *Session) Restore(v Saved) {
	s.id, s.version, s.codec, s.security = v.ID, v.Version+ahead, v.Codec, v.Security
	s.stops, s.muxed = way{sends: v.Stops[0], receives: v.Stops[1]}, v.Muxed
	s.formats, s.pass.PTime = formatsOf(v.Formats), v.PTime
	for _, f := range formatsOf(v.Meaning) {
		s.mean(f.pt, f.codec)
	}
	s.slots = nil
	for _, sl := range v.Slots {
		s.slots = append(s.slots, slot{sl.Ours, sl.Media, sl.Proto, sl.Format})
	}
	if suite, ok := srtp.Named(v.Suite); ok {
		s.own = crypto{tag: v.Tag, key: srtp.NewKey(suite)}
	}
	s.peer, s.body, s.cryptos, s.muxing = netip.AddrPort{}, nil, s.inUse(), s.muxed || s.mux == MuxOffer
	s.describe(s.slots, s.current(), s.full())
}

// Keyed tells whether the session's media is protected.
func (s *Session) Keyed() bool { return s.own.in() }

func saveFormats(all []format) []savedFormat {
	var saved []savedFormat
	for _, f := range all {
		saved = append(saved, savedFormat{f.pt, f.codec})
	}
	return saved
}

func formatsOf(saved []savedFormat) []format {
	var all []format
	for _, f := range saved {
		all = append(all, format{f.PT, f.Codec})
	}
	return all
}
