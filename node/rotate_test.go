package node

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/media/record"
	"axgate/media/wav"
	"axgate/vault"
)

// TestRotateWhatIsWritten: keys are changed while a recording is written. It goes on, and
// once the old key is gone it can be read: what was spoken before, and after. One that
// was begun without keys is told of.
func TestRotateWhatIsWritten(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	one, err := vault.NewKey("one")
	require.NoError(t, err)
	two, err := vault.NewKey("two")
	require.NoError(t, err)
	c.Keys.Ring = one
	old, err := keyRing(&c)
	require.NoError(t, err)
	write := func(ring *vault.Ring, name string) (r *record.Recording, speak func()) {
		w := record.Open(record.WriterOptions{Ring: ring})
		t.Cleanup(func() { require.NoError(t, w.Close()) })
		r, err := w.Create(record.Options{Dir: RecordDir(&c), Name: name})
		require.NoError(t, err)
		begun, n := time.Now(), 0
		return r, func() {
			for range 1000 { // 20 s of speech
				r.Write(0, 1, uint32(160*n), begun.Add(time.Duration(20*n)*time.Millisecond), bytes.Repeat([]byte{0x21}, 160))
				n++
			}
		}
	}
	start := time.Now()
	sealed, speak := write(old, "sealed.wav")
	speak()
	plain, murmur := write(nil, "plain.wav")
	murmur()
	size := func(name string) int64 {
		info, err := os.Stat(filepath.Join(RecordDir(&c), name+".part"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	require.Eventually(t, func() bool { return size("sealed.wav") > 100_000 && size("plain.wav") > 100_000 }, 10*time.Second, 10*time.Millisecond)

	c.Keys.Ring = one + " " + two
	o, err := OpenOffice(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, o.Close()) }()
	ending, end := context.WithCancel(t.Context())
	told, err := o.Rotate(ending, &c, func(r Rotation) {
		if r.Files+r.Later == 1 {
			end() // after the first of the two
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, told.Files+told.Later)
	for _, anew := range []int{1 - told.NewFiles, 0} {
		r, err := o.Rotate(t.Context(), &c, func(Rotation) {})
		require.NoError(t, err)
		require.Equal(t, Rotation{Files: 1, NewFiles: anew, Later: 1}, r)
	}
	use, missing, err := o.KeyUse(t.Context(), &c)
	require.NoError(t, err)
	require.NoError(t, missing)
	require.Equal(t, map[string]int{"two": 1, "": 1}, use.Files)

	speak()
	for _, r := range []*record.Recording{sealed, plain} {
		_, err := r.Close(start.Add(40 * time.Second))
		require.NoError(t, err)
	}
	c.Keys.Ring = two
	ring, err := keyRing(&c)
	require.NoError(t, err)
	f, err := os.Open(filepath.Join(RecordDir(&c), "sealed.wav"))
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	reader, _, err := ring.Decrypted(f, info.Size(), "sealed.wav")
	require.NoError(t, err)
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	whole, err := wav.Parse(text)
	require.NoError(t, err)
	require.Equal(t, 40*time.Second, whole.Duration().Round(time.Second))
	require.Greater(t, bytes.Count(whole.Data, []byte{0x21}), 2*1000*160-4000)
}
