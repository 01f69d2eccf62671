package node

import (
	"fmt"
	"net/netip"

	"axgate/config"
	"axgate/sip/resolve"
	"axgate/sip/trunk"
)

// trunkWay sets where calls go out to, and when. A name is looked up by calls,
// not here: it leads elsewhere tomorrow.
func trunkWay(t *trunk.Trunk, c *config.Trunk) error {
	t.Way = trunk.Way{Proxy: c.Proxy, Domain: c.Domain, Priority: c.Priority, Weight: c.Weight, Prefixes: c.Prefixes,
		ConnectTimeout: c.ConnectTimeout, PingInterval: c.PingInterval, MaxCPS: c.MaxCPS, TCPLarge: c.TCPLarge, Follow3xx: c.Follow3xx}
	if c.Address == "" {
		return nil
	}
	h, err := resolve.ParseHop(c.Address)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	if ip, ok := h.IP(); ok {
		port := h.Port
		switch {
		case port == 0 && c.Transport == "tls":
			port = 5061
		case port == 0:
			port = 5060
		}
		t.Address = netip.AddrPortFrom(ip, port)
		return nil
	}
	t.Way.Host = c.Address
	return nil
}
