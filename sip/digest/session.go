package digest

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// who are the header fields of a registrar or user agent (401), and of a proxy
// (407), RFC 3261 sections 22.2 and 22.3.
type who struct{ challenge, proof string }

var asks = map[int]who{
	sip.StatusUnauthorized:      {"WWW-Authenticate", "Authorization"},
	sip.StatusProxyAuthRequired: {"Proxy-Authenticate", "Proxy-Authorization"},
}

// session is a peer's challenge and how often it was answered.
type session struct {
	who    who
	ask    *digest.Challenge
	kind   kind
	cnonce string
	count  int
}

// kind is a digest algorithm.
type kind struct {
	rank  int // the higher the stronger
	plain string
	sess  bool
	hash  func() hash.Hash
}

// kinds are the algorithms that can be answered, by their names in capitals.
var kinds = map[string]kind{
	"":                 {1, "MD5", false, md5.New},
	"MD5":              {1, "MD5", false, md5.New},
	"MD5-SESS":         {1, "MD5", true, md5.New},
	"SHA-256":          {2, "SHA-256", false, sha256.New},
	"SHA-256-SESS":     {2, "SHA-256", true, sha256.New},
	"SHA-512-256":      {3, "SHA-512-256", false, sha512.New512_256},
	"SHA-512-256-SESS": {3, "SHA-512-256", true, sha512.New512_256},
}

// strongest reads challenges and gives the best that can be answered of each
// realm (RFC 8760 section 2.4); of equal ones the first.
func strongest(headers []sip.Header, from who) []*session {
	var best []*session
	for _, h := range headers[:min(len(headers), maxChallenges)] {
		s, ok := read(h.Value(), from)
		if !ok {
			continue
		}
		i := slices.IndexFunc(best, s.same)
		switch {
		case i < 0 && len(best) < maxRealms:
			best = append(best, s)
		case i >= 0 && s.stronger(best[i]):
			best[i] = s
		}
	}
	return best
}

// read takes a challenge that can be answered: with qop auth or, as RFC 2069
// had it, none. The -sess algorithms need the client's nonce, which is sent
// with qop only.
func read(text string, from who) (*session, bool) {
	if len(text) > maxChallenge {
		return nil, false
	}
	text, ok := strict(text)
	if !ok || !quotable(text) {
		return nil, false
	}
	c, err := digest.ParseChallenge(text)
	if err != nil || c.Nonce == "" {
		return nil, false
	}
	k, ok := kinds[strings.ToUpper(c.Algorithm)]
	if !ok {
		return nil, false
	}
	c.QOP = slices.DeleteFunc(c.QOP, func(q string) bool { return q == "" })
	if len(c.QOP) > 0 {
		if !slices.ContainsFunc(c.QOP, func(q string) bool { return strings.EqualFold(strings.TrimSpace(q), "auth") }) {
			return nil, false
		}
		c.QOP = []string{"auth"}
	} else if k.sess {
		return nil, false
	}
	return &session{who: from, ask: c, kind: k, cnonce: rand.Text()}, true
}

func (s *session) same(o *session) bool { return s.who == o.who && s.ask.Realm == o.ask.Realm }

func (s *session) stronger(o *session) bool {
	if s.kind.rank != o.kind.rank {
		return s.kind.rank > o.kind.rank
	}
	return len(s.ask.QOP) > len(o.ask.QOP)
}

// proof is the header that answers the challenge for one more request. The
// client's nonce stays that of the first answer, since the key of the -sess
// algorithms is made of it (RFC 7616 section 3.4.2); the count tells requests
// apart.
func (s *session) proof(c *Client, method, uri string) (sip.Header, error) {
	s.count++
	ask := *s.ask
	ask.Algorithm = s.kind.plain
	o := digest.Options{Method: method, URI: uri, Count: s.count, Username: c.username, Password: c.password, Cnonce: s.cnonce}
	if s.kind.sess {
		o.A1 = s.hash(s.hash(c.username, s.ask.Realm, c.password), s.ask.Nonce, s.cnonce)
	}
	cred, err := digest.Digest(&ask, o)
	if err != nil {
		return nil, fmt.Errorf("answer the challenge of realm %.80q: %w", s.ask.Realm, err)
	}
	cred.Algorithm = s.ask.Algorithm // as the peer spells it, or none
	return sip.NewHeader(s.who.proof, cred.String()), nil
}

func (s *session) hash(parts ...string) string {
	h := s.kind.hash()
	_, _ = h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}
