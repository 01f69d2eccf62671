package sip

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// zone is a DNS server on loopback. Tests change what it says.
type zone struct {
	t    testing.TB
	addr string

	mu     sync.Mutex
	rrs    []dns.RR
	broken bool // it answers SERVFAIL
	asked  int  // since that last changed
}

func newZone(t testing.TB, records ...string) *zone {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	z := &zone{t: t, addr: c.LocalAddr().String()}
	z.set(records...)
	var done sync.WaitGroup
	up := make(chan struct{})
	srv := &dns.Server{PacketConn: c, Handler: dns.HandlerFunc(z.serve), NotifyStartedFunc: func() { close(up) }}
	done.Go(func() { _ = srv.ActivateAndServe() })
	<-up
	t.Cleanup(func() {
		_ = srv.Shutdown()
		done.Wait()
	})
	return z
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

func (z *zone) fails(yes bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.broken, z.asked = yes, 0
}

// questions are how many came since fails was called last.
func (z *zone) questions() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked
}

func (z *zone) serve(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked++
	m := new(dns.Msg).SetReply(q)
	known := false
	for _, rr := range z.rrs {
		same := strings.EqualFold(rr.Header().Name, q.Question[0].Name)
		known = known || same
		if same && rr.Header().Rrtype == q.Question[0].Qtype {
			m.Answer = append(m.Answer, rr)
		}
	}
	if !known {
		m.Rcode = dns.RcodeNameError
	}
	if z.broken {
		m = new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
	}
	_ = w.WriteMsg(m)
}
