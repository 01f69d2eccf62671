package digest

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// The digest algorithms that a Server may ask for (RFC 8760).
const (
	md5Name    = "MD5"
	sha256Name = "SHA-256"
)

// Bounds of what is read of a proof.
const (
	maxCredentials = 4      // headers
	maxCredential  = 2048   // bytes of one
	wrongPassword  = "\x00" // what unknown users are compared with: no account can have it
)

// Role is who asks for a proof.
type Role struct {
	status int
	phrase string
	who    who
}

// The roles: a registrar asks with 401, a proxy, and who takes calls, with 407
// (RFC 3261 sections 22.2 and 22.3).
var (
	Registrar = Role{sip.StatusUnauthorized, "Unauthorized", asks[sip.StatusUnauthorized]}
	Proxy     = Role{sip.StatusProxyAuthRequired, "Proxy Authentication Required", asks[sip.StatusProxyAuthRequired]}
)

// ServerConfig is what a Server asks for. Zero values mean their defaults.
type ServerConfig struct {
	Realm      string        // axgate
	Algorithms []string      // the preferred first: MD5, SHA-256; MD5 alone
	NonceTime  time.Duration // how long a nonce may be used; 5 min
}

// Server asks others for proofs of who they are (RFC 3261 section 22.4). It is
// safe for use by several goroutines.
type Server struct {
	cfg    ServerConfig
	nonces nonces
	mu     sync.Mutex // of the accounts
}

// Account is somebody who can prove to know a password. It belongs to one
// Server.
type Account struct {
	password string
	proofs   proofs
}

// NewAccount makes an account. The password is not empty.
func NewAccount(password string) *Account { return &Account{password: password} }

// Refusal is the final response to a request without a good proof.
type Refusal struct {
	Status  int
	Phrase  string
	Headers []sip.Header
}

// NewServer makes a server with nonces of its own.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.NonceTime == 0 {
		cfg.NonceTime = 5 * time.Minute
	}
	if cfg.Realm == "" {
		cfg.Realm = "axgate"
	}
	if len(cfg.Algorithms) == 0 {
		// RFC 8760 would add SHA-256, but phones are in use that give up when
		// they see a second challenge, or one that they do not know.
		cfg.Algorithms = []string{md5Name}
	}
	if strings.ContainsFunc(cfg.Realm, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		return nil, fmt.Errorf("realm %q: use printable ASCII without quotes", cfg.Realm)
	}
	for _, n := range cfg.Algorithms {
		if n != md5Name && n != sha256Name {
			return nil, fmt.Errorf("algorithm %q: use %s or %s", n, md5Name, sha256Name)
		}
	}
	return &Server{cfg: cfg, nonces: newNonces(cfg.NonceTime)}, nil
}

// Prove finds the account whose password a request proves to know; find gives
// that of a user name, or nil. An unknown user and a wrong password get the
// same answer after the same work.
func (s *Server) Prove(req *sip.Request, as Role, find func(user string) *Account, now time.Time) (*Account, *Refusal) {
	cred := s.credentials(req, as)
	if cred == nil {
		return nil, s.challenge(as, false, now)
	}
	account := find(cred.Username)
	password := wrongPassword
	if account != nil {
		password = account.password
	}
	if !matches(req, cred, password) || account == nil {
		return nil, s.challenge(as, false, now)
	}
	// The password is right; a nonce that is too old, of another process or
	// used before with this count only asks for another try.
	made, ok := s.nonces.read(cred.Nonce, now)
	if !ok {
		return nil, s.challenge(as, true, now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !account.proofs.use(cred.Nonce, made, cred.Nc, now, s.cfg.NonceTime) {
		return nil, s.challenge(as, true, now)
	}
	return account, nil
}

// credentials are those for our realm; nil: there are none that can be used.
// We always ask for qop, so a proof without one, which could be replayed, is
// none.
func (s *Server) credentials(req *sip.Request, as Role) *digest.Credentials {
	headers := req.GetHeaders(as.who.proof)
	for _, h := range headers[:min(len(headers), maxCredentials)] {
		text := h.Value()
		if len(text) > maxCredential {
			continue
		}
		text, ok := strict(text)
		if !ok {
			continue
		}
		cred, err := digest.ParseCredentials(text)
		if err != nil || cred.Realm != s.cfg.Realm || cred.QOP != "auth" || cred.Cnonce == "" || cred.Nc <= 0 || cred.Userhash {
			continue
		}
		if cred.Algorithm == "" {
			cred.Algorithm = md5Name
		}
		if slices.ContainsFunc(s.cfg.Algorithms, func(a string) bool { return strings.EqualFold(a, cred.Algorithm) }) && sameUser(req, cred.URI) {
			return cred
		}
	}
	return nil
}

// sameUser tells whether a proof is for the number that is called: proxies may
// change host and parameters of a Request-URI, nobody the user.
func sameUser(req *sip.Request, proved string) bool {
	var uri sip.Uri
	return sip.ParseUri(proved, &uri) == nil && uri.User == req.Recipient.User
}

func matches(req *sip.Request, cred *digest.Credentials, password string) bool {
	asked := &digest.Challenge{Realm: cred.Realm, Nonce: cred.Nonce, Opaque: cred.Opaque, Algorithm: cred.Algorithm, QOP: []string{"auth"}}
	want, err := digest.Digest(asked, digest.Options{Method: string(req.Method), URI: cred.URI, Count: cred.Nc,
		Username: cred.Username, Password: password, Cnonce: cred.Cnonce})
	if err != nil {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(cred.Response)), []byte(want.Response)) == 1
}

// challenge asks for a proof, with one header for each algorithm.
func (s *Server) challenge(as Role, stale bool, now time.Time) *Refusal {
	a := &Refusal{Status: as.status, Phrase: as.phrase}
	nonce := s.nonces.make(now)
	for _, algorithm := range s.cfg.Algorithms {
		c := digest.Challenge{Realm: s.cfg.Realm, Nonce: nonce, Stale: stale, Algorithm: algorithm, QOP: []string{"auth"}}
		a.Headers = append(a.Headers, sip.NewHeader(as.who.challenge, c.String()))
	}
	return a
}
