// Package digest is SIP digest authentication (RFC 3261 section 22, RFC 8760)
// for requests of any method: a Client proves to a peer who we are, a Server
// has others prove who they are.
package digest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/identity"
)

// Why a refused request is not to be sent again.
var (
	// ErrNotAsked: the response is no challenge, neither 401 nor 407.
	ErrNotAsked = errors.New("the response asks for no proof")
	// ErrNoName: the peer knows us by no name and password.
	ErrNoName = errors.New("the peer asks for a proof, and we have no user name and password for it")
	// ErrUnknown: no challenge is of a kind that can be answered.
	ErrUnknown = errors.New("the peer asks for a proof of a kind that we cannot give")
	// ErrRejected: the peer has seen a good proof and refused it: the user name
	// or the password is wrong.
	ErrRejected = errors.New("the peer does not accept our user name and password")
	// ErrTooOften: the peer goes on asking.
	ErrTooOften = errors.New("the peer asks for one proof after the other")
)

// MaxTries is how many challenges of one request are answered: the registrar's
// and a proxy's, or one more because the nonce was stale.
const MaxTries = 2

// Bounds of what is read and remembered of a peer's challenges.
const (
	maxChallenges = 8    // headers of one response
	maxChallenge  = 2048 // bytes of one
	maxRealms     = 4    // remembered
)

// Client has the name and password by which one peer knows us. It remembers
// the peer's nonces, so that most requests need not be asked for a proof. It is
// safe for use by several goroutines. A nil Client has no name: its exchanges
// prove nothing.
type Client struct {
	username, password string

	mu       sync.Mutex
	sessions []*session // the one that was asked for last at the end
}

// New makes a client. The user name may be a private identity, user@domain.
func New(username, password string) (*Client, error) {
	switch {
	case username == "" || password == "":
		return nil, errors.New("user name and password: give both")
	case len(username) > 255 || len(password) > 255:
		return nil, errors.New("user name and password: use at most 255 bytes each")
	case !quotable(username):
		return nil, errors.New("user name: use characters that print")
	}
	return &Client{username: username, password: password}, nil
}

// Exchange is one request with its repetitions. It is for one goroutine. A nil
// Exchange proves nothing.
type Exchange struct {
	client *Client
	tries  int
	fresh  []*session // made by challenges of this request
	used   []*session // in the proofs of the last repetition
}

// Begin starts the exchange of a new request.
func (c *Client) Begin() *Exchange {
	if c == nil {
		return nil
	}
	return &Exchange{client: c}
}

// Sign adds the proofs for all that the peer has asked for so far to a request
// that is to be sent; it adds nothing as long as the peer has not asked. Each
// repetition is a new request: new branch, next CSeq (RFC 3261 section 22.1).
func (e *Exchange) Sign(req *sip.Request) error {
	if e == nil {
		return nil
	}
	e.client.mu.Lock()
	defer e.client.mu.Unlock()
	e.used = slices.Clone(e.client.sessions)
	for _, s := range e.used {
		h, err := s.proof(e.client, string(req.Method), req.Recipient.String())
		if err != nil {
			return err
		}
		req.AppendHeader(h)
	}
	return nil
}

// Challenged takes in the challenges of a 401 or 407. Without an error the
// request is to be sent again, with new proofs; an error is one of those above.
func (e *Exchange) Challenged(res *sip.Response) error {
	who, ok := asks[res.StatusCode]
	switch {
	case !ok:
		return ErrNotAsked
	case e == nil:
		return ErrNoName
	}
	sessions := strongest(res.GetHeaders(who.challenge), who)
	if len(sessions) == 0 {
		return ErrUnknown
	}
	e.client.mu.Lock()
	defer e.client.mu.Unlock()
	for _, s := range sessions {
		if e.rejected(s) {
			e.client.forget(s)
			return fmt.Errorf("realm %.80q: %w", s.ask.Realm, ErrRejected)
		}
	}
	if e.tries++; e.tries > MaxTries {
		return ErrTooOften
	}
	for _, s := range sessions {
		e.fresh = append(e.fresh, e.client.remember(s))
	}
	return nil
}

// rejected tells whether a challenge is the answer to a proof that was made for
// a nonce of this very exchange and is not stale: the same proof would be
// refused again (RFC 3261 section 22.2). A nonce that was remembered may just
// be forgotten by the peer, whatever it says of stale.
func (e *Exchange) rejected(now *session) bool {
	if now.ask.Stale {
		return false
	}
	return slices.ContainsFunc(e.used, func(s *session) bool { return s.same(now) && slices.Contains(e.fresh, s) })
}

// remember keeps a session in place of the one for the same realm. If the peer
// has given the same nonce again, the counting goes on.
func (c *Client) remember(s *session) *session {
	for i, old := range c.sessions {
		if old.same(s) {
			if old.ask.Nonce == s.ask.Nonce && old.ask.Algorithm == s.ask.Algorithm {
				s.cnonce, s.count = old.cnonce, old.count
			}
			c.sessions = slices.Delete(c.sessions, i, i+1)
			break
		}
	}
	if len(c.sessions) == maxRealms {
		c.sessions = slices.Delete(c.sessions, 0, 1)
	}
	c.sessions = append(c.sessions, s)
	return s
}

func (c *Client) forget(s *session) {
	c.sessions = slices.DeleteFunc(c.sessions, s.same)
}

// Introduce adds who we are without a proof to a REGISTER that is sent before
// the peer has asked, as IMS networks want it that cannot tell the private
// identity from the public one (3GPP TS 24.229 section 5.1.1.2). It adds
// nothing once the peer has asked.
func (c *Client) Introduce(req *sip.Request, realm string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sessions) == 0 {
		req.AppendHeader(sip.NewHeader("Authorization", fmt.Sprintf(`Digest username=%s, realm=%s, nonce="", uri=%s, response=""`,
			strconv.Quote(c.username), strconv.Quote(realm), strconv.Quote(req.Recipient.String()))))
	}
}

// quotable tells whether a text can stand in a quoted string as the library
// writes it.
func quotable(text string) bool {
	if _, err := identity.Clean(text); err != nil {
		return false
	}
	for _, c := range text {
		if !strconv.IsPrint(c) {
			return false
		}
	}
	return true
}
