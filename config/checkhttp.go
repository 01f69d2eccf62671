package config

import (
	"net/netip"
	"net/url"
	"strings"
	"time"
)

func (k *checker) http(h *HTTP) {
	if h.Listen != Off {
		k.hostPort("http.listen", h.Listen)
	}
	if (h.Cert == "") != (h.Key == "") {
		k.wrong("http.cert", "it and key go together: give both or neither")
	}
	if h.Advertise != "" && !base(h.Advertise) {
		k.wrong("http.advertise", "%.80q: use an address such as https://api.example.com, with nothing behind its path", h.Advertise)
	}
	k.count("http.max_conns", h.MaxConns, 1, 1_000_000)
	k.span("http.window", h.Window, time.Minute, 7*24*time.Hour)
	k.count("http.rate", h.Rate, 0, 100_000_000)
	k.count("http.lockout_after", h.LockoutAfter, 0, 1_000_000)
	k.span("http.lockout_for", h.LockoutFor, time.Second, 24*time.Hour)
	k.networks("http.proxies", h.Proxies)
	k.span("http.link", h.Link, time.Minute, 7*24*time.Hour)
}

func (k *checker) networks(key string, list []string) {
	for i, p := range list {
		if _, err := ParseNetwork(p); err != nil {
			k.wrong(at(key, i), "%.80q: use an address or a network, such as 192.0.2.0/24", p)
		}
	}
}

// base tells whether an address can have a path put behind it.
func base(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil &&
		u.RawQuery == "" && u.Fragment == "" && !strings.ContainsAny(address, "?# ")
}

// ParseNetwork reads a network, or an address as the network of it alone.
func ParseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		ip = ip.WithZone("").Unmap()
		return ip.Prefix(ip.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}
