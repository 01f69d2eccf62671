package trunk

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/routing"
	"axgate/sip/resolve"
)

// AutoTransport is the transport of a trunk with a name whose DNS records say which one
// is used (RFC 3263 section 4.1).
const AutoTransport = "AUTO"

// Way is how calls reach a trunk, and when they go there. Zero values are the
// defaults.
type Way struct {
	// Host is where calls go out to if that is no address: a host name with or
	// without a port, or a domain with NAPTR and SRV records (RFC 3263). Only
	// one of it and Trunk.Address is given.
	Host string
	// Proxy is the fixed outbound proxy: all goes there, with a Route that names
	// it (;lr). Host or Address then need not be reachable, or be there at all.
	Proxy string
	// Domain is the host part of Request-URI and To; empty: Host or Address. It
	// need not be in DNS.
	Domain string

	Priority int      // trunks of a lower one are tried first
	Weight   int      // share of the calls among equals; 0: after those with one, in their order
	Prefixes []string // of the numbers that go over it, in global form; none: all do

	// ConnectTimeout is how long a server may take to say anything to an INVITE,
	// after which the next one is tried; 4 s. One that is repeated, with a proof
	// or a longer session, has as long again.
	ConnectTimeout time.Duration
	PingInterval   time.Duration // between OPTIONS to each server; 0: none are sent
	MaxCPS         int           // calls a second, each way; 0: no limit
	TCPLarge       bool          // it takes over TCP what is too large for UDP (RFC 3261 section 18.1.1)
	// Follow3xx has its redirections followed: to another server of it, for the
	// same callee, before that rings.
	Follow3xx bool
}

// The bounds of a way.
const (
	defaultConnect = 4 * time.Second
	maxConnect     = 32 * time.Second // timer B ends it then
	minPing        = time.Second
	maxPing        = time.Hour
	maxWeight      = 65535
	maxPrefixes    = 1000
)

// CallsOut tells whether calls can go out over the trunk.
func (t *Trunk) CallsOut() bool { return t.Address.IsValid() || t.Way.Host != "" || t.Way.Proxy != "" }

// Hop is where its requests are sent: its proxy, or else its host. It is that
// of a trunk that CallsOut.
func (t *Trunk) Hop() resolve.Hop { return t.hop }

// Host is the host part of Request-URI and To, and its port; 0: none.
func (t *Trunk) Host() (host string, port int) {
	switch {
	case t.Way.Domain != "":
		return t.Way.Domain, 0
	case t.Address.IsValid():
		return t.Address.Addr().String(), int(t.Address.Port())
	}
	h, _ := resolve.ParseHop(t.Way.Host) // complete saw that it can be read
	return h.Host, int(h.Port)
}

// Serves tells whether calls to a number may go over the trunk.
func (t *Trunk) Serves(n routing.Number) bool {
	for _, p := range t.Way.Prefixes {
		if strings.HasPrefix(string(n), p) {
			return true
		}
	}
	return len(t.Way.Prefixes) == 0
}

// completeWay checks the settings of the way and finds the next hop.
func (t *Trunk) completeWay() error {
	w := &t.Way
	if w.Domain != "" && !host(w.Domain) {
		return fmt.Errorf("domain %.80q: use a host name or an IP address", w.Domain)
	}
	if err := w.completeOrder(); err != nil {
		return err
	}
	if !t.CallsOut() {
		if w.Domain != "" {
			return errors.New("domain: it needs an address or a proxy")
		}
		return nil
	}
	if t.Address.IsValid() && w.Host != "" {
		return errors.New("address and host: give one of them")
	}
	if w.Proxy != "" && w.Host == "" && !t.Address.IsValid() && w.Domain == "" {
		return errors.New("proxy: it needs an address or a domain, which the Request-URI has")
	}
	return t.findHop()
}

func (w *Way) completeOrder() error {
	switch {
	case w.Priority < 0 || w.Priority > maxWeight:
		return fmt.Errorf("priority %d: use 0 to %d", w.Priority, maxWeight)
	case w.Weight < 0 || w.Weight > maxWeight:
		return fmt.Errorf("weight %d: use 0 to %d", w.Weight, maxWeight)
	case w.ConnectTimeout < 0 || w.ConnectTimeout > maxConnect:
		return fmt.Errorf("connect timeout %v: use at most %v", w.ConnectTimeout, maxConnect)
	case w.PingInterval != 0 && (w.PingInterval < minPing || w.PingInterval > maxPing):
		return fmt.Errorf("ping interval %v: use 0 for none, or %v to %v", w.PingInterval, minPing, maxPing)
	case w.MaxCPS < 0:
		return fmt.Errorf("max cps %d: use 0 for no limit, or more", w.MaxCPS)
	case len(w.Prefixes) > maxPrefixes:
		return fmt.Errorf("%d prefixes: use at most %d", len(w.Prefixes), maxPrefixes)
	}
	for _, p := range w.Prefixes {
		digits, plus := strings.CutPrefix(p, "+")
		if !plus || digits == "" || len(digits) > 20 || strings.Trim(digits, "0123456789") != "" {
			return fmt.Errorf("prefix %.40q: use the beginning of a number in global form, such as +8613", p)
		}
	}
	if w.ConnectTimeout == 0 {
		w.ConnectTimeout = defaultConnect
	}
	return nil
}

// findHop reads where requests are sent.
func (t *Trunk) findHop() error {
	transport := t.Transport
	if transport == AutoTransport {
		transport = ""
	}
	if t.Address.IsValid() {
		t.hop = resolve.Hop{Host: t.Address.Addr().String(), Port: t.Address.Port(), Transport: transport}
	}
	for _, s := range []struct{ what, value string }{{"host", t.Way.Host}, {"proxy", t.Way.Proxy}} {
		if s.value == "" {
			continue
		}
		h, err := resolve.ParseHop(s.value)
		if err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		if h.Transport != "" {
			return fmt.Errorf("%s %.80q: the transport has a setting of its own", s.what, s.value)
		}
		h.Transport = transport
		t.hop = h
	}
	if t.hop.Host == "" { // a proxy alone never comes here
		return errors.New("it has no address")
	}
	return nil
}
