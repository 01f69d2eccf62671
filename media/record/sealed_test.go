package record

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/media/wav"
	"axgate/vault"
)

func testRing(t *testing.T) *vault.Ring {
	t.Helper()
	key, err := vault.NewKey("k")
	require.NoError(t, err)
	ring, err := vault.ReadRing(strings.NewReader(key))
	require.NoError(t, err)
	return ring
}

// decrypt gives the WAV file in an encrypted one.
func decrypt(t *testing.T, ring *vault.Ring, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.True(t, vault.IsSealedFile(f))
	info, err := f.Stat()
	require.NoError(t, err)
	x, err := ring.NewReader(f, info.Size(), filepath.Base(path))
	require.NoError(t, err)
	b, err := io.ReadAll(x)
	require.NoError(t, err)
	return b
}

// talk feeds packets with a gap, so that pieces have all lengths.
func talk(p *tape, seconds int) {
	for i := range 50 * seconds {
		if i > 300 && i < 700 {
			continue
		}
		p.packet(i%2, uint32(1+i%2), uint32(160*i), 20+float64(20*i), a)
	}
}

// TestSealed: an encrypted recording is that of the same packets in the clear,
// and has none of it in its file.
func TestSealed(t *testing.T) {
	ring := testRing(t)
	for _, stereo := range []bool{false, true} {
		var want []byte
		for _, by := range []*vault.Ring{nil, ring} {
			w := Open(WriterOptions{Sync: true, Ring: by})
			r, err := w.Create(Options{Dir: t.TempDir(), Name: "a.wav", Stereo: stereo})
			require.NoError(t, err)
			p := &tape{r, t}
			talk(p, 21)
			done, err := p.Close(p.start.Add(21_333*time.Millisecond + 125*time.Microsecond))
			require.NoError(t, err)
			require.NoError(t, w.Close())
			if by == nil {
				want, err = os.ReadFile(done.Path)
				require.NoError(t, err)
				continue
			}
			got := decrypt(t, ring, done.Path)
			require.True(t, bytes.Equal(want, got))
			require.EqualValues(t, len(got), done.Bytes)
			raw, err := os.ReadFile(done.Path)
			require.NoError(t, err)
			require.False(t, bytes.Contains(raw, bytes.Repeat([]byte{a}, 8)))
			require.False(t, bytes.Contains(raw, []byte("RIFF")))
		}
	}
}

// TestRepairSealed: what a crash has left is completed, but for a chunk that was
// cut off; without the key it stays as it is.
func TestRepairSealed(t *testing.T) {
	ring, dir := testRing(t), t.TempDir()
	w := Open(WriterOptions{Ring: ring})
	for name, seconds := range map[string]int{"long.wav": 20, "short.wav": 2} {
		r, err := w.Create(Options{Dir: dir, Name: name, Stereo: name == "long.wav"})
		require.NoError(t, err)
		talk(&tape{r, t}, seconds)
	}
	require.NoError(t, w.Close())
	part := filepath.Join(dir, "long.wav.part")
	info, err := os.Stat(part)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(part, info.Size()-1000))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "torn.wav.part"), []byte("axgate1\n"), 0o600))

	for _, wrong := range []*vault.Ring{nil, testRing(t)} {
		done, err := Repair(dir, 3*time.Second, wrong, nil)
		require.ErrorContains(t, err, "long.wav.part: ")
		require.Empty(t, done)
	}
	done, err := Repair(dir, 3*time.Second, ring, nil)
	require.NoError(t, err)
	require.Len(t, done, 1)
	f, err := wav.Parse(decrypt(t, ring, filepath.Join(dir, "long.wav")))
	require.NoError(t, err)
	require.Equal(t, 2, f.Channels)
	require.Equal(t, done[0].Duration, f.Duration())
	require.Greater(t, done[0].Duration, 10*time.Second)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// TestSealedDiskFails: what stands on a disk that failed is kept.
func TestSealedDiskFails(t *testing.T) {
	ring, dir := testRing(t), t.TempDir()
	w := Open(WriterOptions{Ring: ring})
	r, err := w.Create(Options{Dir: dir, Name: "a.wav"})
	require.NoError(t, err)
	p := &tape{r, t}
	talk(p, 12)
	eventually(t, "two chunks are written", func() bool {
		info, err := os.Stat(filepath.Join(dir, "a.wav.part"))
		return err == nil && info.Size() > 2*16<<10
	})
	require.NoError(t, r.file.f.Close()) // from here on nothing can be written
	talk(p, 20)
	done, err := p.Close(p.start.Add(20 * time.Second))
	require.ErrorContains(t, err, "write the recording a.wav")
	require.NoError(t, w.Close())
	require.NotEmpty(t, done.Path)
	f, err := wav.Parse(decrypt(t, ring, done.Path))
	require.NoError(t, err)
	require.Equal(t, done.Duration, f.Duration())
	require.GreaterOrEqual(t, done.Duration, 4*time.Second)
}
