package backup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReplace: a ledger is replaced at once and kept aside, and all of that is undone.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path, from := filepath.Join(dir, "axgate.db"), filepath.Join(dir, "new.db")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	is := func(file, want string) {
		t.Helper()
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	alone := func() {
		t.Helper()
		is(path, "old")
		require.NoFileExists(t, path+".before-M")
	}
	s := &staging{mark: "M"}
	require.Error(t, s.replace(from, path), "there is no new one")
	is(path, "old")
	require.NoError(t, s.unswap())
	alone()
	require.NoError(t, os.WriteFile(from, []byte("new"), 0o600))
	require.NoError(t, s.replace(from, path))
	is(path, "new")
	is(path+".before-M", "old")
	require.NoError(t, s.unswap())
	alone()
}
