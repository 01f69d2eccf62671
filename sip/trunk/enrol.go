package trunk

import (
	"errors"
	"fmt"
	"strings"
	"time"
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
