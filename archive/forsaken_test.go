package archive_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/archive"
)

// TestForsaken: what killed processes have left unfinished goes after an hour, wherever recordings
// are gone through; what is new, or somebody's still, stays.
func TestForsaken(t *testing.T) {
	path := t.TempDir()
	d, err := archive.OpenDir(path)
	require.NoError(t, err)
	long := time.Now().Add(-61 * time.Minute)
	for _, name := range []string{".encrypting-left", ".encrypting-held", ".encrypting-new", ".hidden", "a.wav", "a.wav.part"} {
		file := filepath.Join(path, name)
		require.NoError(t, os.WriteFile(file, []byte("speech"), 0o600))
		if name != ".encrypting-new" {
			require.NoError(t, os.Chtimes(file, long, long))
		}
	}
	for _, name := range []string{".restoring-left", ".restoring-held", ".restoring-new"} {
		dir := filepath.Join(path, name)
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "b.wav"), []byte("speech"), 0o600))
		if name != ".restoring-new" {
			require.NoError(t, os.Chtimes(dir, long, long))
		}
	}
	for _, name := range []string{".encrypting-held", ".restoring-held"} {
		f, err := archive.Hold(filepath.Join(path, name))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
	}
	var names []string
	require.NoError(t, d.Each(t.Context(), 3, func(files []archive.File) error {
		for _, f := range files {
			names = append(names, f.Name)
		}
		return nil
	}))
	require.Equal(t, []string{"a.wav"}, names)
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	names = nil
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.Equal(t, []string{".encrypting-held", ".encrypting-new", ".hidden", ".restoring-held", ".restoring-new", "a.wav", "a.wav.part"}, names)
}
