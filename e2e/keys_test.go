//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/e2e/ports"
	"axgate/phone"
)

// TestSameKeys makes the same bindings and calls on an axgate with the embedded
// Redis and on one with a real redis-server, and looks into both with
// redis-cli.
func TestSameKeys(t *testing.T) {
	t.Parallel()
	port, err := ports.Take(1)
	require.NoError(t, err)
	embedded := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	real := keysOf(t, func(*gate.Config) {})
	other := keysOf(t, func(c *gate.Config) { c.Redis, c.Embedded = "", embedded })
	require.Equal(t, real, other)
	for _, part := range []string{":ax", ":n:", ":e:0001", ":temp", ":black"} {
		require.True(t, slices.ContainsFunc(real, func(line string) bool { return strings.Contains(line, part) }), "no key with %s in\n%s", part, strings.Join(real, "\n"))
	}
}

func keysOf(t *testing.T, change func(*gate.Config)) []string {
	t.Helper()
	w, cfg := surroundings(t, nil, change)
	w.start(t, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // some hundred runs of redis-cli beside all other scenarios
	defer cancel()
	s := &scene{T: t, world: w, name: t.Name(), ctx: ctx}
	const a, b, c = "+8613800000001", "+8613800000002", "+8613800000003"
	ax, axb, axe := s.takeX(t, appAX), s.takeX(t, appAXB), s.takeX(t, appAXE)
	s.bind("ax", "--x", ax, "--a", a)
	s.bind("axb", "--x", axb, "--a", a, "--b", b, "--duration", "1000", "--record")
	s.bind("axe", "--x", axe, "--a", a, "--ext", "0001", "--callback-num", b)
	gone := s.bind("axe", "--x", axe, "--a", b, "--ext", "0002")
	require.NoError(t, s.gate.Blacklist(ctx, axb, b))
	p := s.carrier(a, b, c)
	for x, caller := range map[string]string{ax: a, axb: c, axe: b} { // refused, or nobody answers
		s.ended(s.dial(p, x, phone.From(caller)))
	}
	require.NoError(t, s.gate.Temporary(ctx, ax, c))
	require.NoError(t, s.gate.Unbind(ctx, gone))
	address := cfg.Redis
	if address == "" {
		address = cfg.Embedded
	}
	var lines []string
	require.Eventually(t, func() bool { // until every X is loaded
		lines = dump(ctx, t, address)
		return !slices.ContainsFunc(lines, func(line string) bool { return strings.HasSuffix(line, " hash ends false version=…") })
	}, time.Minute, time.Second)
	require.NoError(t, w.gate.Stop(ctx))
	return lines
}

// varies are the fields that differ from one run to the next.
var varies = []string{"version", "epoch", "load", "term", "ticket", "ticket_term", "until", "at", "id"}

// dump writes down every key with its type, whether it has a TTL, and what it
// holds, as redis-cli shows it.
func dump(ctx context.Context, t *testing.T, address string) []string {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	cli := func(args ...string) []string {
		out, err := exec.CommandContext(ctx, "redis-cli", append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput()
		require.NoError(t, err, "redis-cli %v: %s", args, out)
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	}
	var lines []string
	for _, key := range cli("--scan", "--pattern", "axgate:*{*") { // the embedded one has its term besides
		kind := cli("type", key)[0]
		line := fmt.Sprintf("%s %s ends %t", key, kind, cli("ttl", key)[0] != "-1")
		switch kind {
		case "hash":
			all := cli("hgetall", key)
			var fields []string
			for i := 0; i+1 < len(all); i += 2 {
				value := all[i+1]
				if slices.Contains(varies, all[i]) {
					value = "…"
				}
				fields = append(fields, all[i]+"="+value)
			}
			slices.Sort(fields)
			line += " " + strings.Join(fields, " ")
		case "set":
			members := cli("smembers", key)
			slices.Sort(members)
			line += " " + strings.Join(members, " ")
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}
