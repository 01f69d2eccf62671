// Package enrol keeps us registered with a trunk that wants its customers to
// register (RFC 3261 section 10.2): it registers, refreshes, tries again when
// that fails, and takes the registration back at the end.
package enrol

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"axgate/sip/digest"
	"axgate/sip/identity"
)

// Sender sends requests to where a registration goes.
type Sender interface {
	// Send sends a REGISTER, which has all but Via: that is of the way it takes,
	// and so are host, port and parameters of Contact, which Send may set. It
	// waits for the final response. An error is that there is none: nobody
	// answers or can be reached, or ctx is done.
	Send(ctx context.Context, req *sip.Request) (*sip.Response, error)
}

// Config is one registration. Zero durations mean their defaults.
type Config struct {
	Domain  string  // of the registrar, as Request-URI; it need not be in DNS
	Public  sip.Uri // the public identity: From and To
	Contact sip.Uri // where its calls are to come to, unless the Sender says more of it
	// Route is the way that is given: the outbound proxy, with ;lr (RFC 3608
	// section 5). None: requests go to the domain.
	Route []sip.Uri

	// Username and Password answer challenges; the name may be the private
	// identity, user@domain. Both empty: challenges are not answered.
	Username, Password string
	// Introduce names the user before anybody asks (3GPP TS 24.229 section 5.1.1.2).
	Introduce bool
	Agent     string // User-Agent; empty: none

	Expires time.Duration // how long a registration is to last, in whole seconds; 1 h
	// RetryMin is how long to wait after a failure, which doubles with each up
	// to RetryMax; 30 s (RFC 5626 section 4.5) and 5 min.
	RetryMin, RetryMax time.Duration
}

// The states.
const (
	Trying     State = "trying"     // the first REGISTER is not answered yet
	Registered State = "registered" // calls can come and go, also while a refresh fails
	Failed     State = "failed"     // not registered; it is tried again
	Closed     State = "closed"
)

// State is what a registration is in.
type State string

// Status is a registration as operators see it.
type Status struct {
	State State
	Until time.Time // the registration runs out then unless it is refreshed; zero: there was none
	Next  time.Time // when the next REGISTER is due; zero: one is under way, or it is closed
	// Failure is why the last attempt failed, without the peer's reason phrase,
	// which may name anybody; empty: it did not.
	Failure  string
	FailedAt time.Time
	Failures int // attempts in a row that failed

	// ServiceRoute, Path and Associated are what the last 200 said: the way of
	// requests of ours (RFC 3608), that of requests to us (RFC 3327), and the
	// other identities of this line (P-Associated-URI, RFC 7315), each as a URI.
	ServiceRoute, Path, Associated []string
}

// Registration keeps itself. It is safe for use by several goroutines.
type Registration struct {
	cfg    Config
	sender Sender
	log    zerolog.Logger
	proof  *digest.Client // nil: challenges are not answered

	again chan struct{} // register at once
	end   context.CancelFunc
	done  chan struct{} // closed when run has ended
	begin sync.Once     // of Start
	once  sync.Once     // of Close

	callID, tag string // of all its requests
	// Of run, and after its end of Close.
	cseq    uint32
	expires time.Duration // asked for: the configured, or more if the registrar wanted more
	perhaps bool          // the registrar may know us
	contact sip.Uri       // of the last request, as it was sent
	steps   int           // of the back-off

	mu     sync.Mutex
	status Status // its State is made when it is read
	closed bool
}

// New checks the configuration. Start begins to register, Close ends it.
func New(cfg Config, sender Sender, log zerolog.Logger) (*Registration, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	r := &Registration{cfg: cfg, sender: sender, log: log, again: make(chan struct{}, 1), done: make(chan struct{}),
		callID: rand.Text(), tag: rand.Text()[:16], expires: cfg.Expires}
	if cfg.Username != "" || cfg.Password != "" {
		var err error
		if r.proof, err = digest.New(cfg.Username, cfg.Password); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Start begins to register. It does nothing after the first time, or after
// Close.
func (r *Registration) Start() {
	r.begin.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		r.end = cancel
		go func() {
			defer close(r.done)
			r.run(ctx)
		}()
	})
}

// Close stops refreshing and takes the registration back. ctx limits how long
// the registrar may take to answer. The error is that it may still know us.
func (r *Registration) Close(ctx context.Context) error {
	var err error
	r.once.Do(func() {
		r.begin.Do(func() {
			r.end = func() {}
			close(r.done)
		})
		r.end()
		<-r.done
		if r.perhaps {
			err = r.leave(ctx)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.closed = true
		r.status.Next = time.Time{}
	})
	return err
}

// Renew registers at once, because the connection is lost that calls come by or
// an operator wants it. Attempts keep a short distance from each other.
func (r *Registration) Renew() {
	select {
	case r.again <- struct{}{}:
	default: // it is due already
	}
}

// Status is how it stands now.
func (r *Registration) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.status
	s.ServiceRoute, s.Path, s.Associated = slices.Clone(s.ServiceRoute), slices.Clone(s.Path), slices.Clone(s.Associated)
	switch {
	case r.closed:
		s.State = Closed
	case time.Now().Before(s.Until):
		s.State = Registered
	case s.Failures > 0:
		s.State = Failed
	default:
		s.State = Trying
	}
	return s
}

func (c *Config) complete() error {
	for _, d := range []struct {
		of    *time.Duration
		value time.Duration
	}{{&c.Expires, time.Hour}, {&c.RetryMin, 30 * time.Second}, {&c.RetryMax, max(5*time.Minute, c.RetryMin)}} {
		if *d.of == 0 {
			*d.of = d.value
		}
	}
	switch {
	case c.Expires < time.Second || c.Expires > maxExpires || c.Expires%time.Second != 0:
		return fmt.Errorf("registration of %v: use whole seconds from 1s to %v", c.Expires, maxExpires)
	case c.RetryMin < time.Second || c.RetryMax < c.RetryMin || c.RetryMax > maxExpires:
		return fmt.Errorf("try again after %v to %v: use 1s to %v, the shorter first", c.RetryMin, c.RetryMax, maxExpires)
	case c.Public.User == "" || c.Public.Host == "" || c.Public.Scheme != "sip" && c.Public.Scheme != "sips":
		return errors.New("public identity: use a SIP URI with a user, such as sip:+8613800000001@ims.example.com")
	case c.Contact.Host == "":
		return errors.New("contact: it has no host")
	case (c.Username == "") != (c.Password == ""):
		return errors.New("user name and password: give both or neither")
	case c.Introduce && c.Username == "":
		return errors.New("there is no user name to introduce")
	}
	var uri sip.Uri
	if err := sip.ParseUri("sip:"+c.Domain, &uri); err != nil || uri.Host == "" || uri.User != "" || strings.ContainsAny(c.Domain, ";?<>\" ") {
		return fmt.Errorf("domain %.80q: use a host name or an IP address", c.Domain)
	}
	for _, text := range []string{c.Domain, c.Public.String(), c.Contact.String(), c.Agent} {
		if _, err := identity.Clean(text); err != nil {
			return err
		}
	}
	return nil
}
