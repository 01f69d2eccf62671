//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/phone"
)

// loadCalls are up at once, callsPerSecond begin in a second.
const (
	loadCalls      = 200
	callsPerSecond = 25
)

// TestLoad makes many recorded calls at once between two carriers, each a phone
// that takes and makes calls for many numbers. Nothing of them may be left
// afterwards. It runs alone: what it measures is not shared.
func TestLoad(t *testing.T) {
	callees, err := phone.New(phone.Config{Number: "callees", Server: "127.0.0.1:9", ListenIP: trunkIP.String(), Codecs: []string{"PCMA"}})
	require.NoError(t, err)
	defer callees.Close()
	w, cfg := surroundings(t, nil, func(c *gate.Config) { c.Trunks[0].Address = callees.Addr() })
	xs := make([]string, 5)
	for i := range xs {
		xs[i] = w.takeX(t, appInforms)
	}
	number := func(side string, i int) string { return "+86137" + side + mobile(i)[len("+86138")+1:] }
	cfg.Extra = "\nbindings:\n"
	for i := range loadCalls {
		cfg.Extra += fmt.Sprintf("- {app: %s, x: %q, a: %q, b: %q, record: true}\n", appInforms, xs[i%len(xs)], number("1", i), number("2", i))
	}
	w.start(t, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	s := &scene{T: t, world: w, name: t.Name(), ctx: ctx}
	callers, err := phone.New(phone.Config{Number: "callers", Server: s.gate.SIP().String(), ListenIP: takeTrunkHost().String(), Codecs: []string{"PCMA"}})
	require.NoError(t, err)
	defer callers.Close()
	s.firstCall(callers, callees, xs[0], number) // what is made once and stays: connections, prompts
	before := s.resources()

	out := make([]*phone.Call, loadCalls)
	in := make(map[string]*phone.Call)
	tick := time.NewTicker(time.Second / callsPerSecond)
	defer tick.Stop()
	for i := range out {
		<-tick.C
		out[i] = s.dial(callers, xs[i%len(xs)], phone.From(number("1", i)))
		c := s.reaches(callees)
		in[c.Seen().RequestUser] = c
		require.NoError(s, c.Ring())
		require.NoError(s, c.Answer(s.within(step)))
	}
	require.Len(s, in, loadCalls)
	during := s.resources()
	require.Greater(s, during.files, before.files+2*loadCalls, "sockets of media")
	time.Sleep(6 * time.Second) // all talk at once
	for i, c := range out {
		require.NoError(s, c.WaitAnswer(s.within(step)))
		s.steady(c)
		callee := in[number("2", i)]
		require.NotNil(s, callee)
		s.steady(callee)
		require.NoError(s, c.Hangup(s.within(step)))
	}
	for i := range out {
		s.clearedWith(in[number("2", i)], 16)
	}
	s.allBilled(xs)
	s.nothingLeft(before)
	require.Empty(t, w.customer.Wrong())
}

// firstCall makes one call.
func (s *scene) firstCall(callers, callees *phone.Phone, x string, number func(string, int) string) {
	s.Helper()
	out := s.dial(callers, x, phone.From(number("1", 0)))
	in := s.rings(callees)
	s.answered(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}

// allBilled waits until every call was billed once, with its recording.
func (s *scene) allBilled(xs []string) {
	s.Helper()
	require.Eventually(s, func() bool {
		n := 0
		for _, c := range s.customer.All() {
			if c.Fee != nil && c.Event("disconnect") != nil {
				n++
			}
		}
		return n == loadCalls+1
	}, 2*step, 200*time.Millisecond, "fee events")
	recorded := 0
	for _, c := range s.customer.All() {
		require.Equal(s, 1, c.Fees)
		require.Equal(s, evAnswered, c.Types())
		if c.Fee["recordFlag"] == 1.0 {
			recorded++
			s.taped(c, 1.5)
		}
	}
	require.Equal(s, loadCalls, recorded)
	for _, x := range xs {
		s.notBusy(x)
	}
}

// used is what axgate has open.
type used struct{ files, ports int }

func (s *scene) resources() used {
	s.Helper()
	files, err := s.gate.Files()
	require.NoError(s, err)
	return used{files, s.portsInUse()}
}

// portsInUse counts the RTP ports that cannot be bound.
func (s *scene) portsInUse() int {
	n := 0
	for port := firstRTP; port <= lastRTP; port++ {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.gate.SIP().Addr(), uint16(port))))
		if err != nil {
			n++
			continue
		}
		_ = c.Close()
	}
	return n
}

// nothingLeft waits until axgate has no more open than before, and looks for
// goroutines of calls. That ends axgate. It tells how many goroutines there were.
func (s *scene) nothingLeft(before used) int {
	s.Helper()
	var now used
	require.Eventually(s, func() bool {
		now = s.resources()
		return now.files <= before.files+4 && now.ports <= before.ports // a few idle connections to Redis and the customer
	}, 3*step, time.Second, "before: %+v", before)
	stacks, err := s.gate.Stacks()
	require.NoError(s, err)
	n := len(regexp.MustCompile(`(?m)^goroutine \d+ `).FindAll(stacks, -1))
	require.NotZero(s, n)
	require.Less(s, n, 100, "goroutines")
	require.False(s, strings.Contains(string(stacks), "sip.(*call).run"), "a call is left")
	s.Logf("%d goroutines; before: %+v, now: %+v", n, before, now)
	return n
}
