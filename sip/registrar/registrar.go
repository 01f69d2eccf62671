// Package registrar is the registrar of softphones (RFC 3261 section 10.3): a
// phone that proves by digest that a number is its own is reachable at its
// contact and may call. All state is in memory and bounded by the accounts:
// phones register again within their expiry.
package registrar

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/digest"
)

// Account is a number that may register.
type Account struct {
	Number   routing.Number // its real number, in global form
	Password string
}

// Config says who may register, and for how long. Zero values mean their
// defaults.
type Config struct {
	Plan     routing.Plan // reads user names: a number in any usual spelling
	Accounts []Account

	Realm      string        // of the challenges; axgate
	Algorithms []string      // of the challenges, the preferred first: MD5, SHA-256; MD5 alone
	NonceTime  time.Duration // how long a nonce may be used; 5 min

	MinExpires time.Duration // a shorter registration is refused with 423; 1 min
	MaxExpires time.Duration // a longer one is shortened; 1 h
}

// Registrar keeps where phones are. It is safe for use by several goroutines.
type Registrar struct {
	cfg    Config
	digest *digest.Server

	mu       sync.Mutex
	accounts map[routing.Number]*account
}

// account is one number: its password, and what its phones have told us.
type account struct {
	proving  *digest.Account
	contacts []contact
}

// Answer is the final response to a request.
type Answer = digest.Refusal

// Location is where a phone can be reached.
type Location struct {
	URI       sip.Uri        // its contact: the Request-URI
	Source    netip.AddrPort // where it registered from: there requests go, so that NATs let them through
	Transport string         // "UDP", "TCP" or "TLS"
}

// New checks the accounts. The error names the one that is wrong, not its
// password.
func New(cfg Config) (*Registrar, error) {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&cfg.MaxExpires, time.Hour)
	set(&cfg.MinExpires, min(time.Minute, cfg.MaxExpires))
	if cfg.MinExpires < time.Second || cfg.MinExpires > cfg.MaxExpires {
		return nil, fmt.Errorf("registrar: the shortest registration %v is not between 1s and the longest %v", cfg.MinExpires, cfg.MaxExpires)
	}
	asks, err := digest.NewServer(digest.ServerConfig{Realm: cfg.Realm, Algorithms: cfg.Algorithms, NonceTime: cfg.NonceTime})
	if err != nil {
		return nil, fmt.Errorf("registrar: %w", err)
	}
	r := &Registrar{cfg: cfg, digest: asks, accounts: make(map[routing.Number]*account, len(cfg.Accounts))}
	for _, a := range cfg.Accounts {
		switch kind := cfg.Plan.Kind(a.Number); {
		case kind != routing.Mobile && kind != routing.Fixed && kind != routing.Service:
			return nil, fmt.Errorf("registrar: account %q: it is %s, use a mobile, fixed-line or service number in global form", string(a.Number), kind)
		case a.Password == "":
			return nil, fmt.Errorf("registrar: account %q has no password", string(a.Number))
		case r.accounts[a.Number] != nil:
			return nil, fmt.Errorf("registrar: account %q is there twice", string(a.Number))
		}
		r.accounts[a.Number] = &account{proving: digest.NewAccount(a.Password)}
	}
	return r, nil
}

// Lookup finds the phone of a number in global form: the contact that is
// preferred by its q, or else registered last.
func (r *Registrar) Lookup(number string, now time.Time) (Location, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.accounts[routing.Number(number)]
	if a == nil {
		return Location{}, false
	}
	a.expire(now)
	var best *contact
	for i := range a.contacts {
		if c := &a.contacts[i]; best == nil || c.q > best.q || c.q == best.q && !c.at.Before(best.at) {
			best = c
		}
	}
	if best == nil {
		return Location{}, false
	}
	return Location{URI: *best.uri.Clone(), Source: best.source, Transport: best.transport}, true
}

// Has tells whether a number in global form has an account, registered or not.
func (r *Registrar) Has(number string) bool {
	return r.accounts[routing.Number(number)] != nil // the map does not change
}

// Digest is what asks phones for their proofs, for those who ask them for more
// than REGISTER.
func (r *Registrar) Digest() *digest.Server { return r.digest }

// Account finds the account of a user name of Digest, and its number in global
// form; nil: there is none.
func (r *Registrar) Account(user string) (routing.Number, *digest.Account) {
	n, _ := r.number(user)
	if a := r.accounts[n]; a != nil { // the map does not change
		return n, a.proving
	}
	return "", nil
}

// Register answers a REGISTER that came from an address over "UDP", "TCP" or "TLS".
func (r *Registrar) Register(req *sip.Request, from netip.AddrPort, transport string, now time.Time) Answer {
	if required := req.GetHeaders("Require"); len(required) > 0 {
		var names []string
		for _, h := range required[:min(len(required), 8)] {
			names = append(names, h.Value())
		}
		return Answer{Status: sip.StatusBadExtension, Phrase: "Bad Extension", Headers: []sip.Header{sip.NewHeader("Unsupported", strings.Join(names, ", "))}}
	}
	var n routing.Number
	_, asked := r.digest.Prove(req, digest.Registrar, func(user string) (a *digest.Account) {
		n, a = r.Account(user)
		return a
	}, now)
	if asked != nil {
		return *asked
	}
	// Step 4 of section 10.3: a phone registers its own number only.
	if of, ok := r.number(req.To().Address.User); !ok || of != n {
		return Answer{Status: sip.StatusForbidden, Phrase: "Not Your Number"}
	}
	wish, refused := r.read(req)
	if refused != nil {
		return *refused
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.accounts[n]
	a.expire(now)
	if !a.apply(wish, from, transport, now) {
		return Answer{Status: sip.StatusInternalServerError, Phrase: "CSeq Out Of Order"}
	}
	return Answer{Status: sip.StatusOK, Phrase: "OK", Headers: a.list(now)}
}

// number reads a user name, perhaps with escapes in it (RFC 3261 section
// 19.1.2) and a domain behind it.
func (r *Registrar) number(user string) (routing.Number, bool) {
	user, _, _ = strings.Cut(user, "@")
	user, _, _ = strings.Cut(user, ";")
	if plain, err := url.PathUnescape(user); err == nil {
		user = plain
	}
	return r.cfg.Plan.ReadNumber(user)
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
