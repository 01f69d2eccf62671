package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Bounds of what counts of an answer; what is more is left out.
const (
	maxNAPTR = 16 // pointers of a domain
	maxSRV   = 16 // hosts of a service
	maxAddrs = 8  // addresses of a host in one network
)

// services are the names of transports in NAPTR and SRV records (RFC 3263
// section 4.1, RFC 3261 section 26.2.2).
var services = []struct{ transport, naptr, srv string }{
	{UDP, "SIP+D2U", "_sip._udp."},
	{TCP, "SIP+D2T", "_sip._tcp."},
	{TLS, "SIPS+D2T", "_sips._tcp."},
}

// errDeclined is that a domain says that it does not offer a service.
var errDeclined = fmt.Errorf("the service is not offered: %w", errNone)

func srvName(transport, domain string) string {
	for _, s := range services {
		if s.transport == transport {
			return s.srv + domain
		}
	}
	return ""
}

// find is RFC 3263 section 4: how a domain is reached, the best way first.
func (l *lookup) find(h Hop, fallback string) ([]service, error) {
	transport := cmp.Or(h.Transport, fallback)
	switch {
	case h.Port != 0 || len(l.inHosts(h.Host)) > 0: // whom the hosts file names is a host, whatever DNS says of services
		return l.single(transport, h.Host, h.Port)
	case h.Transport != "":
		return l.named(transport, h.Host)
	}
	offered := l.cfg.Transports
	if h.Secure {
		offered = []string{TLS}
	}
	ways := l.pointed(h.Host, offered)
	if len(ways) > 0 {
		return l.follow(ways, h.Host, ways[0].transport)
	}
	for _, t := range offered {
		ways = append(ways, pointer{t, srvName(t, h.Host)})
	}
	return l.follow(ways, h.Host, transport)
}

// pointed are the NAPTR records of a domain that can be used; it may have none.
// A server that does not know the type, or drops the question, says as much as
// one that has none: then those that it had before count. The transports are
// only those offered, so what wants TLS gets no other for it.
func (l *lookup) pointed(domain string, offered []string) []pointer {
	whole := l.ctx
	ctx, cancel := context.WithTimeout(whole, naptrTime)
	defer cancel()
	l.ctx = ctx
	rrs, err := l.records(domain, dns.TypeNAPTR)
	l.ctx = whole
	if err != nil && !errors.Is(err, errNone) {
		l.ttl = min(l.ttl, l.cfg.Negative)
		return l.pointers
	}
	l.pointers = usable(rrs, offered)
	return l.pointers
}

// follow asks for the SRV records of each way. Where there are none at all, the
// domain is a host (section 4.2).
func (l *lookup) follow(ways []pointer, domain, fallback string) ([]service, error) {
	var found []service
	var failed error
	declined := false
	for _, w := range ways {
		hosts, err := l.hosts(w.to)
		switch {
		case errors.Is(err, errNone):
			declined = declined || w.transport == fallback && errors.Is(err, errDeclined)
		case err != nil:
			failed = err
		default:
			found = append(found, service{w.transport, hosts})
		}
	}
	switch {
	case len(found) > 0:
		l.partial = l.partial || failed != nil
		return found, nil
	case failed != nil:
		return nil, failed
	case declined:
		return nil, errDeclined
	}
	return l.single(fallback, domain, 0)
}

// pointer names the SRV records of a transport.
type pointer struct {
	transport, to string
}

// usable picks the NAPTR records of transports that are offered. Once one of an
// order can be used, those of later orders do not count (RFC 3403 section 4.1).
func usable(rrs []dns.RR, offered []string) []pointer {
	var all []*dns.NAPTR
	for _, rr := range rrs {
		n, ok := rr.(*dns.NAPTR)
		if ok && strings.EqualFold(n.Flags, "s") && n.Regexp == "" && slices.Contains(offered, transportOf(n)) {
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b *dns.NAPTR) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Preference, b.Preference))
	})
	var pointers []pointer
	for _, n := range all[:min(len(all), maxNAPTR)] {
		if n.Order == all[0].Order {
			pointers = append(pointers, pointer{transportOf(n), n.Replacement})
		}
	}
	return pointers
}

func transportOf(n *dns.NAPTR) string {
	for _, s := range services {
		if strings.EqualFold(n.Service, s.naptr) {
			return s.transport
		}
	}
	return ""
}

// named finds a domain over a transport that is given.
func (l *lookup) named(transport, domain string) ([]service, error) {
	hosts, err := l.hosts(srvName(transport, domain))
	switch {
	case errors.Is(err, errNone) && !errors.Is(err, errDeclined):
		return l.single(transport, domain, 0)
	case err != nil:
		return nil, err
	}
	return []service{{transport, hosts}}, nil
}

// single is a host that no SRV record names.
func (l *lookup) single(transport, name string, port uint16) ([]service, error) {
	addrs, err := l.addresses(name)
	if err != nil {
		return nil, err
	}
	return []service{{transport, []host{{port: portOr(port, transport), addrs: addrs}}}}, nil
}

// hosts are those of an SRV name that have an address.
func (l *lookup) hosts(srv string) ([]host, error) {
	rrs, err := l.records(srv, dns.TypeSRV)
	if err != nil {
		return nil, err
	}
	var all []host
	var failed error
	for _, s := range first(rrs) {
		if s.Target == "." || s.Port == 0 {
			continue
		}
		addrs, err := l.addresses(s.Target)
		switch {
		case err == nil:
			all = append(all, host{priority: s.Priority, weight: s.Weight, port: s.Port, addrs: addrs})
		case !errors.Is(err, errNone):
			failed = err
		}
	}
	switch {
	case len(all) > 0:
		l.partial = l.partial || failed != nil
		return all, nil
	case failed != nil:
		return nil, failed
	}
	return nil, errDeclined // "." (RFC 2782), or names that lead nowhere
}

// first are the SRV records that count: the best priorities, if there are many.
func first(rrs []dns.RR) []*dns.SRV {
	var all []*dns.SRV
	for _, rr := range rrs {
		if s, ok := rr.(*dns.SRV); ok {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b *dns.SRV) int { return cmp.Compare(a.Priority, b.Priority) })
	return all[:min(len(all), maxSRV)]
}

// addresses are those of a name in the networks that are used. One network
// that cannot be asked about does not spoil the other.
func (l *lookup) addresses(name string) ([]netip.Addr, error) {
	if ip, ok := address(strings.TrimSuffix(name, ".")); ok && reachable(ip) { // an SRV record with a mistake that is common
		return []netip.Addr{ip.Unmap()}, nil
	}
	if listed := l.inHosts(name); len(listed) > 0 {
		l.ttl = 0 // the file may change at any time
		return listed, nil
	}
	var all []netip.Addr
	var failed error
	for _, network := range l.cfg.Networks {
		kind := dns.TypeA
		if network == IPv6 {
			kind = dns.TypeAAAA
		}
		rrs, err := l.records(name, kind)
		if err != nil && !errors.Is(err, errNone) {
			failed = err
		}
		n := 0
		for _, rr := range rrs {
			if ip := ipOf(rr); reachable(ip) && n < maxAddrs {
				all = append(all, ip)
				n++
			}
		}
	}
	switch {
	case len(all) > 0:
		l.partial = l.partial || failed != nil
		return all, nil
	case failed != nil:
		return nil, failed
	}
	return nil, fmt.Errorf("addresses of %s: %w", name, errNone)
}

// ipOf is the address of a record; invalid if it has none of its network.
func ipOf(rr dns.RR) netip.Addr {
	switch a := rr.(type) {
	case *dns.A:
		ip, _ := netip.AddrFromSlice(a.A)
		return ip.Unmap()
	case *dns.AAAA:
		if ip, _ := netip.AddrFromSlice(a.AAAA); !ip.Is4In6() {
			return ip
		}
	}
	return netip.Addr{}
}
