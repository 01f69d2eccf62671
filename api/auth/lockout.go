package auth

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Counts are kept by all nodes together. They are asked with contexts that do
// not end when the client hangs up - it would be counted nowhere, and Redis
// taken for away - and take no longer than they may by themselves.
type Counts interface {
	// Request counts a request of an app and tells how many there were in the
	// span that runs.
	Request(ctx context.Context, app string, span time.Duration) (n int, err error)
	// Failure counts a failed authentication from an address; a count that
	// reaches limit stands for a span.
	Failure(ctx context.Context, address string, span time.Duration, limit int) (n int, until time.Time, err error)
	// Failures is what Failure has counted.
	Failures(ctx context.Context, address string, span time.Duration) (n int, until time.Time, err error)
	// UseNonce notes a nonce of an app for so long; not fresh: it was noted.
	UseNonce(ctx context.Context, app, nonce string, counts time.Duration) (fresh bool, err error)
}

// lockout refuses addresses from which too many authentications failed. What
// this node knows it knows without asking; what others counted it hears within
// a second, and while they cannot be asked it counts alone.
type lockout struct {
	most   int // failures; 0: nobody is locked out
	span   time.Duration
	counts Counts // nil: this node counts alone
	now    func() time.Time
	log    zerolog.Logger

	mu    sync.Mutex
	known map[string]failures
}

// failures are what this node knows of an address.
type failures struct {
	n     int
	until time.Time // when n begins anew
	asked time.Time // when counts were asked last
}

// Bounds of what is known: how old it may be, and of how many addresses.
const (
	freshFor      = time.Second
	mostAddresses = 50_000
)

// locked tells whether an address is refused.
func (l *lockout) locked(ctx context.Context, address string) bool {
	if l.most == 0 {
		return false
	}
	now := l.now()
	l.mu.Lock()
	f := l.known[address]
	if f.n >= l.most && now.Before(f.until) {
		l.mu.Unlock()
		return true
	}
	ask := l.counts != nil && now.Sub(f.asked) >= freshFor
	if ask { // requests that come meanwhile go by what is known
		f.asked = now
		l.put(address, f, now)
	}
	l.mu.Unlock()
	if !ask {
		return false
	}
	n, until, err := l.counts.Failures(context.WithoutCancel(ctx), address, l.span)
	if err != nil {
		l.log.Debug().Err(err).Msg("lock-outs go by what this node counts")
		return false
	}
	l.learn(address, n, until)
	return n >= l.most
}

// failed counts a failed authentication.
func (l *lockout) failed(ctx context.Context, address string) {
	if l.most == 0 {
		return
	}
	n, until, err := l.count(ctx, address)
	if err != nil {
		l.log.Debug().Err(err).Msg("lock-outs go by what this node counts")
		n, until = l.alone(address)
	} else {
		l.learn(address, n, until)
	}
	if n == l.most {
		l.log.Warn().Str("address", address).Int("failures", n).Time("until", until).Msg("locked out of the API")
	}
}

func (l *lockout) count(ctx context.Context, address string) (int, time.Time, error) {
	if l.counts == nil {
		n, until := l.alone(address)
		return n, until, nil
	}
	return l.counts.Failure(context.WithoutCancel(ctx), address, l.span, l.most)
}

// alone counts without the other nodes.
func (l *lockout) alone(address string) (int, time.Time) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.known[address]
	if !now.Before(f.until) {
		f.n, f.until = 0, now.Add(l.span)
	}
	if f.n++; f.n >= l.most {
		f.until = now.Add(l.span)
	}
	l.put(address, f, now)
	return f.n, f.until
}

// learn takes over what all nodes have counted.
func (l *lockout) learn(address string, n int, until time.Time) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.known[address]
	f.n, f.until = n, until
	l.put(address, f, now)
}

// put keeps the number of addresses bounded: it drops what means nothing any
// more, and if that is not enough some that are not locked out.
func (l *lockout) put(address string, f failures, now time.Time) {
	if _, has := l.known[address]; !has && len(l.known) >= mostAddresses {
		spare := mostAddresses / 10
		for a, old := range l.known {
			if over := !now.Before(old.until); over || spare > 0 && old.n < l.most {
				delete(l.known, a)
				spare--
			}
		}
		if len(l.known) >= mostAddresses { // all are locked out: what Redis knows is asked again
			clear(l.known)
		}
	}
	l.known[address] = f
}

// addressOf is what failures are counted by: an IPv4 address, or the network
// that one customer of IPv6 has.
func addressOf(ip netip.Addr) string {
	const household = 64
	if ip.Is4() {
		return ip.String()
	}
	p, err := ip.Prefix(household)
	if err != nil { // no address at all
		return "unknown"
	}
	return p.String()
}
