package trunk

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/sip/identity"
)

// Enrol is our registration with a trunk that wants its customers to register
// (RFC 3261 section 10.2).
type Enrol struct {
	On      bool
	ID      string        // the public identity of the line, user@domain: From and To
	User    string        // of its digest challenges, perhaps user@domain; empty: Trunk.Username
	Domain  string        // host of the Request-URI; it need not be in DNS. Empty: that of ID
	Expires time.Duration // how long it is asked to hold, in whole seconds; 0: 1 h
	// Introduce names the user before anybody asks (3GPP TS 24.229 section 5.1.1.2).
	Introduce bool
}

// Line is the user part of the public identity, and its domain.
func (e Enrol) Line() (user, domain string) {
	user, domain, _ = strings.Cut(e.ID, "@")
	return user, domain
}

// maxEnrol is the longest registration that may be asked for.
const maxEnrol = 7 * 24 * time.Hour

// completeEnrol checks the registration, and fills in what it leaves to other
// settings, or they to it.
func (t *Trunk) completeEnrol() error {
	e := &t.Enrol
	if !e.On {
		if *e != (Enrol{}) {
			return errors.New("its settings for a registration need register")
		}
		return nil
	}
	if !t.CallsOut() {
		return errors.New("register: it needs an address to register at")
	}
	e.ID = strings.TrimPrefix(e.ID, "sip:")
	user, domain := e.Line()
	if user == "" || len(user) > 64 || !word(strings.TrimPrefix(user, "+")) || !host(domain) || domain == "" {
		return fmt.Errorf("register id: use user@domain, such as +8613800000001@ims.example.com")
	}
	switch {
	case e.Domain == "":
		e.Domain = domain
	case !host(e.Domain):
		return fmt.Errorf("register domain %.80q: use a host name or an IP address", e.Domain)
	}
	if e.Expires == 0 {
		e.Expires = time.Hour
	}
	if e.Expires < time.Second || e.Expires > maxEnrol || e.Expires%time.Second != 0 {
		return fmt.Errorf("register expires %v: use whole seconds, at most %v", e.Expires, maxEnrol)
	}
	if t.Way.Domain == "" {
		t.Way.Domain = e.Domain
	}
	if t.FromDomain == "" {
		t.FromDomain = domain
	}
	if e.User == "" {
		e.User = t.Username
	} else if t.Username == "" {
		t.Username = e.User
	}
	if e.Introduce && e.User == "" {
		return errors.New("register introduce: there is no username")
	}
	return nil
}

// Auth is what a trunk without a fixed address proves its calls and texts by
// (RFC 3261 section 22). The zero value: it is known by its address.
type Auth struct{ Username, Password string }

// shortestPassword is how many bytes a password has at least that anybody on
// the Internet may guess at.
const shortestPassword = 8

func (t *Trunk) completeAuth() error {
	a := t.Auth
	switch {
	case a == (Auth{}):
		return nil
	case a.Username == "" || a.Password == "":
		return errors.New("auth username and password: give both or neither")
	case len(a.Username) > 255 || strings.ContainsAny(a.Username, "\"\\"):
		return errors.New("auth username: use at most 255 characters without quotes and backslashes")
	case len(a.Password) < shortestPassword:
		return fmt.Errorf("auth password: it is shorter than %d characters", shortestPassword)
	case len(t.Peers) > 0:
		return errors.New("peers and auth username: a trunk is known by its address or by its name, give one of them")
	}
	if _, err := identity.Clean(a.Username); err != nil {
		return fmt.Errorf("auth username: %w", err)
	}
	return nil
}

// sameName has no two trunks prove themselves by one name.
func (t *Table) sameName(tr *Trunk) error {
	for _, o := range t.all {
		if tr.Auth.Username != "" && o.Auth.Username == tr.Auth.Username {
			return fmt.Errorf("trunks %q and %q: both have the auth username %.80q", o.Name, tr.Name, tr.Auth.Username)
		}
	}
	return nil
}

// ByName finds the trunk that proves itself by a name.
func (t *Table) ByName(username string) (*Trunk, bool) {
	for _, tr := range t.All() {
		if username != "" && tr.Auth.Username == username {
			return tr, true
		}
	}
	return nil, false
}
