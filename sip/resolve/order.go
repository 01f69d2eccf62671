package resolve

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// service is a transport over which a domain is reached, and its hosts.
type service struct {
	transport string
	hosts     []host
}

// host is what an SRV record names.
type host struct {
	priority, weight uint16
	port             uint16
	addrs            []netip.Addr // in the order of the networks
}

// order lays services out as targets, each once.
func order(services []service, name string, random *rand.Rand) []Target {
	var all []Target
	for _, s := range services {
		for _, h := range draw(s.hosts, random) {
			for _, ip := range turn(h.addrs, random) {
				t := Target{Addr: netip.AddrPortFrom(ip, h.port), Transport: s.transport, ServerName: name}
				if len(all) < maxTargets && !slices.Contains(all, t) {
					all = append(all, t)
				}
			}
		}
	}
	return all
}

// draw orders hosts by priority, and within one by lot: the chance to be next
// goes with the weight (RFC 2782).
func draw(hosts []host, random *rand.Rand) []host {
	left := slices.Clone(hosts)
	slices.SortStableFunc(left, func(a, b host) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(min(a.weight, 1), min(b.weight, 1))) // those without weight first
	})
	drawn := make([]host, 0, len(left))
	for len(left) > 0 {
		same, sum := 0, 0
		for same < len(left) && left[same].priority == left[0].priority {
			sum += int(left[same].weight)
			same++
		}
		lot, i := random.IntN(sum+1), 0
		if sum == 0 { // all without weight: they are equal
			i = random.IntN(same)
		}
		for run := int(left[0].weight); sum > 0 && run < lot; run += int(left[i].weight) {
			i++
		}
		drawn = append(drawn, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return drawn
}

// turn begins with another address of the same network each time, for the
// servers behind one name are equal.
func turn(addrs []netip.Addr, random *rand.Rand) []netip.Addr {
	turned := make([]netip.Addr, 0, len(addrs))
	for len(addrs) > 0 {
		same := 1
		for same < len(addrs) && addrs[same].Is4() == addrs[0].Is4() {
			same++
		}
		first := random.IntN(same)
		turned = append(append(turned, addrs[first:same]...), addrs[:first]...)
		addrs = addrs[same:]
	}
	return turned
}
