package registrar

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"axgate/routing"
)

// The digest algorithms (RFC 8760).
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

// role is who asks for a proof: the registrar (401) or, for calls, the proxy
// (407), RFC 3261 sections 22.2 and 22.3.
type role struct {
	status               int
	phrase               string
	challenge, responses string
}

var (
	registrar = role{sip.StatusUnauthorized, "Unauthorized", "WWW-Authenticate", "Authorization"}
	proxy     = role{sip.StatusProxyAuthRequired, "Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"}
)

func checkAlgorithms(names []string) error {
	for _, n := range names {
		if n != md5Name && n != sha256Name {
			return fmt.Errorf("registrar: algorithm %q: use %s or %s", n, md5Name, sha256Name)
		}
	}
	return nil
}

// prove finds the account whose password a request proves to know. An unknown
// user and a wrong password get the same answer after the same work.
func (r *Registrar) prove(req *sip.Request, who role, now time.Time) (routing.Number, *Answer) {
	cred := r.credentials(req, who)
	if cred == nil {
		return "", r.challenge(who, false, now)
	}
	number, _ := r.number(cred.Username)
	r.mu.Lock()
	account := r.accounts[number]
	r.mu.Unlock()
	password := wrongPassword
	if account != nil {
		password = account.password
	}
	if !r.matches(req, cred, password) || account == nil {
		return "", r.challenge(who, false, now)
	}
	// The password is right; a nonce that is too old, of another process or
	// used before with this count only asks for another try.
	made, ok := r.nonces.read(cred.Nonce, now)
	if !ok {
		return "", r.challenge(who, true, now)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !account.proofs.use(cred.Nonce, made, cred.Nc, now.Add(-r.cfg.NonceTime)) {
		return "", r.challenge(who, true, now)
	}
	return number, nil
}

// credentials are those for our realm; nil: there are none that can be used.
// We always ask for qop, so a proof without one, which could be replayed, is
// none.
func (r *Registrar) credentials(req *sip.Request, who role) *digest.Credentials {
	headers := req.GetHeaders(who.responses)
	for _, h := range headers[:min(len(headers), maxCredentials)] {
		text := h.Value()
		if len(text) > maxCredential {
			continue
		}
		cred, err := digest.ParseCredentials(text)
		if err != nil || cred.Realm != r.cfg.Realm || cred.QOP != "auth" || cred.Cnonce == "" || cred.Nc <= 0 || cred.Userhash {
			continue
		}
		if cred.Algorithm == "" {
			cred.Algorithm = md5Name
		}
		if slices.ContainsFunc(r.cfg.Algorithms, func(a string) bool { return strings.EqualFold(a, cred.Algorithm) }) && sameUser(req, cred.URI) {
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

func (r *Registrar) matches(req *sip.Request, cred *digest.Credentials, password string) bool {
	asked := &digest.Challenge{Realm: cred.Realm, Nonce: cred.Nonce, Opaque: cred.Opaque, Algorithm: cred.Algorithm, QOP: []string{"auth"}}
	want, err := digest.Digest(asked, digest.Options{Method: string(req.Method), URI: cred.URI, Count: cred.Nc,
		Username: cred.Username, Password: password, Cnonce: cred.Cnonce})
	if err != nil {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(cred.Response)), []byte(want.Response)) == 1
}

// challenge asks for a proof, with one header for each algorithm.
func (r *Registrar) challenge(who role, stale bool, now time.Time) *Answer {
	a := &Answer{Status: who.status, Phrase: who.phrase}
	nonce := r.nonces.make(now)
	for _, algorithm := range r.cfg.Algorithms {
		c := digest.Challenge{Realm: r.cfg.Realm, Nonce: nonce, Stale: stale, Algorithm: algorithm, QOP: []string{"auth"}}
		a.Headers = append(a.Headers, sip.NewHeader(who.challenge, c.String()))
	}
	return a
}
