package trunk

import (
	"fmt"
	"net/netip"
	"slices"

	"axgate/sip/resolve"
)

// places are what the names in a table lead to.
type places struct {
	peers map[netip.Addr][]claim  // of peers that are names
	calls map[netip.Addr][]*Trunk // that are called there
}

// Hops are the next hops and the names of peers, each once: whose addresses
// Learn asks for.
func (t *Table) Hops() []resolve.Hop {
	if t == nil {
		return nil
	}
	var all []resolve.Hop
	add := func(h resolve.Hop) {
		if !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	for _, tr := range t.out {
		add(tr.Hop())
	}
	for _, c := range t.named {
		add(c.peer.hop())
	}
	return all
}

// Named tells whether there are names, so that what they lead to may change.
func (t *Table) Named() bool {
	return slices.ContainsFunc(t.Hops(), func(h resolve.Hop) bool { return fixed(h) == nil })
}

// Learn takes in which addresses hops have now. It may be called at any time.
func (t *Table) Learn(known func(resolve.Hop) []netip.Addr) {
	if t == nil {
		return
	}
	p := &places{peers: map[netip.Addr][]claim{}, calls: map[netip.Addr][]*Trunk{}}
	for _, tr := range t.out {
		for _, ip := range known(tr.Hop()) {
			ip = ip.Unmap()
			p.calls[ip] = append(p.calls[ip], tr)
		}
	}
	for _, c := range t.named {
		for _, ip := range known(c.peer.hop()) {
			ip = ip.Unmap()
			p.peers[ip] = append(p.peers[ip], c)
		}
	}
	t.places.Store(p)
}

// fixed are the addresses of hops that are addresses themselves.
func fixed(h resolve.Hop) []netip.Addr {
	if ip, ok := h.IP(); ok {
		return []netip.Addr{ip}
	}
	return nil
}

// byName finds the trunk one of whose peers is a name that leads to the source.
// If names of two trunks lead there, it is of neither: one may believe what the
// other must not say.
func (t *Table) byName(src netip.AddrPort, transport string) (*Trunk, bool) {
	var found *Trunk
	for _, c := range t.places.Load().peers[src.Addr()] {
		switch {
		case !c.peer.over(src, transport):
		case found != nil && found != c.trunk:
			return nil, false
		default:
			found = c.trunk
		}
	}
	return found, found != nil
}

// Called tells whether calls go out to an address, over whatever trunk.
func (t *Table) Called(ip netip.Addr) bool {
	return t != nil && len(t.places.Load().calls[ip.Unmap().WithZone("")]) > 0
}

// CalledAt tells whether calls over a trunk go out to an address.
func (t *Table) CalledAt(tr *Trunk, ip netip.Addr) bool {
	return t != nil && tr != nil && slices.Contains(t.places.Load().calls[ip.Unmap().WithZone("")], tr)
}

// claimName notes a peer that is a name. Which addresses it leads to may
// change, so that two trunks must not have the same.
func (t *Table) claimName(tr *Trunk, p Peer) error {
	for _, c := range t.named {
		if c.trunk != tr && c.peer.Host == p.Host && c.peer.alike(p) {
			return fmt.Errorf("trunks %q and %q: both have the peer %v, so a call from there would be of both", c.trunk.Name, tr.Name, p)
		}
	}
	t.named = append(t.named, claim{p, tr})
	return nil
}
