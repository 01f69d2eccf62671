package sdp

import (
	"fmt"
	"net/netip"
	"slices"

	"axgate/media/srtp"
)

// proto is that of our own offer.
func (s *Session) proto() string {
	if s.security == Required {
		return "RTP/SAVP"
	}
	return "RTP/AVP"
}

// Insist makes RTP/SAVP with keys Required, after an offer in RTP/AVP that
// nobody has answered was refused. The next Offer has the same keys.
func (s *Session) Insist() {
	s.security = Required
	s.slots = nil
}

// offered are the keys of our offer: that in use once there is one, else one
// for each suite, the same in every repetition.
func (s *Session) offered() []crypto {
	switch {
	case s.security == Off:
		return nil
	case s.own.in():
		return s.inUse()
	case len(s.cryptos) > 0:
		return s.cryptos
	}
	var all []crypto
	for i, suite := range srtp.Suites() {
		all = append(all, crypto{tag: i + 1, key: srtp.NewKey(suite)})
	}
	return all
}

// reply is our key for the one that an answer takes of an offer. It stays while
// suite and peer's address do: who is at another address cannot know how far
// the stream under the old key has come (RFC 4568 section 7.1.4).
func (s *Session) reply(theirs crypto, at netip.AddrPort) (crypto, error) {
	if !theirs.in() {
		return crypto{}, nil
	}
	own := crypto{tag: theirs.tag, key: s.own.key}
	if own.key.Suite() != theirs.key.Suite() || at.IsValid() && at != s.peer {
		own.key = srtp.NewKey(theirs.key.Suite())
	}
	return own, distinct(own, theirs)
}

// replied is our key that an answer took, and the peer's own; both none for
// plain RTP.
func (s *Session) replied(l *line) (own, theirs crypto, err error) {
	switch {
	case s.security == Off:
		return crypto{}, crypto{}, nil
	case len(l.cryptos) == 0 && l.plain():
		if s.security == Required {
			err = ErrPlain
		}
		return crypto{}, crypto{}, err
	}
	if theirs, err = l.crypto(); err != nil {
		return crypto{}, crypto{}, err
	}
	i := slices.IndexFunc(s.cryptos, func(c crypto) bool { return c.tag == theirs.tag && c.key.Suite() == theirs.key.Suite() })
	if i < 0 {
		return crypto{}, crypto{}, fmt.Errorf("%w: the answer takes none that was offered", ErrSuite)
	}
	return s.cryptos[i], theirs, distinct(s.cryptos[i], theirs)
}

// distinct refuses a peer that sends our own key back.
func distinct(own, theirs crypto) error {
	if err := (srtp.Keys{In: theirs.key, Out: own.key}).Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrCrypto, err)
	}
	return nil
}

// inUse is our key in use, if any.
func (s *Session) inUse() []crypto {
	if !s.own.in() {
		return nil
	}
	return []crypto{s.own}
}

// settle makes keys those in use, both none for plain RTP. What was offered
// stays: the answer of another fork may take another suite.
func (s *Session) settle(own, theirs crypto, at netip.AddrPort) srtp.Keys {
	s.own = own
	if at.IsValid() {
		s.peer = at
	}
	return srtp.Keys{In: theirs.key, Out: own.key}
}
