package resolve

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 15 * time.Second

// zone is a DNS server on loopback, by UDP and TCP. Tests change what it says.
type zone struct {
	t    testing.TB
	addr string

	mu     sync.Mutex
	rrs    []dns.RR
	asked  []string                                    // name/type/network of each question
	answer func(w dns.ResponseWriter, q *dns.Msg) bool // before the records, if it is set; true: it has dealt with it
	garble func(b []byte)                              // changes the bytes of answers, if it is set before questions come
	stop   func()
}

func newZone(t testing.TB, records ...string) *zone {
	t.Helper()
	z := &zone{t: t}
	z.set(records...)
	z.run("127.0.0.1:0")
	t.Cleanup(func() { z.stop() })
	return z
}

// run serves on an address until stop.
func (z *zone) run(addr string) {
	z.t.Helper()
	var l net.Listener
	var c net.PacketConn
	for range 20 { // the port has to be free for both
		var err error
		c, err = net.ListenPacket("udp", addr)
		require.NoError(z.t, err)
		if l, err = net.Listen("tcp", c.LocalAddr().String()); err == nil {
			break
		}
		_ = c.Close()
	}
	require.NotNil(z.t, l)
	z.addr = c.LocalAddr().String()
	udp := &dns.Server{PacketConn: c, Handler: dns.HandlerFunc(z.serve)}
	tcp := &dns.Server{Listener: l, Handler: dns.HandlerFunc(z.serve)}
	var up, down sync.WaitGroup
	for _, s := range []*dns.Server{udp, tcp} {
		up.Add(1)
		s.NotifyStartedFunc = up.Done
		down.Go(func() { _ = s.ActivateAndServe() })
	}
	up.Wait()
	z.stop = sync.OnceFunc(func() {
		_ = udp.Shutdown()
		_ = tcp.Shutdown()
		down.Wait()
	})
}

// set replaces the records, which are in the form of zone files.
func (z *zone) set(records ...string) {
	z.t.Helper()
	var all []dns.RR
	for _, text := range records {
		rr, err := dns.NewRR(text)
		require.NoError(z.t, err, text)
		all = append(all, rr)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.rrs = all
}

// says has the server answer with f, nil: with its records.
func (z *zone) says(f func(w dns.ResponseWriter, q *dns.Msg) bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.answer = f
}

func (z *zone) serve(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	question := q.Question[0]
	z.asked = append(z.asked, strings.TrimSuffix(question.Name, ".")+"/"+dns.TypeToString[question.Qtype]+"/"+w.RemoteAddr().Network())
	rrs, answer := z.rrs, z.answer
	z.mu.Unlock()
	if answer != nil && answer(w, q) {
		return
	}
	m := new(dns.Msg).SetReply(q)
	known := false
	for _, rr := range rrs {
		h := rr.Header()
		same := strings.EqualFold(h.Name, question.Name)
		known = known || same
		switch {
		case same && (h.Rrtype == question.Qtype || h.Rrtype == dns.TypeCNAME):
			m.Answer = append(m.Answer, rr)
		case h.Rrtype == dns.TypeSOA:
			m.Ns = []dns.RR{rr}
		}
	}
	if len(m.Answer) > 0 {
		m.Ns = nil
	}
	if !known {
		m.Rcode = dns.RcodeNameError
	}
	if w.RemoteAddr().Network() == "udp" {
		size := 512
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		m.Truncate(size)
	}
	if z.garble == nil {
		_ = w.WriteMsg(m)
		return
	}
	b, err := m.Pack()
	require.NoError(z.t, err)
	z.garble(b)
	_, _ = w.Write(b)
}

// questions are those that were asked since the last call.
func (z *zone) questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	asked := z.asked
	z.asked = nil
	return asked
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// resolver asks a zone. Nothing is renewed but by the test.
func resolver(t testing.TB, z *zone, change func(*Config)) (*Resolver, *clock) {
	t.Helper()
	cfg := Config{Servers: []string{z.addr}, Timeout: patience}
	if change != nil {
		change(&cfg)
	}
	r, err := open(cfg, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(r.Close)
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	r.now = c.Now
	return r, c
}

func hop(t testing.TB, text string) Hop {
	t.Helper()
	h, err := ParseHop(text)
	require.NoError(t, err)
	return h
}

// targets are those of a hop as text, in their order.
func targets(t testing.TB, r *Resolver, text string) []string {
	t.Helper()
	all, err := r.Targets(t.Context(), hop(t, text))
	require.NoError(t, err, text)
	return texts(all)
}

func texts(all []Target) []string {
	var list []string
	for _, a := range all {
		list = append(list, strings.ToLower(a.Transport)+"://"+a.Addr.String())
	}
	return list
}

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }
