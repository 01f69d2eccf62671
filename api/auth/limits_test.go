package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/api/answer"
)

// shared are the counts of several nodes, as Redis keeps them; what tests
// change is behind mu.
type shared struct {
	mu       sync.Mutex
	now      func() time.Time
	away     bool
	requests map[string]int
	failures map[string]tally
	nonces   map[string]bool
}

func newShared(now func() time.Time) *shared {
	return &shared{now: now, requests: map[string]int{}, failures: map[string]tally{}, nonces: map[string]bool{}}
}

var errAway = errors.New("no Redis answers")

func (s *shared) Request(ctx context.Context, app string, _ time.Duration) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away || ctx.Err() != nil {
		return 0, errAway
	}
	s.requests[app]++
	return s.requests[app], nil
}

func (s *shared) Failure(ctx context.Context, address string, span time.Duration, limit int) (int, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away || ctx.Err() != nil {
		return 0, time.Time{}, errAway
	}
	f := s.failures[address]
	if f.n < limit {
		f = tally{f.n + 1, s.now().Add(span)}
	}
	s.failures[address] = f
	return f.n, f.until, nil
}

func (s *shared) Failures(ctx context.Context, address string, _ time.Duration) (int, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away || ctx.Err() != nil {
		return 0, time.Time{}, errAway
	}
	f := s.failures[address]
	if !s.now().Before(f.until) {
		f = tally{}
	}
	return f.n, f.until, nil
}

func (s *shared) UseNonce(ctx context.Context, app, nonce string, _ time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away || ctx.Err() != nil {
		return false, errAway
	}
	used := s.nonces[app+" "+nonce]
	s.nonces[app+" "+nonce] = true
	return !used, nil
}

// dial is a clock that a test moves.
type dial struct {
	mu sync.Mutex
	at time.Time
}

func newDial() *dial { return &dial{at: clock()} }

func (d *dial) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *dial) forward(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(by)
}

func from(address string, r *http.Request) *http.Request {
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(address), 40000).String()
	return r
}

func right(address string) *http.Request {
	return from(address, signed(aksk, vectorKey, vectorSecret, "n", vectorTime))
}

func guess(address string) *http.Request {
	return from(address, signed(aksk, vectorKey, "guess", "n", vectorTime))
}

func ask(v *Verifier, r *http.Request) *answer.Refusal {
	_, refusal := v.App(r)
	return refusal
}

// TestLockout: failures on all nodes count together, an address that is locked
// out is refused on all of them whatever it sends, others are not, and the lock
// ends by itself.
func TestLockout(t *testing.T) {
	for name, s := range map[string]bool{"alone": false, "shared": true} {
		t.Run(name, func(t *testing.T) {
			d := newDial()
			node := func(counts Counts) *Verifier {
				return verifier(func(c *Config) { c.Now, c.Counts, c.LockoutAfter = d.now, counts, 4 })
			}
			one, two := node(nil), (*Verifier)(nil)
			two = one
			if s {
				redis := newShared(d.now)
				one, two = node(redis), node(redis)
			}
			require.Nil(t, ask(two, right("192.0.2.7")))
			for range 2 {
				require.Equal(t, wrongDigest, ask(one, guess("192.0.2.7")))
				require.Equal(t, unknownApp, ask(two, from("192.0.2.7", signed(aksk, "nobody", "s", "n", vectorTime))))
			}
			d.forward(freshFor)
			require.Equal(t, lockedOut, ask(one, right("192.0.2.7")))
			require.Equal(t, lockedOut, ask(two, right("192.0.2.7")))
			require.Equal(t, lockedOut, ask(two, from("192.0.2.7", request())))
			require.Nil(t, ask(one, right("192.0.2.8")))
			d.forward(30*time.Minute - 2*freshFor)
			require.Equal(t, lockedOut, ask(one, right("192.0.2.7")))
			d.forward(2 * freshFor)
			require.Nil(t, ask(one, right("192.0.2.7")))
			require.Nil(t, ask(two, right("192.0.2.7")))
		})
	}
}

// TestLockoutCountsGuesses: what a guesser meets counts, what a wrong client
// meets does not, and failures that are old do not add up.
func TestLockoutCountsGuesses(t *testing.T) {
	d := newDial()
	v := verifier(func(c *Config) { c.Now, c.LockoutAfter = d.now, 2 })
	for range 5 {
		require.Equal(t, noAuthorization, ask(v, from("192.0.2.7", request())))
		require.Equal(t, outOfTime, ask(v, from("192.0.2.7", signed(aksk, vectorKey, vectorSecret, "n", "2025-01-02T03:04:05Z"))))
		require.Equal(t, pausedApp, ask(v, from("192.0.2.7", signed(aksk, "paused", "s", "n", vectorTime))))
	}
	for range 3 {
		require.Equal(t, wrongDigest, ask(v, guess("192.0.2.7")))
		d.forward(31 * time.Minute)
	}
	require.Nil(t, ask(v, right("192.0.2.7")))
}

// TestLockoutWithoutRedis: while the common counts are away each node counts
// alone, and what it knew stays known.
func TestLockoutWithoutRedis(t *testing.T) {
	d := newDial()
	redis := newShared(d.now)
	v := verifier(func(c *Config) { c.Now, c.Counts, c.LockoutAfter = d.now, redis, 2 })
	ask(v, guess("192.0.2.7"))
	ask(v, guess("192.0.2.7"))
	redis.away = true
	d.forward(time.Minute)
	require.Equal(t, lockedOut, ask(v, right("192.0.2.7")))
	ask(v, guess("192.0.2.8"))
	ask(v, guess("192.0.2.8"))
	require.Equal(t, lockedOut, ask(v, right("192.0.2.8")))
	require.Nil(t, ask(v, right("192.0.2.9")))
}

// TestLockoutIPv6: a customer of IPv6 has a whole network to send from.
func TestLockoutIPv6(t *testing.T) {
	v := verifier(func(c *Config) { c.LockoutAfter = 2 })
	ask(v, guess("2001:db8:1:2::1"))
	ask(v, guess("2001:db8:1:2::2"))
	require.Equal(t, lockedOut, ask(v, right("2001:db8:1:2::3")))
	require.Nil(t, ask(v, right("2001:db8:1:3::1")))
	ask(v, guess("::ffff:192.0.2.7"))
	ask(v, guess("192.0.2.7"))
	require.Equal(t, lockedOut, ask(v, right("192.0.2.7")), "IPv4 has one form")
}

// TestLockoutIsBounded: however many addresses there are, memory is bounded
// and locked-out addresses are what is kept.
func TestLockoutIsBounded(t *testing.T) {
	v := verifier(func(c *Config) { c.LockoutAfter = 2 })
	for range 2 {
		ask(v, guess("192.0.2.7"))
	}
	for i := range mostAddresses + 10_000 {
		v.lockout.failed(context.Background(), fmt.Sprint("10.", i))
	}
	require.LessOrEqual(t, len(v.lockout.known), mostAddresses)
	require.Equal(t, lockedOut, ask(v, right("192.0.2.7")))
}

// TestFlowControl: the rate of an app, or the usual one, over all nodes; each
// minute anew.
func TestFlowControl(t *testing.T) {
	d := newDial()
	apps := table{"usual": {Secret: "s"}, "own": {Secret: "s", Rate: 2}, "free": {Secret: "s", Rate: -1}}
	node := func(counts Counts) *Verifier {
		return verifier(func(c *Config) { c.Apps, c.Now, c.Counts, c.Rate = apps, d.now, counts, 3 })
	}
	tries := func(key string, nodes ...*Verifier) (taken int) {
		for i := range 10 {
			switch refusal := ask(nodes[i%len(nodes)], signed(wsse, key, "s", "n", vectorTime)); refusal {
			case nil:
				taken++
			default:
				require.Equal(t, &answer.Refusal{HTTP: 403, Code: "1010010", Desc: "The flow control upper limit is reached on the platform."}, refusal)
			}
		}
		return taken
	}
	alone := node(nil)
	require.Equal(t, []int{3, 2, 10}, []int{tries("usual", alone), tries("own", alone), tries("free", alone)})
	d.forward(59 * time.Second)
	require.Equal(t, 0, tries("own", alone))
	d.forward(time.Second)
	require.Equal(t, 2, tries("own", alone))

	redis := newShared(d.now)
	one, two := node(redis), node(redis)
	require.Equal(t, 3, tries("usual", one, two), "both nodes together")
	redis.away = true
	require.Equal(t, 6, tries("usual", one, two), "each alone")
	redis.away = false
	d.forward(time.Minute)
	clear(redis.requests)
	require.Equal(t, 3, tries("usual", one, two), "together again")

	for range 5 {
		require.Equal(t, wrongDigest, ask(alone, signed(wsse, "own", "guess", "n", vectorTime)), "nobody else uses up what an app may")
	}
}

// TestNetworks: an app may say where its requests come from.
func TestNetworks(t *testing.T) {
	apps := table{"app": {Secret: "s", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}}
	v := verifier(func(c *Config) { c.Apps = apps })
	for address, want := range map[string]*answer.Refusal{
		"192.0.2.255": nil, "::ffff:192.0.2.9": nil, "2001:db8::1": nil,
		"192.0.3.1": wrongAddress, "::1": wrongAddress,
	} {
		require.Equal(t, want, ask(v, from(address, signed(aksk, "app", "s", "n", vectorTime))), address)
	}
	require.Equal(t, wrongDigest, ask(v, from("192.0.3.1", signed(aksk, "app", "guess", "n", vectorTime))))
	require.Equal(t, "1020166 The app client ip is not in ip white list.", wrongAddress.Error())
	require.Equal(t, "1020176 Authentication failed, try again later", lockedOut.Error())
}

// TestNonces: only an app that wants it so has a repeated nonce refused.
func TestNonces(t *testing.T) {
	apps := table{"often": {Secret: "s"}, "once": {Secret: "s", OnceNonce: true}}
	redis := newShared(clock)
	v := verifier(func(c *Config) { c.Apps, c.Counts = apps, redis })
	for range 3 {
		require.Nil(t, ask(v, signed(wsse, "often", "s", "n", vectorTime)))
	}
	require.Nil(t, ask(v, signed(wsse, "once", "s", "n", vectorTime)))
	require.Equal(t, outOfTime, ask(v, signed(aksk, "once", "s", "n", "2026-01-02T03:04:06Z")), "whatever else is in it")
	require.Nil(t, ask(v, signed(wsse, "once", "s", "m", vectorTime)))
	redis.away = true
	require.Equal(t, "1010001", ask(v, signed(wsse, "once", "s", "k", vectorTime)).Code, "nobody knows whether it was used")
}

// TestHangingUp: who does not wait for the answer is counted all the same.
func TestHangingUp(t *testing.T) {
	const most = 4
	d := newDial()
	redis := newShared(d.now)
	v := verifier(func(c *Config) { c.Now, c.Counts, c.LockoutAfter, c.Rate = d.now, redis, most, most })
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	for n := range most + 1 {
		refusal := ask(v, right("192.0.2.8").WithContext(gone))
		require.Equal(t, n == most, refusal == overRate, "request %d: %v", n+1, refusal)
	}
	require.Equal(t, most+1, redis.requests[vectorKey])
	for range most {
		require.Equal(t, wrongDigest, ask(v, guess("192.0.2.7").WithContext(gone)))
	}
	require.Equal(t, most, redis.failures["192.0.2.7"].n)
	other := verifier(func(c *Config) { c.Now, c.Counts, c.LockoutAfter = d.now, redis, most })
	require.Equal(t, lockedOut, ask(other, right("192.0.2.7").WithContext(gone)))
}
