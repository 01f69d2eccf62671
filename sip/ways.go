package sip

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/resolve"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

const (
	resolveTime = 2 * time.Second // in which a name has to be known to whoever needs it
	learnStep   = time.Second     // between looks at which addresses the trunks have
)

// openWays begins to find the trunks' names. That a name is not in DNS is no
// reason not to start: it may be there when a call needs it.
func (s *Server) openWays() (err error) {
	cfg := resolve.Config{Servers: s.cfg.DNS, Watch: s.cfg.Trunks.Hops(), Networks: []string{resolve.IPv4, resolve.IPv6}, MinTTL: s.cfg.dnsTime, MaxTTL: s.cfg.dnsTime}
	if at := s.stack.UDPAddr(); at.IsValid() {
		cfg.Transports = append(cfg.Transports, resolve.UDP)
		if at.Addr().Is4() {
			cfg.Networks = cfg.Networks[:1]
		}
	}
	if s.stack.TCPAddr().IsValid() {
		cfg.Transports = append(cfg.Transports, resolve.TCP)
	}
	cfg.Transports = append(cfg.Transports, resolve.TLS)
	if s.resolver, err = resolve.Open(cfg, s.log); err != nil {
		return fmt.Errorf("find the trunks: %w", err)
	}
	s.tending, s.endTend = context.WithCancel(context.Background())
	s.health.log = s.log
	return nil
}

// tendWays looks after the ways to the trunks until endWays.
func (s *Server) tendWays() {
	if s.cfg.Trunks.Named() {
		s.wait.Go(func() {
			every(s.tending, learnStep, s.learn)
		})
	}
	for _, t := range s.cfg.Trunks.Out() {
		if t.Way.PingInterval > 0 {
			s.wait.Go(func() { s.ping(t) })
		}
	}
}

func (s *Server) endWays() { s.endTend() }

// every calls f again and again until ctx ends.
func every(ctx context.Context, step time.Duration, f func()) {
	t := time.NewTicker(step)
	defer t.Stop()
	for {
		f()
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// learn has messages from where the trunks' names lead now be known as theirs.
func (s *Server) learn() { s.cfg.Trunks.Learn(s.resolver.Known) }

// servers are a route over each server of its trunk, in the order in which they
// are tried: the one that we are registered with, if the trunk wants that.
func (s *Server) servers(ctx context.Context, r route) ([]route, error) {
	if r.trunk == nil {
		return []route{r}, nil
	}
	if l := s.lines.byTrunk[r.trunk]; l != nil {
		r, err := l.over(r)
		if err != nil {
			return nil, err
		}
		return []route{r}, nil
	}
	return s.resolved(ctx, r)
}

// resolved are a route over each server of its trunk that DNS knows (RFC 3263
// section 4).
func (s *Server) resolved(ctx context.Context, r route) ([]route, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	targets, err := s.resolver.Targets(ctx, r.trunk.Hop())
	if err != nil {
		return nil, err
	}
	all := make([]route, len(targets))
	for i, t := range targets {
		all[i] = r
		all[i].to = wire.Peer{Addr: t.Addr, Transport: t.Transport}
		if t.Transport == resolve.TLS {
			all[i].to.Proof = r.trunk.Proof()
		}
		if !s.cfg.Trunks.CalledAt(r.trunk, t.Addr.Addr()) {
			s.learn() // before its answer comes
		}
	}
	return all, nil
}

// ranked are the servers of a route, those first that are up and do not rest.
func (s *Server) ranked(ctx context.Context, r route) ([]route, error) {
	all, err := s.servers(ctx, r)
	now := time.Now()
	slices.SortStableFunc(all, func(a, b route) int { return s.worse(a, now) - s.worse(b, now) })
	return all, err
}

// oneServer is a route over the best server of its trunk, or if there is none
// over where something came from.
func (s *Server) oneServer(r route, from wire.Peer) route {
	if r.trunk.CallsOut() {
		if all, err := s.ranked(s.tending, r); err == nil {
			return all[0]
		}
	}
	r.to, r.via = from, nil
	return r
}

func (s *Server) worse(r route, now time.Time) int {
	switch {
	case s.health.down(r, now):
		return 2
	case s.textRests.resting(r, now):
		return 1
	}
	return 0
}

// viaProxy is the Route that names a trunk's outbound proxy.
func viaProxy(t *trunk.Trunk) []sip.Uri {
	if t.Way.Proxy == "" {
		return nil
	}
	h := t.Hop()
	uri := sip.Uri{Scheme: "sip", Host: h.Host, Port: int(h.Port)}
	if h.Transport != "" && h.Transport != resolve.UDP {
		uri.UriParams.Add("transport", lower[h.Transport])
	}
	uri.UriParams.Add("lr", "")
	return []sip.Uri{uri}
}

var lower = map[string]string{resolve.UDP: "udp", resolve.TCP: "tcp", resolve.TLS: "tls"}

// place is one server of a trunk.
type place struct {
	trunk *trunk.Trunk
	to    wire.Peer
}

func placeOf(r route) place { return place{r.trunk, r.to} }

// inOrder are trunks as they are to be tried: by their priority, and within one
// by lot, where the chance to be next goes with the weight. Those without one
// come last, in their own order.
func inOrder(trunks []*trunk.Trunk, lot func(int) int) []*trunk.Trunk {
	left := slices.Clone(trunks)
	slices.SortStableFunc(left, func(a, b *trunk.Trunk) int { return a.Way.Priority - b.Way.Priority })
	drawn := make([]*trunk.Trunk, 0, len(left))
	for len(left) > 0 {
		same, sum := 0, 0
		for same < len(left) && left[same].Way.Priority == left[0].Way.Priority {
			sum += left[same].Way.Weight
			same++
		}
		i := 0
		if sum > 0 {
			for run := lot(sum) - left[0].Way.Weight; run >= 0; run -= left[i].Way.Weight {
				i++
			}
		}
		drawn = append(drawn, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return drawn
}

// bracketed is a host as it stands in a URI.
func bracketed(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return "[" + host + "]"
	}
	return host
}
