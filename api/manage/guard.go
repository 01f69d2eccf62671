package manage

import (
	"net/netip"
	"sync"
	"time"
)

// The lock-out of guessing.
const (
	mostWrong  = 10 // tokens of one address within wrongTime
	wrongTime  = time.Minute
	lockedTime = 5 * time.Minute
	mostHosts  = 10_000
)

// guard counts wrong tokens by where they come from. It is safe for use by many
// goroutines.
type guard struct {
	now   func() time.Time
	mu    sync.Mutex
	hosts map[netip.Addr]*tries
}

type tries struct {
	since time.Time // of the first of those that count
	n     int
	until time.Time // locked
}

func newGuard(now func() time.Time) *guard {
	return &guard{now: now, hosts: map[netip.Addr]*tries{}}
}

// host is what counts as one place: an IPv4 address, or an IPv6 /64, of which
// one customer has all.
func host(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return ip
}

// locked tells for how long a place is refused; 0: it is not.
func (g *guard) locked(h netip.Addr) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.hosts[h]
	if t == nil {
		return 0
	}
	return max(0, t.until.Sub(g.now()))
}

// wrong counts a wrong token.
func (g *guard) wrong(h netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	t := g.hosts[h]
	if t == nil {
		g.makeRoom(now)
		t = &tries{since: now}
		g.hosts[h] = t
	}
	if now.Sub(t.since) >= wrongTime {
		t.since, t.n = now, 0
	}
	t.n++
	if t.n >= mostWrong {
		t.until, t.n = now.Add(lockedTime), 0
	}
}

// makeRoom forgets places that no longer matter. If all of them do, one that is
// not locked has to go, or else any.
func (g *guard) makeRoom(now time.Time) {
	if len(g.hosts) < mostHosts {
		return
	}
	var spare netip.Addr
	for h, t := range g.hosts {
		switch open := !now.Before(t.until); {
		case open && now.Sub(t.since) >= wrongTime:
			delete(g.hosts, h)
		case open || !spare.IsValid():
			spare = h
		}
	}
	if len(g.hosts) >= mostHosts {
		delete(g.hosts, spare)
	}
}
