//go:build e2e

package e2e

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
)

// TestBadStart starts axgate where it cannot run: it ends with a message that
// names what is wrong.
func TestBadStart(t *testing.T) {
	t.Parallel()
	_, good := surroundings(t, nil)
	occupied, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(good.SIP))
	require.NoError(t, err)
	defer occupied.Close()
	for name, bad := range map[string]struct {
		change func(*gate.Config)
		words  []string
	}{
		"unknown key":            {func(c *gate.Config) { c.Extra = "\nsipp:\n  udp: 127.0.0.1:5060\n" }, []string{"sipp"}},
		"no YAML":                {func(c *gate.Config) { c.Extra = "\n\tsip: [\n" }, []string{"YAML", "axgate.yaml:"}},
		"no data directory":      {func(c *gate.Config) { c.Data = "/proc/axgate/data" }, []string{"/proc/axgate"}},
		"data directory is file": {func(c *gate.Config) { c.Data = "/etc/hostname" }, []string{"/etc/hostname"}},
		"ports the wrong way":    {func(c *gate.Config) { c.RTPFirst, c.RTPLast = 30000, 20000 }, []string{"media.ports", "30000"}},
		"no X":                   {func(c *gate.Config) { c.Numbers[0].X = "+8612" }, []string{"+8612"}},
		"mode":                   {func(c *gate.Config) { c.Apps[0].Mode = "AXC" }, []string{"AXC"}},
		"address taken":          {func(c *gate.Config) {}, []string{good.SIP.String(), "in use"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			cfg.Dir = t.TempDir()
			cfg.Apps, cfg.Numbers = append([]gate.App(nil), cfg.Apps...), append([]gate.Number(nil), cfg.Numbers...)
			bad.change(&cfg)
			// It has as long as every other start: it finds out behind its ledger and Redis.
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			g, err := gate.Start(ctx, program, cfg)
			if err == nil {
				_ = g.Kill()
			}
			require.Error(t, err)
			for _, word := range append(bad.words, "exit status") {
				require.ErrorContains(t, err, word)
			}
			for _, word := range []string{"panic", "goroutine ", "deadline"} {
				require.NotContains(t, err.Error(), word)
			}
			require.Less(t, strings.Count(err.Error(), "\n"), 20, "%v", err)
		})
	}
}

// TestStartWithoutRedis: calls go on by the ledger, and the log says so.
func TestStartWithoutRedis(t *testing.T) {
	t.Parallel()
	w, cfg := surroundings(t, nil)
	require.NoError(t, w.redis.Kill())
	w.start(t, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	t.Run("call", func(t *testing.T) {
		s := &scene{T: t, world: w, name: t.Name(), ctx: ctx}
		a, b, x, id := s.pair(appAXB)
		out, in := s.connect(a, b, x)
		require.NoError(s, out.Hangup(s.within(step)))
		s.clearedWith(in, 16)
		s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	})
	log, err := w.gate.Log()
	require.NoError(t, err)
	require.Contains(t, string(log), "Redis")
	require.NoError(t, w.gate.Stop(ctx))
}

// TestBadPrompt offers files that cannot be prompts.
func TestBadPrompt(t *testing.T) {
	t.Parallel()
	w, cfg := surroundings(t, nil)
	w.start(t, cfg)
	good, err := os.ReadFile(filepath.Join(shipped, "busy.wav"))
	require.NoError(t, err)
	pcm := append([]byte(nil), good...)
	pcm[20] = 1 // the format tag
	fast := append([]byte(nil), good...)
	fast[25] = 0x3e // 16,000 Hz and some
	for name, bad := range map[string]struct {
		file  string
		text  []byte
		words []string
	}{
		"no WAV":        {"a.wav", []byte("this is text"), []string{"a.wav"}},
		"empty":         {"a.wav", nil, []string{"a.wav"}},
		"cut off":       {"a.wav", good[:60], []string{"a.wav"}},
		"not A-law":     {"a.wav", pcm, []string{"A-law"}},
		"not 8 kHz":     {"a.wav", fast, []string{"8000"}},
		"name":          {"a b.wav", good, []string{"a b.wav"}},
		"over 2 MB":     {"a.wav", append(append([]byte(nil), good...), make([]byte, 3<<20)...), []string{"2 M"}},
		"there is none": {"", nil, []string{"none.wav"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "none.wav")
			if bad.file != "" {
				path = filepath.Join(t.TempDir(), bad.file)
				require.NoError(t, os.WriteFile(path, bad.text, 0o600))
			}
			out, err := w.gate.Run(context.Background(), "prompt", "check", path)
			require.Error(t, err)
			said := string(out) + err.Error()
			for _, word := range bad.words {
				require.Contains(t, said, word)
			}
			require.NotContains(t, said, "panic")
			require.NotContains(t, said, "goroutine ")
		})
	}
}
