package sip

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long what must come is waited for; no test that passes
// waits so long.
const patience = 10 * time.Second

// peer is a bare socket that speaks SIP: a carrier's switch.
type peer struct {
	t    testing.TB
	name string
	addr netip.AddrPort // its own
	to   netip.AddrPort // where its requests go
	udp  *net.UDPConn
	tcp  net.Conn
	ln   net.Listener
	tls  bool // tcp and ln are of TLS
	done sync.WaitGroup
	gone atomic.Int32 // connections that ended

	mu      sync.Mutex
	auto    func(m msg) bool // answers messages by itself, of which the test is not told; nil: none
	fresh   chan struct{}
	backlog []msg
	seen    map[string]int // how often each message came
	raws    []string
	at      map[string][]time.Time
}

var ids atomic.Uint64

func unique(prefix string) string { return prefix + strconv.FormatUint(ids.Add(1), 36) + "x" }

func newPeer(t testing.TB, name, ip string) *peer {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(ip)})
	require.NoError(t, err)
	p := &peer{t: t, name: name, udp: c, addr: c.LocalAddr().(*net.UDPAddr).AddrPort(), fresh: make(chan struct{}, 1), seen: map[string]int{}, at: map[string][]time.Time{}}
	p.done.Go(func() {
		buf := make([]byte, 65536)
		for {
			n, _, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p.take(string(buf[:n]))
		}
	})
	t.Cleanup(p.close)
	return p
}

// overTCP makes the peer listen and talk on TCP instead.
func (p *peer) overTCP() {
	ln, err := net.Listen("tcp", p.addr.String())
	require.NoError(p.t, err)
	p.listens(ln)
}

// listens takes one connection, and another when that has ended.
func (p *peer) listens(ln net.Listener) {
	p.ln = ln
	p.done.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.tcp = c
			p.mu.Unlock()
			p.readTCP(c)
		}
	})
}

func (p *peer) dialTCP(to netip.AddrPort) {
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: p.addr.Addr().AsSlice()}}).Dial("tcp", to.String())
	require.NoError(p.t, err)
	p.talksOver(c)
}

func (p *peer) talksOver(c net.Conn) {
	p.tcp, p.addr = c, c.LocalAddr().(*net.TCPAddr).AddrPort()
	p.done.Go(func() { p.readTCP(c) })
}

func (p *peer) readTCP(c net.Conn) {
	defer p.gone.Add(1)
	r := bufio.NewReader(c)
	for {
		var head strings.Builder
		length := 0
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			head.WriteString(line)
			if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "content-length") {
				length, _ = strconv.Atoi(strings.TrimSpace(value))
			}
			if line == "\r\n" {
				break
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		p.take(head.String() + string(body))
	}
}

func (p *peer) close() {
	_ = p.udp.Close()
	if p.ln != nil {
		_ = p.ln.Close()
	}
	p.mu.Lock()
	c := p.tcp
	p.mu.Unlock()
	if c != nil {
		_ = c.Close()
	}
	p.done.Wait()
}

func (p *peer) take(raw string) {
	p.mu.Lock()
	auto := p.auto
	p.mu.Unlock()
	if auto != nil && auto(read(raw)) {
		return
	}
	p.mu.Lock()
	p.seen[raw]++
	p.raws = append(p.raws, raw)
	p.at[raw] = append(p.at[raw], time.Now())
	if p.seen[raw] == 1 { // repetitions are only counted
		p.backlog = append(p.backlog, read(raw))
	}
	p.mu.Unlock()
	select {
	case p.fresh <- struct{}{}:
	default:
	}
}

// everything is all that the peer was ever sent.
func (p *peer) everything() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.raws...)
}

// times tells how often a message came.
func (p *peer) times(m msg) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[m.raw]
}

// arrival is when a message came, for the time i.
func (p *peer) arrival(m msg, i int) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[m.raw][i]
}

// gap is the time between a message's coming number i and the one after it.
func (p *peer) gap(m msg, i int) time.Duration { return p.arrival(m, i+1).Sub(p.arrival(m, i)) }

func (p *peer) send(raw string) {
	p.t.Helper()
	p.mu.Lock()
	tcp := p.tcp
	p.mu.Unlock()
	var err error
	if tcp != nil {
		_, err = io.WriteString(tcp, raw)
	} else {
		_, err = p.udp.WriteToUDPAddrPort([]byte(raw), p.to)
	}
	require.NoError(p.t, err)
}

func (p *peer) find(f func(msg) bool) (msg, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, m := range p.backlog {
		if f(m) {
			p.backlog = append(p.backlog[:i:i], p.backlog[i+1:]...)
			return m, true
		}
	}
	return msg{}, false
}

// await takes the first message that fits, now or soon.
func (p *peer) await(what string, f func(msg) bool) msg {
	p.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		if m, ok := p.find(f); ok {
			return m
		}
		select {
		case <-p.fresh:
		case <-limit.C:
			var have strings.Builder
			for _, raw := range p.everything() {
				have.WriteString("  " + read(raw).start + " (" + read(raw).get("CSeq") + ")\n")
			}
			p.t.Fatalf("%s waits in vain for %s; it got\n%s", p.name, what, have.String())
		}
	}
}

func (p *peer) request(method string) msg {
	p.t.Helper()
	return p.await(method, func(m msg) bool { return m.method() == method })
}

// never fails if a message that fits comes within d.
func (p *peer) never(d time.Duration, what string, f func(msg) bool) {
	p.t.Helper()
	time.Sleep(d)
	if m, ok := p.find(f); ok {
		p.t.Fatalf("%s must not get %s:\n%s", p.name, what, m.raw)
	}
}

func (p *peer) transport() string {
	if p.tls {
		return "TLS"
	}
	if p.tcp != nil || p.ln != nil {
		return "TCP"
	}
	return "UDP"
}

// dial sends an INVITE for X.
func (p *peer) dial(x, from, sdp string, headers ...string) *side {
	p.t.Helper()
	d := &side{p: p, callID: unique("call"), me: "<sip:" + from + "@carrier.example>", other: "<sip:" + x + "@axgate.example>", mine: unique("a"),
		target: "sip:" + x + "@" + p.to.String(), contact: "<sip:" + from + "@" + p.addr.String() + ">"}
	d.reinvite(sdp, headers...)
	return d
}

// ring waits for an INVITE.
func (p *peer) ring() *side {
	p.t.Helper()
	m := p.request("INVITE")
	d := &side{p: p, mine: unique("b"), contact: "<sip:device@" + p.addr.String() + ">"}
	d.take(m)
	return d
}

// outside sends a request that belongs to no dialog.
func (p *peer) outside(method string, headers ...string) *side {
	p.t.Helper()
	d := &side{p: p, callID: unique("out"), me: "<sip:13800000001@carrier.example>", other: "<sip:17010000001@axgate.example>", mine: unique("o"),
		target: "sip:17010000001@" + p.to.String(), contact: "<sip:13800000001@" + p.addr.String() + ">"}
	d.request(method, "", headers...)
	return d
}
