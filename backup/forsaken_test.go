package backup_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/archive"
	"axgate/backup"
	"axgate/ledger"
)

// TestForsaken: what killed commands have left goes with the next one; what another one works
// on stays.
func TestForsaken(t *testing.T) {
	p := newPlace(t, ledger.Config{Path: filepath.Join(t.TempDir(), "axgate.db")})
	var left, held []string
	for _, prefix := range []string{p.cfg.Path + ".restoring-", p.prompts + ".restoring-", filepath.Join(p.recordings, ".restoring-")} {
		left, held = append(left, prefix+"left"), append(held, prefix+"held")
	}
	for _, dir := range append(left, held...) {
		require.NoError(t, os.MkdirAll(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("a real number"), 0o600))
	}
	for _, dir := range held {
		f, err := archive.Hold(dir)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
	}
	check := func() {
		t.Helper()
		for _, dir := range left {
			require.NoDirExists(t, dir)
		}
		for _, dir := range held {
			require.FileExists(t, filepath.Join(dir, "a"))
		}
	}
	_, err := backup.Restore(t.Context(), bytes.NewReader(ofAnOlder(t)), p.target(false))
	require.NoError(t, err)
	check()
	for _, dir := range left[:2] {
		require.NoError(t, os.MkdirAll(dir, 0o700))
	}
	require.NoError(t, backup.Sweep(p.target(false)))
	check()
}

// TestDraft: a backup gets its name when it is whole. What a killed one has left goes.
func TestDraft(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "b.axg")
	left := filepath.Join(dir, ".b.axg.part-1")
	require.NoError(t, os.WriteFile(left, []byte("real numbers"), 0o600))
	d, err := backup.NewDraft(name)
	require.NoError(t, err)
	require.NoFileExists(t, left)
	other, err := backup.NewDraft(name)
	require.NoError(t, err)
	_, err = d.Write([]byte("whole"))
	require.NoError(t, err)
	require.NoError(t, d.Finish(nil))
	require.ErrorIs(t, other.Finish(os.ErrInvalid), os.ErrInvalid)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "whole", string(text))
	around, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, around, 1)
}
