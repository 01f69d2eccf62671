package provision

import (
	"net/netip"
	"strings"

	"axgate/ledger"
)

// access checks what the API requests of an app are held to.
func (c *check) access(a *ledger.App) {
	const mostPerMinute, mostNetworks = 100_000_000, 100
	if a.Rate > mostPerMinute {
		c.wrong("rate", "%d is more than %d requests per minute", a.Rate, mostPerMinute)
	}
	if len(a.Networks) > mostNetworks {
		c.wrong("networks", "there are more than %d", mostNetworks)
	}
	for _, text := range a.Networks {
		if !network(text) {
			c.wrong("networks", "%.80q is no address and no network such as 192.0.2.0/24", text)
		}
	}
}

// network tells whether a text is an address or a network in CIDR form.
func network(text string) bool {
	if strings.ContainsRune(text, '/') {
		_, err := netip.ParsePrefix(text)
		return err == nil
	}
	ip, err := netip.ParseAddr(text)
	return err == nil && ip.Zone() == ""
}
