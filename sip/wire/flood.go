package wire

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Flood bounds what a source that is not known may cost. The zero value
// bounds nothing.
type Flood struct {
	Rate     float64         // messages a second that are looked at; 0: all
	Burst    int             // messages at once; 0: those of two seconds
	Refusals int             // requests refused within a minute, after which the source is banned; 0: it never is
	Ban      time.Duration   // how long; 0: 10 minutes
	Known    func(Peer) bool // sources that are not bounded; nil: none is known
	// Spared are sources that are bounded but never banned: others could have them
	// banned by sending in their name. nil: none is.
	Spared func(Peer) bool
}

// Ban is a source of which nothing is read.
type Ban struct {
	Source   netip.Prefix // an IPv4 address, or the /64 of an IPv6 one
	Since    time.Time
	Until    time.Time
	Refusals int    // that led to it
	Dropped  uint64 // messages since
}

// FloodCounts are messages thrown away since the start, by the reason.
type FloodCounts struct {
	Limited  uint64 // beyond the rate of their source
	Banned   uint64 // from a banned source
	Scanners uint64 // from tools that look for open doors
}

const (
	floodSpan   = time.Minute
	maxSources  = 1 << 16 // remembered at a time; more share one measure
	defaultBan  = 10 * time.Minute
	scannerCost = 5 // refusals that a message of a scanner counts for
)

// guard keeps the measure of each source. Like lateAnswers it has two
// generations, so that forgetting costs nothing by entry: sources may be
// forged, and as many as there are addresses.
type guard struct {
	cfg Flood
	now func() time.Time

	mu       sync.Mutex
	turned   time.Time
	new, old map[netip.Prefix]*measure
	rest     *measure
	bans     map[netip.Prefix]*Ban
	counts   FloodCounts
}

// measure is a token bucket, and the refusals of this generation.
type measure struct {
	tokens   float64
	filled   time.Time
	refusals int
}

func newGuard(cfg Flood) *guard {
	if cfg.Burst == 0 {
		cfg.Burst = max(1, int(2*cfg.Rate))
	}
	if cfg.Ban == 0 {
		cfg.Ban = defaultBan
	}
	g := &guard{cfg: cfg, now: time.Now, new: map[netip.Prefix]*measure{}, bans: map[netip.Prefix]*Ban{}}
	g.turned, g.rest = g.now(), &measure{}
	return g
}

// off tells whether a source is not bounded.
func (g *guard) off(from Peer) bool {
	return g == nil || g.cfg.Rate == 0 && g.cfg.Refusals == 0 || g.cfg.Known != nil && g.cfg.Known(from)
}

func sourceOf(from Peer) netip.Prefix {
	bits := 64
	if from.Addr.Addr().Is4() {
		bits = 32
	}
	p, _ := from.Addr.Addr().Prefix(bits)
	return p
}

// pass tells whether a message of this source is looked at.
func (g *guard) pass(from Peer) bool {
	if g.off(from) {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if b := g.banned(sourceOf(from), now); b != nil {
		b.Dropped++
		g.counts.Banned++
		return false
	}
	if g.cfg.Rate == 0 {
		return true
	}
	m := g.of(sourceOf(from), now)
	m.tokens = min(float64(g.cfg.Burst), m.tokens+g.cfg.Rate*now.Sub(m.filled).Seconds())
	m.filled = now
	if m.tokens < 1 {
		g.counts.Limited++
		return false
	}
	m.tokens--
	return true
}

func (g *guard) banned(source netip.Prefix, now time.Time) *Ban {
	b := g.bans[source]
	if b != nil && now.After(b.Until) {
		delete(g.bans, source)
		return nil
	}
	return b
}

// of finds the measure of a source, or begins one. Where there are too many,
// the new ones share one: who is known already is not hurt by them.
func (g *guard) of(source netip.Prefix, now time.Time) *measure {
	if now.Sub(g.turned) > floodSpan {
		g.old, g.new, g.turned = g.new, make(map[netip.Prefix]*measure), now
		g.rest.refusals = 0
	}
	if m := g.new[source]; m != nil {
		return m
	}
	m := g.old[source]
	switch {
	case m != nil:
		m.refusals = 0
	case len(g.new) >= maxSources:
		return g.rest
	default:
		m = &measure{tokens: float64(g.cfg.Burst), filled: now}
	}
	g.new[source] = m
	return m
}

// refused counts refusals against a source, and bans it at its last.
func (g *guard) refused(from Peer, n int) {
	if g.off(from) || g.cfg.Refusals == 0 || g.cfg.Spared != nil && g.cfg.Spared(from) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now, source := g.now(), sourceOf(from)
	m := g.of(source, now)
	if m == g.rest { // strangers do not answer for each other
		return
	}
	if m.refusals += n; m.refusals < g.cfg.Refusals || g.banned(source, now) != nil {
		return
	}
	if len(g.bans) >= maxSources {
		for s, b := range g.bans {
			if now.After(b.Until) {
				delete(g.bans, s)
			}
		}
	}
	if len(g.bans) < maxSources {
		g.bans[source] = &Ban{Source: source, Since: now, Until: now.Add(g.cfg.Ban), Refusals: m.refusals}
	}
	m.refusals = 0
}

// served forgets the refusals of a source that proved itself.
func (g *guard) served(from Peer) {
	if g.off(from) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if m := g.of(sourceOf(from), g.now()); m != g.rest {
		m.refusals = 0
	}
}

// answered counts the final answer to a request. A challenge is no refusal,
// unless credentials were there; what becomes of a call is none either.
func (g *guard) answered(req *sip.Request, from Peer, status int) {
	proof := req.GetHeader("Authorization") != nil || req.GetHeader("Proxy-Authorization") != nil
	switch {
	case status < 300:
		if req.Method == sip.INVITE || req.Method == sip.REGISTER {
			g.served(from)
		}
	case status == 401 || status == 407:
		if proof {
			g.refused(from, 1)
		}
	case slices.Contains([]int{400, 403, 404, 405, 416, 420, 481, 482, 483, 484, 501, 505}, status):
		g.refused(from, 1)
	}
}

// scanners are tools that look for open doors, by what they call themselves.
var scanners = []string{"friendly-scanner", "friendly-request", "sipvicious", "sipcli", "sundayddr", "sip-scan", "sipscan", "siparmyknife",
	"iwar", "pplsip", "vaxsipuseragent", "smap", "gulp", "custom sip"}

// scanner tells whether a message comes from such a tool. It gets no answer.
func (g *guard) scanner(h *head, from Peer) bool {
	if g.off(from) {
		return false
	}
	_, agent := h.count("user-agent")
	_, name := h.count("from")
	agent, name = strings.ToLower(agent), strings.ToLower(name)
	if !strings.Contains(name, "sipvicious") && !slices.ContainsFunc(scanners, func(s string) bool { return strings.HasPrefix(agent, s) }) {
		return false
	}
	g.mu.Lock()
	g.counts.Scanners++
	g.mu.Unlock()
	g.refused(from, scannerCost)
	return true
}

// Bans are the sources that are banned now, by address.
func (s *Stack) Bans() []Ban {
	g := s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []Ban
	for source, b := range g.bans {
		if g.banned(source, g.now()) != nil {
			all = append(all, *b)
		}
	}
	slices.SortFunc(all, func(a, b Ban) int { return a.Source.Addr().Compare(b.Source.Addr()) })
	return all
}

// Unban lets a source in again; it tells whether it was banned.
func (s *Stack) Unban(addr netip.Addr) bool {
	g := s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	source := sourceOf(Peer{Addr: netip.AddrPortFrom(addr.Unmap(), 0)})
	_, ok := g.bans[source]
	delete(g.bans, source)
	return ok
}

// FloodCounts are what was thrown away unanswered.
func (s *Stack) FloodCounts() FloodCounts {
	s.guard.mu.Lock()
	defer s.guard.mu.Unlock()
	return s.guard.counts
}
