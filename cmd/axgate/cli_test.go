package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// TestHelp holds what people read: a change of it is seen.
func TestHelp(t *testing.T) {
	for _, command := range []string{"", "serve", "lab", "call", "app", "app create", "app change", "number", "number list", "number import", "number move", "number status", "number sms", "number tasks",
		"binding", "binding list", "bulk import", "binding bind", "bind axb", "bind ax", "bind axe", "bind axyb", "bind yb", "unbind", "temp",
		"prompt", "cdr", "cdr list", "cdr export", "sms", "sms list", "sms explain", "sms send", "event", "event replay", "explain", "blacklist", "trunk", "ban", "ban remove", "health", "doctor", "config"} {
		args := append(strings.Fields(command), "--help")
		got := succeed(t, args...)
		golden := filepath.Join("testdata", "help", strings.ReplaceAll("axgate "+command, " ", "-")+".txt")
		golden = strings.Replace(golden, "-.txt", ".txt", 1)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			continue
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), got, "axgate %s --help: run go test ./cmd/axgate -run TestHelp -update if it is meant", command)
	}
}

func TestWrongUse(t *testing.T) {
	for args, want := range map[string]string{
		"serv":                                 `unexpected argument serv, did you mean "serve"?`,
		"bind":                                 "axgate bind --help",
		"bind axb --x 1 --y 2":                 "unknown flag --y",
		"bind axb --x +8617010000001 --a +861": "missing flags: --b",
		"unbind":                               "missing flags: --id",
		"number status asleep 1":               "must be one of",
		"app create --mode XY --account a":     "AXYB",
		"call --transport tls":                 "udp",
		"event list --limit many":              "--limit",
		"lab --port":                           "--port",
		"sms list --state over":                "must be one of",
		"sms send --x 1 hello":                 "missing flags: --from",
		"cdr list --limit 0":                   "use 1 to 1000",
		"binding list --x 1 --limit=-5":        "use 1 to 1000",
	} {
		got := fail(t, exitUsage, strings.Fields(args)...)
		require.Contains(t, got, want, args)
		require.Contains(t, got, "Try: axgate", args)
	}
}

func TestConfigCommands(t *testing.T) {
	file := write(t, "")
	require.Contains(t, succeed(t, "config", "check", "--config", file), "the configuration is right")
	out := succeed(t, "config", "print", "--config", file)
	require.NotContains(t, out, "test-password")
	require.Contains(t, out, "********")
	require.Contains(t, succeed(t, "config", "keys"), "AXGATE_SIP_UDP")
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("sip: {upd: x}\nnode: a b\n"), 0o600))
	require.Equal(t, "axgate: sip.upd: there is no such key: did you mean udp? ("+bad+":1)\n", fail(t, exitFailed, "config", "check", "--config", bad))
	require.Contains(t, fail(t, exitFailed, "serve", "--config", filepath.Join(t.TempDir(), "none.yaml")), "none.yaml")
}

// TestNoLedger: a command says that nothing is there, and makes nothing.
func TestNoLedger(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	require.Contains(t, fail(t, exitFailed, "calls", "--data", dir), filepath.Join(dir, "axgate.db"))
	require.NoDirExists(t, dir)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Contains(t, fail(t, exitFailed, "calls", "--data", file), file)
	require.Contains(t, fail(t, exitUsage, "lab", "--once", "--ip", "localhost"), "--ip")
	require.Contains(t, fail(t, exitUsage, "lab", "--once", "--port", "99999"), "--port")
}
