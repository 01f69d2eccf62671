//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/phone"
)

// What strangers may send in the attacked world, and how many there are of each
// kind. Each sends ten times what it may.
const (
	strangerRate     = 50
	strangerRefusals = 20
	attackers        = 4
	attackedCalls    = 50
)

// attackTime is how long the attack lasts: AXGATE_ATTACK, such as 10m.
func attackTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("AXGATE_ATTACK")
	if text == "" {
		return 5 * time.Second
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "AXGATE_ATTACK")
	return d
}

// TestAttack: scanners sweep over numbers and floods of INVITE come from
// several addresses while carriers' calls go on. None of these fails, none of
// their audio is lost, memory stays bounded, who guesses is banned, and no
// answer tells which numbers exist. It runs alone: what it measures is not
// shared.
func TestAttack(t *testing.T) {
	callees, err := phone.New(phone.Config{Number: "callees", Server: "127.0.0.1:9", ListenIP: trunkIP.String(), Codecs: []string{"PCMA"}})
	require.NoError(t, err)
	defer callees.Close()
	w, cfg := surroundings(t, nil, func(c *gate.Config) {
		c.Trunks[0].Address = callees.Addr()
		c.More = map[string]map[string]any{"sip": {"flood_rate": strangerRate, "flood_burst": 2 * strangerRate, "flood_refusals": strangerRefusals}}
	})
	x := w.takeX(t, appInforms)
	number := func(side string, i int) string { return "+86137" + side + mobile(i)[len("+86138")+1:] }
	cfg.Extra = "\nbindings:\n"
	for i := range attackedCalls + 1 {
		cfg.Extra += fmt.Sprintf("- {app: %s, x: %q, a: %q, b: %q}\n", appInforms, x, number("1", i), number("2", i))
	}
	w.start(t, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute+attackTime(t))
	defer cancel()
	s := &scene{T: t, world: w, name: t.Name(), ctx: ctx}
	callers, err := phone.New(phone.Config{Number: "callers", Server: s.gate.SIP().String(), ListenIP: takeTrunkHost().String(), Codecs: []string{"PCMA"}})
	require.NoError(t, err)
	defer callers.Close()

	s.tellsNothing(x, mobile(0))
	out, in := make([]*phone.Call, attackedCalls), make([]*phone.Call, attackedCalls)
	for i := range out {
		out[i] = s.dial(callers, x, phone.From(number("1", i)))
		in[i] = s.reaches(callees)
		require.NoError(t, in[i].Ring())
		s.answered(out[i], in[i])
	}
	before := s.memory()
	scanners, floods := s.attack(attackTime(t), []string{x, mobile(0), mobile(1), "100", "101", "admin"}, func() { // meanwhile one more call is made
		c := s.dial(callers, x, phone.From(number("1", attackedCalls)))
		other := s.reaches(callees)
		require.NoError(t, other.Ring())
		s.answered(c, other)
		require.NoError(t, c.Hangup(s.within(step)))
		s.clearedWith(other, 16)
	})
	after := s.memory()
	t.Logf("memory: %d MB before, %d MB after; %s; %s", before>>20, after>>20, told("scanners", scanners), told("floods", floods))
	require.Less(t, after-before, int64(64<<20), "memory grows with what strangers send")
	for _, i := range scanners {
		require.Empty(t, i.ask("OPTIONS", "100"), "%v is not banned", i.conn.LocalAddr())
	}
	for _, i := range append(scanners, floods...) {
		require.Less(t, i.answers.Load(), int64(attackTime(t).Seconds()+3)*strangerRate*2, "answers to %v: at most what may be read of it", i.conn.LocalAddr())
	}
	require.Contains(t, newIntruder(t, s.gate.SIP()).ask("OPTIONS", "100"), "SIP/2.0 ", "who did nothing is heard")
	for i := range out {
		require.NoError(t, out[i].Hangup(s.within(step)))
		s.clearedWith(in[i], 16)
	}
	for i := range out {
		s.steady(out[i])
		s.steady(in[i])
	}
	nothingLost(t, w.gate, attackedCalls)
	require.Empty(t, w.customer.Wrong())
}

func told(what string, all []*intruder) string {
	var sent, answers int64
	for _, i := range all {
		sent, answers = sent+i.sent.Load(), answers+i.answers.Load()
	}
	return fmt.Sprintf("%s: %d requests, %d answers", what, sent, answers)
}

// attack scans and floods for a while, from several addresses at once.
func (s *scene) attack(d time.Duration, numbers []string, meanwhile func()) (scanners, floods []*intruder) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, d)
	defer cancel()
	var wait sync.WaitGroup
	for range attackers {
		scanner, flood := newIntruder(s.T, s.gate.SIP()), newIntruder(s.T, s.gate.SIP())
		scanners, floods = append(scanners, scanner), append(floods, flood)
		wait.Go(func() { scanner.sweep(ctx, 10*strangerRate, []string{"OPTIONS", "REGISTER", "INVITE"}, numbers) })
		wait.Go(func() { flood.sweep(ctx, 10*strangerRate, []string{"INVITE"}, numbers) })
	}
	time.Sleep(d / 3)
	s.sipvicious()
	meanwhile()
	wait.Wait()
	return scanners, floods
}

// sipvicious looks for us with the tools of that name (Debian package
// sipvicious, version 0.3): they find nothing.
func (s *scene) sipvicious() {
	s.Helper()
	from := newIntruder(s.T, s.gate.SIP()).conn.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort().Addr().String()
	port := strconv.Itoa(int(s.gate.SIP().Port()))
	out, _ := exec.CommandContext(s.within(step), "svmap", "-b", from, "-x", from, "-P", "5060", "-p", port, s.gate.SIP().Addr().String()).CombinedOutput()
	require.NotContains(s, string(out), s.gate.SIP().String(), "svmap finds us")
	require.NotContains(s, string(out), "Traceback")
}

// tellsNothing compares what strangers are answered about numbers that exist
// and about such that do not: it is the same to the byte, but for what is
// random.
func (s *scene) tellsNothing(exist ...string) {
	s.Helper()
	for _, method := range []string{"OPTIONS", "REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE", "BYE"} {
		missing := newIntruder(s.T, s.gate.SIP()).ask(method, "+8613999999999")
		require.NotEmpty(s, missing, method)
		for _, number := range exist {
			require.Equal(s, shape(missing, "+8613999999999"), shape(newIntruder(s.T, s.gate.SIP()).ask(method, number), number), "%s of a number that exists", method)
		}
	}
}

// memory is what axgate has in memory (resident), in bytes.
func (s *scene) memory() int64 {
	s.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.gate.PID()))
	require.NoError(s, err)
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	require.NotNil(s, m)
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	require.NoError(s, err)
	return kb << 10
}

// audioLine is what the log tells of the audio of one leg.
var audioLine = regexp.MustCompile(`INF audio .*`)

// nothingLost compares what axgate received and sent of the audio of each call:
// no packet is missing from a phone's sequence, and each was passed on.
func nothingLost(t *testing.T, g *gate.Gate, calls int) {
	t.Helper()
	var lines [][]byte
	require.Eventually(t, func() bool {
		log, err := g.Log()
		require.NoError(t, err)
		lines = audioLine.FindAll(log, -1)
		return len(lines) >= 2*calls
	}, step, 100*time.Millisecond)
	received, sent := map[string]int{}, map[string]int{} // by session and leg
	for _, line := range lines {
		f := map[string]string{}
		for _, word := range strings.Fields(string(line)) {
			if k, v, ok := strings.Cut(word, "="); ok {
				f[k] = v
			}
		}
		require.Equal(t, "0", f["lost"], "%s", line)
		n, err := strconv.Atoi(f["received"])
		require.NoError(t, err)
		m, err := strconv.Atoi(f["sent"])
		require.NoError(t, err)
		received[f["session"]+" "+f["leg"]], sent[f["session"]+" "+f["leg"]] = n, m
	}
	other := map[string]string{"caller": "callee", "callee": "caller"}
	for key, n := range received {
		session, leg, _ := strings.Cut(key, " ")
		require.InDelta(t, n, sent[session+" "+other[leg]], 100, "packets of the %s and to the other side, but for ringing and its silence", leg)
	}
}
