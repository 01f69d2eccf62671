package media

import (
	"net/netip"
	"time"
)

// oldSourceRest is how long after a Point with another address the source of before may not be latched again: it still
// sends for a moment.
const oldSourceRest = int64(500 * time.Millisecond)

// latch decides which source's packets are the peer's (RFC 7362 section 5). It exists from Point until a source is found.
type latch struct {
	since      int64
	signalled  netip.AddrPort // may be invalid
	nat        bool
	window     int64
	old        netip.AddrPort // the source before, if the signalled address changed
	candidates [8]candidate
	next       int // the candidate to give up for a new one
}

// candidate is a source that sent one packet. Each source is counted for itself, so that one cannot complete another's pair.
type candidate struct {
	from netip.AddrPort
	ssrc uint32
	seq  uint16
}

// admit says whether a valid packet is to be believed and its source latched. The signalled address is believed at once;
// another source has to send two packets in sequence, and to have the signalled IP address unless the peer is behind a
// NAT, the window is open, and the source near what was signalled.
func (l *latch) admit(from netip.AddrPort, p packet, now int64) bool {
	if from == l.signalled {
		return true
	}
	if from == l.old && now-l.since < oldSourceRest {
		return false
	}
	if from.Addr() != l.signalled.Addr() && (!l.nat || now-l.since > l.window || !near(from.Addr(), l.signalled.Addr())) {
		return false
	}
	for i := range l.candidates {
		c := &l.candidates[i]
		if c.from != from {
			continue
		}
		ok := c.ssrc == p.ssrc && p.seq == c.seq+1
		c.ssrc, c.seq = p.ssrc, p.seq
		return ok
	}
	l.candidates[l.next] = candidate{from: from, ssrc: p.ssrc, seq: p.seq}
	l.next = (l.next + 1) % len(l.candidates)
	return false
}

// shared is the address space between a carrier and its customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// near says whether a source may be the peer that signalled an address. One that only its own network knows says nothing
// of where the peer is; a public one does, at least by its network: a NAT or a media gateway may hold several addresses.
func near(source, signalled netip.Addr) bool {
	if !signalled.IsGlobalUnicast() || signalled.IsPrivate() || shared.Contains(signalled) {
		return true
	}
	bits := 24
	if signalled.Is6() {
		bits = 64
	}
	network, err := signalled.Prefix(bits)
	return err == nil && network.Contains(source)
}
