package sdp

// before is what an offer of ours changes, should it be refused.
type before struct {
	slots   []slot
	formats []format
	way     way
	body    []byte
	said    uint64
	cryptos []crypto
	muxing  bool
	stops   way
}

// Again is the description last sent, the same version of it: the offer that
// refreshes a session (RFC 4028 section 7.4).
func (s *Session) Again() []byte { return s.body }

// Redirect offers what was described last in another direction. What does not
// flow by it is not described as flowing any more, whatever the peer says,
// until Redirect says otherwise.
func (s *Session) Redirect(send, receive bool) []byte {
	s.before = &before{s.slots, s.formats, s.way, s.body, s.said, s.cryptos, s.muxing, s.stops}
	s.stops = way{sends: !send, receives: !receive}
	return s.Current()
}

// Undo takes back the offer of Redirect, which the peer refused: the session is
// as before. Its version is not used again.
func (s *Session) Undo() {
	b := s.before
	if b == nil {
		return
	}
	s.slots, s.formats, s.way, s.body, s.said = b.slots, b.formats, b.way, b.body, b.said
	s.cryptos, s.muxing, s.stops = b.cryptos, b.muxing, b.stops
}

// full is the direction of all that may flow.
func (s *Session) full() way { return way{sends: !s.stops.sends, receives: !s.stops.receives} }
