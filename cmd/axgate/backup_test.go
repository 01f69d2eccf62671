package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/backup"
)

// TestBackupCommand backs up a node that runs, restores it elsewhere, where the
// same is to be found, and tells what it refuses.
func TestBackupCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys, file := filepath.Join(dir, "keys"), filepath.Join(dir, "backup.axg")
	require.NoError(t, os.WriteFile(keys, []byte(succeed(t, "keys", "new", "k")), 0o600))
	from := write(t, "keys: {file: "+keys+"}\nbindings:\n  - {app: axb, x: \"+8617010000001\", a: \"+8613800000001\", b: \"+8613800000002\"}\n")
	left := filepath.Join(filepath.Dir(from), "data", "axgate.db.restoring-x")
	require.NoError(t, os.MkdirAll(left, 0o700))
	node := start("-c", from, "serve")
	defer func() { node.signals <- os.Interrupt; require.Zero(t, node.ended(t), node.errs) }()
	require.Eventually(t, func() bool { return strings.Contains(node.errs.String(), "calls are taken") }, 15*time.Second, 20*time.Millisecond, "%s", node.errs)
	require.NoDirExists(t, left, "what a killed restore has left")
	var m backup.Manifest
	require.NoError(t, json.Unmarshal([]byte(succeed(t, "-c", from, "--json", "backup", "--recordings", file)), &m))
	require.Equal(t, []string{"k"}, m.Keys)
	require.Equal(t, []int{4, 1}, []int{m.Tables["apps"], m.Tables["bindings"]})
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.Contains(t, succeed(t, "restore", "--check", file), "is whole: 4 apps, 5 numbers, 1 bindings")
	require.Contains(t, fail(t, exitFailed, "-c", from, "restore", "--replace", file), "another axgate runs")
	beside := filepath.Join(dir, "beside.yaml") // another node's configuration, with the same ledger
	require.NoError(t, os.WriteFile(beside, []byte("data: "+filepath.Join(dir, "beside")+"\nledger: {path: "+filepath.Join(filepath.Dir(left), "axgate.db")+"}\nkeys: {file: "+keys+"}\n"), 0o600))
	require.Contains(t, fail(t, exitFailed, "-c", beside, "restore", "--replace", file), "nothing was changed: take")
	require.Contains(t, succeed(t, "-c", from, "app", "list"), "axb")

	to := filepath.Join(dir, "to.yaml")
	require.NoError(t, os.WriteFile(to, []byte("data: "+filepath.Join(dir, "to")+"\n"), 0o600))
	require.Contains(t, fail(t, exitFailed, "-c", to, "restore", file), "add key k")
	require.NoError(t, os.WriteFile(to, []byte("data: "+filepath.Join(dir, "to")+"\nkeys: {file: "+keys+"}\n"), 0o600))
	printed := succeed(t, "-c", to, "restore", file)
	require.Contains(t, printed, "is restored: 4 apps, 5 numbers, 1 bindings")
	require.Contains(t, printed, "no entry from before is believed")
	require.Contains(t, succeed(t, "-c", to, "binding", "list", "--x", "+8617010000001"), "+8617010000001")
	require.Contains(t, fail(t, exitFailed, "-c", to, "restore", file), "use --replace")
	require.Contains(t, succeed(t, "-c", to, "restore", "--replace", file), "what was there is ")

	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, whole[:len(whole)-100], 0o600))
	require.Contains(t, fail(t, exitFailed, "-c", to, "restore", "--replace", file), "it is no whole backup")
	require.Contains(t, fail(t, exitFailed, "-c", to, "backup", filepath.Join(dir, "none", "b")), "write a backup")
}
