package resolve

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// servfail is a server that cannot answer.
func servfail(w dns.ResponseWriter, q *dns.Msg) bool {
	_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeServerFailure))
	return true
}

// settle waits until no lookup is under way.
func settle(t *testing.T, r *Resolver) {
	t.Helper()
	require.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, e := range r.entries {
			if e.done != nil {
				return false
			}
		}
		return true
	}, patience, time.Millisecond)
}

// TestTTL: an answer counts for the least time of its records, within bounds.
func TestTTL(t *testing.T) {
	for _, c := range []struct {
		srv, a string
		want   time.Duration
	}{{"300", "60", time.Minute}, {"60", "300", time.Minute}, {"300", "0", 10 * time.Second}, {"86400", "86400", 10 * time.Minute}, {"4294967295", "60", 10 * time.Second}} {
		z := newZone(t, "_sip._udp.example.com. "+c.srv+" SRV 1 1 5070 h.example.com.", "h.example.com. "+c.a+" A 192.0.2.1")
		r, now := resolver(t, z, func(cfg *Config) {
			cfg.MinTTL, cfg.MaxTTL, cfg.Networks = 10*time.Second, 10*time.Minute, []string{IPv4}
		})
		get := func() []string { return targets(t, r, "udp://example.com") }
		require.Equal(t, []string{"udp://192.0.2.1:5070"}, get())
		require.Len(t, z.questions(), 2)
		z.set("_sip._udp.example.com. 300 SRV 1 1 5070 h.example.com.", "h.example.com. 300 A 192.0.2.2")
		now.move(c.want - time.Second)
		require.Equal(t, []string{"udp://192.0.2.1:5070"}, get())
		require.Empty(t, z.questions())
		now.move(time.Second)
		require.Equal(t, []string{"udp://192.0.2.2:5070"}, get())
		require.Len(t, z.questions(), 2)
	}
}

// TestNegativeAnswersAreKept too, for the time of the zone and no longer than
// the configuration's.
func TestNegativeAnswersAreKept(t *testing.T) {
	for soa, want := range map[string]time.Duration{"20 10": 10 * time.Second, "7 10": 7 * time.Second, "3600 3600": time.Minute} {
		var ttl, minimum int
		_, err := fmt.Sscan(soa, &ttl, &minimum)
		require.NoError(t, err)
		z := newZone(t, fmt.Sprintf("com. %d SOA ns. host. 1 2 3 4 %d", ttl, minimum))
		r, now := resolver(t, z, nil)
		missing := func() {
			t.Helper()
			_, err := r.Targets(t.Context(), hop(t, "example.com:5060"))
			require.ErrorIs(t, err, errNone)
		}
		missing()
		require.NotEmpty(t, z.questions())
		now.move(want - time.Second)
		missing()
		require.Empty(t, z.questions())
		z.set("example.com. 300 A 192.0.2.1")
		now.move(time.Second)
		require.Equal(t, []string{"udp://192.0.2.1:5060"}, targets(t, r, "example.com:5060"))
	}
}

// TestTheLastAnswerServes while DNS fails, for its time, and DNS is not asked
// for each call.
func TestTheLastAnswerServes(t *testing.T) {
	z := newZone(t, "example.com. 60 A 192.0.2.1")
	r, now := resolver(t, z, func(c *Config) { c.Stale, c.Patience = time.Hour, patience })
	get := func() ([]Target, error) { return r.Targets(t.Context(), hop(t, "example.com:5060")) }
	good := func() {
		t.Helper()
		all, err := get()
		require.NoError(t, err)
		require.Equal(t, []string{"udp://192.0.2.1:5060"}, texts(all))
	}
	good()
	z.says(servfail)
	now.move(61 * time.Second)
	z.questions()
	good()
	require.NotEmpty(t, z.questions(), "it was asked")
	good()
	now.move(4 * time.Second)
	good()
	require.Empty(t, z.questions(), "but not for each call")
	now.move(2 * time.Second)
	good()
	require.NotEmpty(t, z.questions())
	now.move(time.Hour - 10*time.Second)
	good()
	now.move(20 * time.Second)
	_, err := get()
	require.ErrorContains(t, err, "SERVFAIL", "too old")
	z.says(nil)
	now.move(5 * time.Second)
	good()
	z.set()
	now.move(61 * time.Second)
	_, err = get()
	require.ErrorIs(t, err, errNone, "that a name is gone is an answer")
}

// TestADeadServer: who has an old answer is served while DNS is waited for, who
// has none waits as long as he wants, and when the server is back its answer
// counts.
func TestADeadServer(t *testing.T) {
	z := newZone(t, "example.com. 60 A 192.0.2.1")
	r, now := resolver(t, z, func(c *Config) { c.Patience, c.Networks = time.Millisecond, []string{IPv4} })
	require.Equal(t, []string{"udp://192.0.2.1:5060"}, targets(t, r, "example.com:5060"))
	hold := make(chan struct{})
	z.says(func(w dns.ResponseWriter, q *dns.Msg) bool { <-hold; return servfail(w, q) })
	now.move(time.Hour)
	require.Equal(t, []string{"udp://192.0.2.1:5060"}, targets(t, r, "example.com:5060"))
	r.mu.Lock()
	require.NotNil(t, r.entries[hop(t, "example.com:5060")].done, "it is still being looked up")
	r.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Targets(ctx, hop(t, "other.example.com:5060"))
	require.ErrorIs(t, err, context.Canceled)
	close(hold)
	_, err = r.Targets(t.Context(), hop(t, "third.example.com:5060"))
	require.ErrorContains(t, err, "SERVFAIL")
	require.NotErrorIs(t, err, errNone)
	settle(t, r)
	z.stop()
	now.move(time.Minute)
	require.Equal(t, []string{"udp://192.0.2.1:5060"}, targets(t, r, "example.com:5060"), "nobody listens")
	settle(t, r)
	z.says(nil)
	z.set("example.com. 60 A 192.0.2.2")
	z.run(z.addr)
	defer z.stop()
	now.move(time.Minute)
	_, _ = r.Targets(t.Context(), hop(t, "example.com:5060"))
	settle(t, r)
	require.Equal(t, []string{"udp://192.0.2.2:5060"}, targets(t, r, "example.com:5060"))
}

// TestAnswersAreRenewed before their time is over while somebody uses them, and
// forgotten when they say nothing any more.
func TestAnswersAreRenewed(t *testing.T) {
	z := newZone(t, "example.com. 100 A 192.0.2.1")
	r, now := resolver(t, z, func(c *Config) { c.Stale, c.Networks = time.Minute, []string{IPv4} })
	require.Equal(t, []string{"udp://192.0.2.1:5060"}, targets(t, r, "example.com:5060"))
	z.questions()
	now.move(79 * time.Second)
	r.renew()
	settle(t, r)
	require.Empty(t, z.questions())
	z.set("example.com. 100 A 192.0.2.2")
	now.move(time.Second)
	r.renew()
	settle(t, r)
	require.NotEmpty(t, z.questions())
	require.Equal(t, []string{"udp://192.0.2.2:5060"}, targets(t, r, "example.com:5060"))
	require.Empty(t, z.questions(), "nobody waited")
	now.move(90 * time.Second)
	z.says(servfail)
	for range 3 {
		r.renew()
		settle(t, r)
		now.move(3 * time.Second)
	}
	require.Equal(t, []string{"udp://192.0.2.2:5060"}, targets(t, r, "example.com:5060"))
	now.move(keep)
	z.questions()
	r.renew()
	settle(t, r)
	require.Empty(t, z.questions(), "nobody uses it")
	require.Empty(t, r.entries, "and it says nothing any more")
}

// TestOneQuestionForAll: those who ask at once wait for one lookup, and one who
// gives up does not end it.
func TestOneQuestionForAll(t *testing.T) {
	z := newZone(t, "example.com. 60 A 192.0.2.1")
	hold := make(chan struct{})
	z.says(func(dns.ResponseWriter, *dns.Msg) bool { <-hold; return false })
	r, _ := resolver(t, z, func(c *Config) { c.Networks = []string{IPv4} })
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error, 21)
	go func() { _, err := r.Targets(ctx, hop(t, "example.com:5060")); results <- err }()
	require.Eventually(t, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.entries) == 1 }, patience, time.Millisecond)
	for range 20 {
		go func() { _, err := r.Targets(t.Context(), hop(t, "example.com:5060")); results <- err }()
	}
	cancel()
	require.ErrorIs(t, <-results, context.Canceled)
	close(hold)
	for range 20 {
		require.NoError(t, <-results)
	}
	require.Len(t, z.questions(), 1)
}

// TestBounded: however many names are asked for, few are kept, and of those
// under way none is dropped.
func TestBounded(t *testing.T) {
	z := newZone(t, "example.com. 60 A 192.0.2.1")
	r, now := resolver(t, z, nil)
	require.NotEmpty(t, targets(t, r, "example.com:5060"))
	now.move(time.Second)
	for i := range maxEntries + 50 {
		r.mu.Lock()
		if len(r.entries) >= maxEntries {
			require.True(t, r.evict())
		}
		r.entries[Hop{Host: fmt.Sprint(i)}] = &entry{used: now.Now(), until: now.Now().Add(time.Hour)}
		r.mu.Unlock()
		now.move(time.Millisecond)
	}
	require.Len(t, r.entries, maxEntries)
	require.NotContains(t, r.entries, hop(t, "example.com:5060"))
	require.Contains(t, r.entries, Hop{Host: fmt.Sprint(maxEntries + 49)})
	for _, e := range r.entries {
		e.done = make(chan struct{})
	}
	_, err := r.Targets(t.Context(), hop(t, "example.com:5060"))
	require.ErrorIs(t, err, errBusy)
	clear(r.entries)
}

// TestWatch: hops that are watched are known before and between calls, are
// sought as long as they are not there, and never make room for others.
func TestWatch(t *testing.T) {
	trunk := hop(t, "udp://example.com")
	z := newZone(t)
	r, now := resolver(t, z, func(c *Config) {
		c.Watch, c.Negative, c.Stale = []Hop{trunk, hop(t, "192.0.2.7")}, 10*time.Second, time.Hour
	})
	turn := func(d time.Duration) {
		now.move(d)
		r.renew()
		settle(t, r)
	}
	turn(0)
	require.NotEmpty(t, z.questions())
	require.Empty(t, r.Known(trunk))
	z.set("_sip._udp.example.com. 300 SRV 1 1 5070 h.example.com.", "_sip._udp.example.com. 300 SRV 2 1 5071 h.example.com.", "h.example.com. 300 A 192.0.2.1", "h.example.com. 300 AAAA 2001:db8::1")
	turn(10 * time.Second)
	require.ElementsMatch(t, []netip.Addr{mustAddr("192.0.2.1"), mustAddr("2001:db8::1")}, r.Known(trunk))
	for range 3 { // nobody calls for hours
		z.questions()
		turn(2 * keep)
		require.NotEmpty(t, z.questions())
	}
	require.Len(t, targets(t, r, "udp://example.com"), 4)
	require.Empty(t, z.questions(), "no call waits")
	z.says(servfail)
	turn(5 * time.Minute)
	require.Len(t, r.Known(trunk), 2)
	turn(time.Hour)
	require.Empty(t, r.Known(trunk), "too old")
	require.Equal(t, []netip.Addr{mustAddr("192.0.2.7")}, r.Known(hop(t, "192.0.2.7")))
	require.Empty(t, r.Known(hop(t, "other.example.com")))
	require.False(t, r.evict())
	require.Len(t, r.entries, 1)
}

// TestTheLogSaysItOnce: that a host cannot be found any more, and that it can
// again.
func TestTheLogSaysItOnce(t *testing.T) {
	var log bytes.Buffer
	z := newZone(t, "example.com. 60 A 192.0.2.1")
	r, now := resolver(t, z, func(c *Config) { c.Watch = []Hop{hop(t, "example.com:5060"), hop(t, "gone.example.com:5060")} })
	r.log = zerolog.New(&log)
	turn := func() string {
		log.Reset()
		for range 3 {
			now.move(2 * time.Minute)
			r.renew()
			settle(t, r)
		}
		return log.String()
	}
	said := turn()
	require.Equal(t, 1, strings.Count(said, "\n"), said)
	require.Contains(t, said, `"level":"warn","host":"gone.example.com:5060","old_answer":false`)
	z.says(servfail)
	said = turn()
	require.Equal(t, 1, strings.Count(said, "\n"), said)
	require.Contains(t, said, `"host":"example.com:5060","old_answer":true`)
	z.says(nil)
	said = turn()
	require.Equal(t, 1, strings.Count(said, "\n"), said)
	require.Contains(t, said, `"level":"info","host":"example.com:5060"`)
}

// TestClose ends what is under way at once, and the renewing.
func TestClose(t *testing.T) {
	z := newZone(t)
	z.says(func(dns.ResponseWriter, *dns.Msg) bool { return true })
	r, err := Open(Config{Servers: []string{z.addr}, Timeout: time.Minute}, zerolog.Nop())
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() { _, err := r.Targets(t.Context(), hop(t, "example.com")); failed <- err }()
	require.Eventually(t, func() bool { return len(z.questions()) > 0 }, patience, time.Millisecond)
	r.Close()
	require.ErrorIs(t, <-failed, context.Canceled)
	_, err = r.Targets(t.Context(), hop(t, "example.com"))
	require.ErrorIs(t, err, errClosed)
	r.Close()
}

// TestTheClockRenews: Open does by itself what the tests above do by hand.
func TestTheClockRenews(t *testing.T) {
	z := newZone(t, "example.com. 1 A 192.0.2.1")
	r, err := Open(Config{Servers: []string{z.addr}, Timeout: patience, MinTTL: time.Millisecond}, zerolog.Nop())
	require.NoError(t, err)
	defer r.Close()
	require.NotEmpty(t, targets(t, r, "example.com:5060"))
	z.questions()
	require.Eventually(t, func() bool { return len(z.questions()) > 0 }, patience, 10*time.Millisecond)
	w, err := Open(Config{Servers: []string{z.addr}, Timeout: patience, Watch: []Hop{hop(t, "example.com:5060")}}, zerolog.Nop())
	require.NoError(t, err)
	defer w.Close()
	require.Eventually(t, func() bool { return len(w.Known(hop(t, "example.com:5060"))) > 0 }, patience, 10*time.Millisecond)
}
