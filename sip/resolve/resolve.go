// Package resolve finds where a trunk is: the servers of a SIP domain by its
// NAPTR, SRV and address records (RFC 3263) or the hosts file, in the order in which they are to
// be tried. It keeps the answers for their time and renews them before calls
// need them; when DNS fails, what it said last counts.
package resolve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// The transports.
const (
	UDP = "UDP"
	TCP = "TCP"
	TLS = "TLS" // over TCP
)

// The networks.
const (
	IPv4 = "ip4"
	IPv6 = "ip6"
)

// maxTargets is how many targets a hop may have.
const maxTargets = 64

// Target is one server of a hop.
type Target struct {
	Addr      netip.AddrPort
	Transport string // "UDP", "TCP" or "TLS"
	// ServerName is whom a certificate has to name: the domain that was asked
	// for, not the host that DNS names for it (RFC 5922 section 4).
	ServerName string
}

// Config says whom to ask and how long answers count. Zero values mean their
// defaults.
type Config struct {
	// Servers are the DNS servers, host:port, in the order in which they are
	// asked; none: those of /etc/resolv.conf, read anew for each lookup.
	Servers []string
	Timeout time.Duration // of a question to one server; 2 s
	// Hosts is the file whose names count before DNS, read again when it
	// changes; /etc/hosts. It need not be there.
	Hosts string

	// Watch are hops that are looked up at once and kept known always, so that
	// calls never wait for them: the trunks.
	Watch []Hop

	Transports []string // those that can be used, the preferred first; UDP, TCP
	Networks   []string // of addresses, the preferred first; ip4, ip6

	MinTTL   time.Duration // answers count at least so long; 5 s
	MaxTTL   time.Duration // and at most; 1 h
	Negative time.Duration // that a name is not there counts at most; 1 min
	// Stale is how long an answer serves beyond its time while DNS fails; 24 h.
	Stale time.Duration
	// Patience is how long a request waits for DNS while there is an old answer
	// for it; 1 s.
	Patience time.Duration
}

// Resolver finds hops. It is safe for use by several goroutines.
type Resolver struct {
	cfg Config
	log zerolog.Logger
	now func() time.Time

	hosts hostsFile

	mu      sync.Mutex
	entries map[Hop]*entry
	random  *rand.Rand
	closed  bool

	places chan struct{} // taken by lookups that are under way
	ctx    context.Context
	end    context.CancelFunc
	wait   sync.WaitGroup
}

// Open checks the configuration and starts the resolver, which Close ends.
func Open(cfg Config, log zerolog.Logger) (*Resolver, error) {
	r, err := open(cfg, log)
	if err != nil {
		return nil, err
	}
	r.wait.Go(r.tend)
	return r, nil
}

func open(cfg Config, log zerolog.Logger) (*Resolver, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	r := &Resolver{cfg: cfg, log: log, now: time.Now, entries: make(map[Hop]*entry), places: make(chan struct{}, maxLookups),
		hosts:  hostsFile{path: cfg.Hosts, log: log},
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	for _, h := range cfg.Watch {
		if _, ok := address(h.Host); !ok {
			r.entries[h] = &entry{watched: true}
		}
	}
	r.ctx, r.end = context.WithCancel(context.Background())
	return r, nil
}

// Close ends the lookups that are under way and waits for them.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.end()
	r.wait.Wait()
}

func (c *Config) complete() error {
	for _, s := range c.Servers {
		if ap, err := netip.ParseAddrPort(s); err != nil || ap.Port() == 0 || ap.Addr().IsUnspecified() {
			return fmt.Errorf("DNS server %.80q: use address:port, such as 192.0.2.53:53", s)
		}
	}
	if len(c.Servers) > maxServers {
		return fmt.Errorf("%d DNS servers: use at most %d", len(c.Servers), maxServers)
	}
	if len(c.Watch) > maxWatched {
		return fmt.Errorf("%d names to be watched: use at most %d", len(c.Watch), maxWatched)
	}
	for _, h := range c.Watch {
		if read := h; read.complete() != nil || read != h {
			return fmt.Errorf("host %.80q: it was not read by ParseHop or HopOf", h.Host)
		}
	}
	if c.Hosts == "" {
		c.Hosts = "/etc/hosts"
	}
	if len(c.Transports) == 0 {
		c.Transports = []string{UDP, TCP}
	}
	for _, t := range c.Transports {
		if !slices.Contains([]string{UDP, TCP, TLS}, t) {
			return fmt.Errorf("transport %.20q: use UDP, TCP or TLS", t)
		}
	}
	if len(c.Networks) == 0 {
		c.Networks = []string{IPv4, IPv6}
	}
	for _, n := range c.Networks {
		if n != IPv4 && n != IPv6 {
			return fmt.Errorf("network %.20q: use ip4 or ip6", n)
		}
	}
	for _, d := range []struct {
		of    *time.Duration
		value time.Duration
	}{{&c.Timeout, 2 * time.Second}, {&c.MinTTL, 5 * time.Second}, {&c.MaxTTL, time.Hour}, {&c.Negative, time.Minute}, {&c.Stale, 24 * time.Hour}, {&c.Patience, time.Second}} {
		if *d.of == 0 {
			*d.of = d.value
		}
		if *d.of < 0 {
			return fmt.Errorf("DNS time %v: use 0 for the default, or more", *d.of)
		}
	}
	if c.MinTTL > c.MaxTTL {
		return fmt.Errorf("shortest time of DNS answers %v: it is longer than the longest %v", c.MinTTL, c.MaxTTL)
	}
	return nil
}

// Targets are the servers of a hop in the order in which they are to be tried
// (RFC 3263 section 4): there is at least one. Servers of equal priority come
// in a new order, by their weights, each time (RFC 2782). An outbound proxy is
// found as the hop that it is; the domain behind it need not be in DNS.
func (r *Resolver) Targets(ctx context.Context, h Hop) ([]Target, error) {
	if ip, ok := address(h.Host); ok {
		transport := r.transport(h)
		return []Target{{Addr: netip.AddrPortFrom(ip, portOr(h.Port, transport)), Transport: transport, ServerName: h.Host}}, nil
	}
	found, err := r.found(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", h, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return order(found, h.Host, r.random), nil
}

// Known are the addresses that a hop has by the last good answer, in no order,
// for telling whether a message comes from there. DNS is not asked: of a hop
// that is not watched nothing may be known.
func (r *Resolver) Known(h Hop) []netip.Addr {
	if ip, ok := address(h.Host); ok {
		return []netip.Addr{ip}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[h]
	if e == nil || !r.now().Before(e.stale) {
		return nil
	}
	var all []netip.Addr
	for _, s := range e.services {
		for _, h := range s.hosts {
			for _, ip := range h.addrs {
				if !slices.Contains(all, ip) {
					all = append(all, ip)
				}
			}
		}
	}
	return all
}

// transport is the one for a hop whose name says nothing of it.
func (r *Resolver) transport(h Hop) string {
	switch {
	case h.Transport != "":
		return h.Transport
	case h.Secure:
		return TLS
	case slices.Contains(r.cfg.Transports, UDP):
		return UDP
	}
	return r.cfg.Transports[0]
}

// portOr is a port, or that of the transport if none was given.
func portOr(port uint16, transport string) uint16 {
	switch {
	case port != 0:
		return port
	case transport == TLS:
		return 5061
	}
	return 5060
}
