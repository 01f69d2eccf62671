package trunk

import (
	"encoding"
	"fmt"
	"net/netip"
	"strings"

	"axgate/sip/resolve"
)

// Peer is where a trunk's calls may come from.
type Peer struct {
	Host      string // a name whose addresses in DNS count; Net is not set then
	Net       netip.Prefix
	Port      uint16 // 0: any
	Transport string // "UDP", "TCP" or "TLS"; empty: any
}

var (
	_ encoding.TextMarshaler   = Peer{}
	_ encoding.TextUnmarshaler = (*Peer)(nil)
)

// ParsePeer reads 192.0.2.0/24, 192.0.2.7, 192.0.2.7:5060 or the like for
// IPv6, or a name such as sip.example.com, with udp://, tcp:// or tls:// before
// it if only that transport counts.
func ParsePeer(s string) (Peer, error) {
	var p Peer
	at := strings.TrimSpace(s)
	if transport, rest, ok := strings.Cut(at, "://"); ok {
		t, err := transportNamed(transport)
		if err != nil {
			return Peer{}, fmt.Errorf("peer %.80q: %w", s, err)
		}
		p.Transport, at = t, rest
	}
	if net, err := netip.ParsePrefix(at); err == nil {
		p.Net = plain(net)
		return p, nil
	}
	ip, ok := address(at)
	if ap, err := netip.ParseAddrPort(at); err == nil && ap.Port() != 0 {
		ip, p.Port, ok = ap.Addr(), ap.Port(), true
	}
	switch {
	case !ok && named(at):
		h, err := resolve.ParseHop(at)
		if err != nil {
			return Peer{}, fmt.Errorf("peer: %w", err)
		}
		p.Host, p.Port = h.Host, h.Port
		return p, nil
	case !ok:
		return Peer{}, fmt.Errorf("peer %.80q: use an address, address:port, network or name, such as 192.0.2.7, 192.0.2.7:5060, 192.0.2.0/24 or sip.example.com", s)
	case ip.Unmap().IsUnspecified():
		return Peer{}, fmt.Errorf("peer %.80q: no message comes from this address; use 0.0.0.0/0 or ::/0 for all addresses", s)
	}
	p.Net = whole(ip)
	return p, nil
}

// named tells whether a text looks like a domain name: it has a dot, and its
// last label a letter.
func named(s string) bool {
	s, _, _ = strings.Cut(s, ":")
	i := strings.LastIndexByte(s, '.')
	return i > 0 && strings.ContainsFunc(s[i:], func(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' })
}

// hop is where the addresses of a name are found.
func (p Peer) hop() resolve.Hop {
	return resolve.Hop{Host: p.Host, Port: p.Port, Transport: p.Transport}
}

// address reads an IP address; one of IPv6 may stand in brackets.
func address(s string) (netip.Addr, bool) {
	inner, open := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	ip, err := netip.ParseAddr(inner)
	return ip, err == nil && open == closed && (!open || ip.Is6())
}

// String is what ParsePeer reads.
func (p Peer) String() string {
	at := p.Net.String()
	switch {
	case p.Host != "" && p.Port != 0:
		at = fmt.Sprintf("%s:%d", p.Host, p.Port)
	case p.Host != "":
		at = p.Host
	case p.Port != 0:
		at = netip.AddrPortFrom(p.Net.Addr(), p.Port).String()
	case p.Net.IsSingleIP():
		at = p.Net.Addr().String()
	}
	if p.Transport != "" {
		return strings.ToLower(p.Transport) + "://" + at
	}
	return at
}

// MarshalText writes the peer as String does.
func (p Peer) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the peer as ParsePeer does.
func (p *Peer) UnmarshalText(text []byte) error {
	parsed, err := ParsePeer(string(text))
	if err == nil {
		*p = parsed
	}
	return err
}

func (p Peer) has(src netip.AddrPort, transport string) bool {
	return p.over(src, transport) && p.Net.Contains(src.Addr())
}

// over tells whether port and transport of a source are those of the peer.
func (p Peer) over(src netip.AddrPort, transport string) bool {
	return (p.Port == 0 || p.Port == src.Port()) && (p.Transport == "" || p.Transport == transport)
}

func (p Peer) overlaps(q Peer) bool {
	return p.Net.Overlaps(q.Net) && p.alike(q)
}

// alike tells whether a source may have port and transport of both.
func (p Peer) alike(q Peer) bool {
	return (p.Port == 0 || q.Port == 0 || p.Port == q.Port) &&
		(p.Transport == "" || q.Transport == "" || p.Transport == q.Transport)
}

func transportNamed(name string) (string, error) {
	switch t := strings.ToUpper(name); t {
	case "UDP", "TCP", "TLS":
		return t, nil
	}
	return "", fmt.Errorf("transport %.20q: use udp, tcp or tls", name)
}

// whole is the network of one address.
func whole(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	return netip.PrefixFrom(ip, ip.BitLen())
}

// plain is a network without the bits behind its mask, in IPv4 if it is
// written as such inside IPv6.
func plain(net netip.Prefix) netip.Prefix {
	if ip := net.Addr(); ip.Is4In6() && net.Bits() >= 96 {
		net = netip.PrefixFrom(ip.Unmap(), net.Bits()-96)
	}
	return net.Masked()
}
