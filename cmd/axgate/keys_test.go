package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/ledger"
	"axgate/node"
	"axgate/routing"
)

// TestKeysCommand makes keys, encrypts what was not, changes to a new key, and
// tells what is missing.
func TestKeysCommand(t *testing.T) {
	dir := t.TempDir()
	data, keys, file := filepath.Join(dir, "data"), filepath.Join(dir, "keys"), filepath.Join(dir, "axgate.yaml")
	cfg := config.Default()
	cfg.Data = data
	l, err := ledger.Open(t.Context(), ledger.Config{Path: node.LedgerFile(&cfg)})
	require.NoError(t, err)
	require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "demo", MaxApps: 1}, time.Now()))
	_, err = l.CreateApp(t.Context(), ledger.App{App: routing.App{Key: "app", SP: "demo", Mode: routing.AXB}, Secret: "secret-of-app", Signing: ledger.SignWSSE})
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.NoError(t, os.MkdirAll(node.RecordDir(&cfg), 0o700))
	wav := filepath.Join(node.RecordDir(&cfg), "a.wav")
	require.NoError(t, os.WriteFile(wav, []byte("RIFF of a recording"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte("data: "+data+"\nkeys: {file: "+keys+"}\n"), 0o600))
	add := func(name string) {
		line := succeed(t, "keys", "new", name)
		require.True(t, strings.HasPrefix(line, name+":"))
		f, err := os.OpenFile(keys, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = f.WriteString(line)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	require.Contains(t, fail(t, exitUsage, "keys", "new", "a b"), "no name of a key")
	require.Contains(t, fail(t, exitFailed, "--data", data, "keys", "rotate"), "there are no keys")
	require.Contains(t, fail(t, exitFailed, "-c", file, "keys"), "keys: read the keys")
	for _, name := range []string{"one", "two"} {
		add(name)
		var r node.Rotation
		require.NoError(t, json.Unmarshal([]byte(succeed(t, "-c", file, "--json", "keys", "rotate")), &r))
		require.Equal(t, node.Rotation{Secrets: 1, NewSecrets: 1, Files: 1, NewFiles: 1}, r)
		require.Contains(t, succeed(t, "-c", file, "keys", "rotate"), "0 of 1 secrets, 0 of 1 recordings")
		listed := succeed(t, "-c", file, "keys")
		require.Regexp(t, name+" +encrypts +1 +1", listed)
		raw, err := os.ReadFile(wav)
		require.NoError(t, err)
		require.NotContains(t, string(raw), "RIFF")
	}
	require.Contains(t, succeed(t, "-c", file, "config", "print"), "ring: \"\"")
	require.NoError(t, os.Remove(keys))
	add("other")
	require.Contains(t, fail(t, exitFailed, "-c", file, "app", "show", "app"), "add key")
	require.Contains(t, fail(t, exitFailed, "-c", file, "keys"), "two")
	require.Contains(t, fail(t, exitFailed, "-c", file, "serve"), "add key")
}
