package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// proxy is a system under test: it sends a caller's INVITE on to the callee of
// the same pair, puts itself into the route, and keeps no state but what Via
// and Route say. spoil may drop a message, by returning nothing.
type proxy struct {
	conn    *net.UDPConn
	callees *net.UDPAddr
	plan    *plan
	spoil   func(from *net.UDPAddr, text []byte) []byte
}

func startProxy(t *testing.T, at, callees netip.AddrPort, p *plan, spoil func(*net.UDPAddr, []byte) []byte) {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	require.NoError(t, err)
	x := &proxy{conn, net.UDPAddrFromAddrPort(callees), p, spoil}
	var done sync.WaitGroup
	done.Go(x.serve)
	t.Cleanup(func() {
		_ = conn.Close()
		done.Wait()
	})
}

func (x *proxy) serve() {
	buf := make([]byte, 4096)
	for {
		n, from, err := x.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		if text := x.spoil(from, bytes.Clone(buf[:n])); text != nil {
			x.forward(from, string(text))
		}
	}
}

func (x *proxy) forward(from *net.UDPAddr, text string) {
	me := x.conn.LocalAddr().String()
	start, rest, _ := strings.Cut(text, "\r\n")
	if strings.HasPrefix(start, "SIP/2.0") { // to where the next Via says
		_, rest, _ = strings.Cut(rest, "\r\n")
		via := strings.Fields(strings.SplitN(rest, "\r\n", 2)[0])[2]
		to, err := net.ResolveUDPAddr("udp", strings.SplitN(via, ";", 2)[0])
		if err == nil {
			_, _ = x.conn.WriteToUDP([]byte(start+"\r\n"+rest), to)
		}
		return
	}
	to := x.callees
	method, uri := strings.Fields(start)[0], strings.Fields(start)[1]
	own := fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bKp%d\r\n", me, time.Now().UnixNano())
	switch {
	case method == "INVITE":
		caller := rest[strings.Index(rest, "From: <sip:+"):]
		n, _ := strconv.Atoi(caller[len("From: <sip:+"):][:13])
		callee := x.plan.To.append(nil, n-int(x.plan.From.first))
		start = fmt.Sprintf("INVITE sip:%s@%s SIP/2.0", callee, to)
		own += fmt.Sprintf("Record-Route: <sip:%s;lr>\r\n", me)
	default: // straight to the URI, which is the other phone's
		host := uri[strings.Index(uri, "@")+1:]
		if a, err := net.ResolveUDPAddr("udp", host); err == nil {
			to = a
		}
		if !strings.Contains(rest, "Route: <sip:"+me) {
			return // a request of a dialog has to come by the route
		}
		rest = strings.Replace(rest, "Route: <sip:"+me+";lr>\r\n", "", 1)
	}
	_, _ = x.conn.WriteToUDP([]byte(start+"\r\n"+own+rest), to)
}

// hosts gives each test addresses of its own.
var hosts struct {
	sync.Mutex
	n byte
}

// through runs a command of the generator through a proxy.
func through(t *testing.T, p plan, spoil func(*net.UDPAddr, []byte) []byte, run func(context.Context, *options) error) result {
	t.Helper()
	hosts.Lock()
	hosts.n++
	mine := hosts.n
	hosts.Unlock()
	at := func(i byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 77, mine, i}), 5060)
	}
	o := &options{network: network{Target: at(1), Callers: at(2), Callees: at(3), RTP: 30000}, plan: p, Patience: 10 * time.Second, Late: time.Minute}
	require.NoError(t, o.From.UnmarshalText([]byte("+8613800000000")))
	require.NoError(t, o.X.UnmarshalText([]byte("+8617010000000")))
	require.NoError(t, o.To.UnmarshalText([]byte("+8613900000000")))
	o.Stride, o.JSON = 1, filepath.Join(t.TempDir(), "result.json")
	if spoil == nil {
		spoil = func(_ *net.UDPAddr, text []byte) []byte { return text }
	}
	startProxy(t, o.Target, o.Callees, &o.plan, spoil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, run(ctx, o))
	text, err := os.ReadFile(o.JSON)
	require.NoError(t, err)
	return readResult(t, text)
}

func TestCalls(t *testing.T) {
	t.Parallel()
	for _, hangup := range []string{"caller", "callee"} {
		t.Run(hangup, func(t *testing.T) {
			t.Parallel()
			r := through(t, plan{Scenario: "axb", Pairs: 500, Random: true, Hangup: hangup}, nil, func(ctx context.Context, o *options) error {
				return (&signalCmd{Rate: 100, For: time.Second, Hold: 200 * time.Millisecond, Words: 2}).Run(ctx, o)
			})
			require.Equal(t, []int{100, 100, 0}, []int{r.Calls.Begun, r.Calls.Good, r.Calls.Bad}, "%v", r.Calls.Why)
			require.Equal(t, 100, r.PostDial.N)
			require.Positive(t, r.PostDial.P50)
			require.GreaterOrEqual(t, r.Answer.P50, r.PostDial.P50)
			require.Equal(t, 100*2*2, r.Said, "two packets of each side")
		})
	}
}

// TestLostMessages: what the proxy drops comes again and is counted.
func TestLostMessages(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	spoil := func(from *net.UDPAddr, text []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		m := string(text)
		id := m[strings.Index(m, "Call-ID:"):]
		id = strings.SplitN(m, " ", 3)[0] + from.String() + strings.SplitN(id, "\r\n", 2)[0] + m[strings.Index(m, "CSeq:"):][:20]
		if !seen[id] && (strings.HasPrefix(m, "INVITE") || strings.HasPrefix(m, "BYE") || strings.HasPrefix(m, "ACK")) {
			seen[id] = true
			return nil
		}
		return text
	}
	r := through(t, plan{Scenario: "axb", Pairs: 10, Hangup: "caller"}, spoil, func(ctx context.Context, o *options) error {
		return (&signalCmd{Rate: 10, For: 500 * time.Millisecond, Hold: 10 * time.Millisecond}).Run(ctx, o)
	})
	require.Equal(t, []int{5, 5}, []int{r.Calls.Begun, r.Calls.Good}, "%v", r.Calls.Why)
	require.GreaterOrEqual(t, r.Messages.Ours, 15, "INVITE, 200 and BYE of each")
	require.GreaterOrEqual(t, r.Messages.Theirs, 5, "the 200 to each caller, whose ACK was lost")
	require.GreaterOrEqual(t, r.PostDial.P50, 499.0, "ms: from the first INVITE on")
}

// TestBadCalls: what goes wrong is told apart.
func TestBadCalls(t *testing.T) {
	t.Parallel()
	busy := func(from *net.UDPAddr, text []byte) []byte {
		return bytes.Replace(text, []byte("SIP/2.0 200 OK\r\nVia"), []byte("SIP/2.0 486 Busy Here\r\nVia"), 1)
	}
	r := through(t, plan{Scenario: "axb", Pairs: 10, Hangup: "caller"}, busy, func(ctx context.Context, o *options) error {
		o.Patience = 3 * time.Second
		return (&signalCmd{Rate: 10, For: 500 * time.Millisecond}).Run(ctx, o)
	})
	require.Equal(t, []int{0, 5, 5}, []int{r.Calls.Good, r.Calls.Bad, r.Calls.Why["486"]}, "%v", r.Calls.Why)
	deaf := func(*net.UDPAddr, []byte) []byte { return nil }
	r = through(t, plan{Scenario: "axb", Pairs: 10, Hangup: "caller"}, deaf, func(ctx context.Context, o *options) error {
		o.Patience = time.Second
		return (&signalCmd{Rate: 10, For: 500 * time.Millisecond}).Run(ctx, o)
	})
	require.Equal(t, 5, r.Calls.Why["no answer to INVITE"], "%v", r.Calls.Why)
}

// TestMedia: the phones' audio, which here goes straight from one to the other,
// arrives and is timed.
func TestMedia(t *testing.T) {
	t.Parallel()
	r := through(t, plan{Scenario: "axb", Pairs: 50, Hangup: "caller"}, nil, func(ctx context.Context, o *options) error {
		return (&mediaCmd{Calls: 20, Rate: 50, Warm: 100 * time.Millisecond, Talk: time.Second}).Run(ctx, o)
	})
	require.Equal(t, []int{20, 20}, []int{r.Calls.Good, r.Media.Calls}, "%v", r.Calls.Why)
	for _, f := range []flowing{r.Media.ToCallees, r.Media.ToCallers} {
		require.Greater(t, f.Sent, 20*25, "of 50 a second")
		require.Zero(t, f.Lost)
		require.Zero(t, f.Twice)
		require.Equal(t, f.Sent, f.Delay.N)
	}
	require.Zero(t, r.Media.Others)
}
