package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Hop is where requests are to go next, as somebody has written it: a trunk's
// name or address, its outbound proxy, or the host of a URI. Hops can be
// compared.
type Hop struct {
	Host      string // a domain name in small letters without a dot at its end, or an IP address
	Port      uint16 // 0: not given
	Transport string // "UDP", "TCP" or "TLS"; empty: not given
	Secure    bool   // of a sips URI: TLS and nothing else
}

// ParseHop reads host, host:port or an address, with udp://, tcp:// or tls://
// before it if that transport is to be used, such as sip.example.com or
// tls://[2001:db8::1]:5061.
func ParseHop(s string) (Hop, error) {
	h := Hop{Host: strings.TrimSpace(s)}
	if transport, rest, ok := strings.Cut(h.Host, "://"); ok {
		h.Transport, h.Host = strings.ToUpper(transport), rest
	}
	if ap, err := netip.ParseAddrPort(h.Host); err == nil {
		h.Host, h.Port = ap.Addr().String(), ap.Port()
		if h.Port == 0 {
			return Hop{}, fmt.Errorf("host %.80q: use a port from 1 to 65535", s)
		}
	} else if _, ok := address(h.Host); !ok {
		if host, port, ok := strings.Cut(h.Host, ":"); ok {
			n, err := strconv.ParseUint(port, 10, 16)
			if err != nil || n == 0 {
				return Hop{}, fmt.Errorf("host %.80q: use a port from 1 to 65535", s)
			}
			h.Host, h.Port = host, uint16(n)
		}
	}
	if err := h.complete(); err != nil {
		return Hop{}, fmt.Errorf("host %.80q: %w", s, err)
	}
	return h, nil
}

// HopOf is where a request with this Request-URI or first Route goes (RFC 3263
// section 4.1).
func HopOf(uri sip.Uri) (Hop, error) {
	h := Hop{Host: uri.Host}
	if maddr, ok := uri.UriParams.Get("maddr"); ok {
		h.Host = maddr
	}
	switch strings.ToLower(uri.Scheme) {
	case "sip":
	case "sips":
		h.Secure = true
	default:
		return Hop{}, fmt.Errorf("URI of scheme %.20q: use sip or sips", uri.Scheme)
	}
	if uri.Port < 0 || uri.Port > 65535 {
		return Hop{}, fmt.Errorf("URI with port %d", uri.Port)
	}
	h.Port = uint16(uri.Port)
	if transport, ok := uri.UriParams.Get("transport"); ok {
		h.Transport = strings.ToUpper(transport)
	}
	if h.Secure && h.Transport == "TCP" { // sips over tcp is TLS (RFC 3261 section 26.2.2)
		h.Transport = TLS
	}
	if err := h.complete(); err != nil {
		return Hop{}, fmt.Errorf("URI of host %.80q: %w", uri.Host, err)
	}
	return h, nil
}

// IP is the host if that is an address.
func (h Hop) IP() (netip.Addr, bool) { return address(h.Host) }

// String is what ParseHop reads.
func (h Hop) String() string {
	at := h.Host
	if ip, ok := address(h.Host); ok && h.Port != 0 {
		at = netip.AddrPortFrom(ip, h.Port).String()
	} else if h.Port != 0 {
		at += ":" + strconv.Itoa(int(h.Port))
	}
	transport := h.Transport
	if h.Secure && transport == "" {
		transport = TLS
	}
	if transport != "" {
		return strings.ToLower(transport) + "://" + at
	}
	return at
}

func (h *Hop) complete() error {
	switch h.Transport {
	case "", UDP, TCP, TLS:
	default:
		return fmt.Errorf("transport %.20q: use udp, tcp or tls", strings.ToLower(h.Transport))
	}
	if h.Secure && h.Transport == UDP {
		return errors.New("sips over udp: use tls")
	}
	if ip, ok := address(h.Host); ok {
		if ip = ip.Unmap(); !reachable(ip) || ip.Zone() != "" {
			return fmt.Errorf("address %v: use that of one host", ip)
		}
		h.Host = ip.String()
		return nil
	}
	h.Host = strings.ToLower(strings.TrimSuffix(h.Host, "."))
	if !name(h.Host) {
		return errors.New("use a domain name or an IP address, such as sip.example.com or 192.0.2.7")
	}
	return nil
}

// address reads an IP address; one of IPv6 may stand in brackets.
func address(s string) (netip.Addr, bool) {
	inner, open := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	ip, err := netip.ParseAddr(inner)
	return ip, err == nil && open == closed && (!open || ip.Is6())
}

// reachable tells whether requests may be sent to an address at all, whoever
// says so.
func reachable(ip netip.Addr) bool {
	return ip.IsValid() && !ip.IsUnspecified() && !ip.IsMulticast() && ip != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// name tells whether a text is a domain name as hosts have it. One that ends
// in a number would be an address with a mistake.
func name(s string) bool {
	if len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}
