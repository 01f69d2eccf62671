package record

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/media/wav"
)

// Whatever a peer puts into its headers, the file is as long as the talk, can
// be played, and holds no more audio than came.
func TestAnyPackets(t *testing.T) {
	w := Open(WriterOptions{})
	defer func() { require.NoError(t, w.Close()) }()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		r, err := w.Create(Options{Dir: dir, Name: "a.wav", Stereo: rapid.Bool().Draw(t, "stereo")})
		require.NoError(t, err)
		defer func() { require.NoError(t, os.Remove(filepath.Join(dir, "a.wav"))) }()
		var now time.Duration
		var ssrc, ts [2]uint32
		came := 0
		for range rapid.IntRange(0, 300).Draw(t, "packets") {
			side := rapid.IntRange(0, 1).Draw(t, "side")
			n := rapid.SampledFrom([]int{160, 160, 160, 1, 80, 1000}).Draw(t, "samples")
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				ssrc[side] = rapid.Uint32().Draw(t, "ssrc")
			case 1:
				ts[side] = rapid.Uint32().Draw(t, "ts")
			case 2:
				ts[side] -= uint32(rapid.IntRange(0, 20_000).Draw(t, "back"))
			case 3:
				now += time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond
			}
			now += time.Duration(rapid.IntRange(0, 30).Draw(t, "ms")) * time.Millisecond
			r.Write(side, ssrc[side], ts[side], r.start.Add(now), bytes.Repeat([]byte{a}, n))
			ts[side] += uint32(n)
			came += n
		}
		now += time.Second + time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms"))*time.Millisecond
		result, err := r.Close(r.start.Add(now))
		require.NoError(t, err)
		raw, err := os.ReadFile(result.Path)
		require.NoError(t, err)
		f, err := wav.Parse(raw)
		require.NoError(t, err)
		require.Equal(t, now, f.Duration())
		heard := len(f.Data) - bytes.Count(f.Data, []byte{still})
		require.LessOrEqual(t, heard, came)
	})
}
