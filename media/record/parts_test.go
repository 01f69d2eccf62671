package record

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/media/law"
	"axgate/media/wav"
	"axgate/vault"
)

// Of so many packets so many frames are on the disk already, encrypted or not: whole chunks.
const (
	spoken = 280
	onDisk = 8 * pieceFrames
)

// speak gives a recording so many packets of a side, each of 20 ms of one sample,
// as if they had come since it began.
func speak(r *Recording, side, packets int, sample byte) {
	for i := range packets {
		r.Write(side, 7, uint32(i*160), r.start.Add(time.Duration(i+1)*20*time.Millisecond), bytes.Repeat([]byte{sample}, 160))
	}
}

// crashed begins a recording and leaves it as a process that was killed does.
func crashed(t *testing.T, o Options, ring *vault.Ring, packets int, sample byte) (start time.Time) {
	w := Open(WriterOptions{Ring: ring})
	r, err := w.Create(o)
	require.NoError(t, err)
	speak(r, 0, packets, sample)
	require.NoError(t, w.Close()) // what is in its pieces is written, the rest is lost
	require.NoError(t, r.file.f.Close())
	return r.start
}

func samplesOf(t *testing.T, path string, ring *vault.Ring) []byte {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	plain, _, err := ring.Decrypted(f, info.Size(), filepath.Base(path))
	require.NoError(t, err)
	w, err := wav.Read(plain, 1<<30)
	require.NoError(t, err)
	return w.Data
}

func newRing(t *testing.T) *vault.Ring {
	line, err := vault.NewKey("k1")
	require.NoError(t, err)
	ring, err := vault.OpenRing("", line)
	require.NoError(t, err)
	return ring
}

// TestFurtherPart: another process goes on with a recording whose process died. The
// two parts become one file, silence where nobody recorded, and nothing else stays.
func TestFurtherPart(t *testing.T) {
	for name, ring := range map[string]*vault.Ring{"plain": nil, "encrypted": newRing(t)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o := Options{Dir: dir, Name: "a.wav", Stereo: true}
			begun := crashed(t, o, ring, spoken, 0x11)
			o.Begun, o.Talk = begun.Add(-10*time.Second), begun
			w := Open(WriterOptions{Ring: ring, Sync: true})
			defer w.Close()
			r, err := w.Create(o)
			require.NoError(t, err)
			speak(r, 1, 200, 0x22)
			got, err := r.Close(r.start.Add(4 * time.Second))
			require.NoError(t, err)
			require.Equal(t, filepath.Join(dir, "a.wav"), got.Path)
			require.Equal(t, 2, got.Parts)
			require.WithinDuration(t, o.Begun, got.Start, 0)
			offset := got.Duration - 4*time.Second
			require.InDelta(t, r.start.Sub(o.Begun).Seconds(), offset.Seconds(), 0.002)
			require.InDelta(t, (offset - span(onDisk)).Seconds(), got.Gap.Seconds(), 0.002)
			data := samplesOf(t, got.Path, ring)
			require.Len(t, data, int(got.Duration.Milliseconds())*16)
			at := len(data) - 4*wav.Rate*2
			require.Equal(t, bytes.Repeat([]byte{0x11, law.SilenceA}, onDisk), data[:2*onDisk])
			require.Equal(t, bytes.Repeat([]byte{law.SilenceA}, at-2*onDisk), data[2*onDisk:at])
			require.Equal(t, bytes.Repeat([]byte{law.SilenceA, 0x22}, 4*wav.Rate), data[at:])
			require.Equal(t, []string{"a.wav"}, names(t, dir))
		})
	}
}

// TestBothDied: what two processes left of a recording is joined by whoever closes
// the call, and a part that is still written by a living one is left to it.
func TestBothDied(t *testing.T) {
	for name, ring := range map[string]*vault.Ring{"plain": nil, "encrypted": newRing(t)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o := Options{Dir: dir, Name: "a.wav"}
			begun := crashed(t, o, ring, spoken, 0x11)
			o.Begun = begun.Add(-8 * time.Second)
			w := Open(WriterOptions{Ring: ring})
			r, err := w.Create(o)
			require.NoError(t, err)
			speak(r, 1, spoken, 0x22)
			repaired, err := Repair(dir, 0, ring, nil)
			require.NoError(t, err)
			require.Empty(t, repaired, "its process lives")
			require.NoError(t, w.Close())
			require.NoError(t, r.file.f.Close())
			repaired, err = Repair(dir, time.Second, ring, nil)
			require.NoError(t, err)
			require.Len(t, repaired, 1)
			require.Equal(t, 2, repaired[0].Parts)
			data := samplesOf(t, repaired[0].Path, ring)
			require.Equal(t, bytes.Repeat([]byte{0x11}, onDisk), data[:onDisk])
			require.Equal(t, bytes.Repeat([]byte{0x22}, onDisk), data[len(data)-onDisk:])
			require.Equal(t, []string{"a.wav"}, names(t, dir))
		})
	}
}

// TestFirstPartElsewhere: a recording whose first part is on a disk that is not
// shared begins with what is there.
func TestFirstPartElsewhere(t *testing.T) {
	dir := t.TempDir()
	w := Open(WriterOptions{})
	defer w.Close()
	r, err := w.Create(Options{Dir: dir, Name: "a.wav", Begun: time.Now().Add(-time.Hour)})
	require.NoError(t, err)
	speak(r, 0, 100, 0x11)
	got, err := r.Close(r.start.Add(2 * time.Second))
	require.NoError(t, err)
	require.InDelta(t, 2, got.Duration.Seconds(), 0.001)
	require.WithinDuration(t, r.start, got.Start, 2*time.Millisecond)
	require.Zero(t, got.Gap)
}

// TestFurtherPartTooShort: a talk too short for a recording leaves none of its parts.
func TestFurtherPartTooShort(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, Name: "a.wav", MinTalk: time.Hour}
	o.Begun = crashed(t, o, nil, spoken, 0x11).Add(-time.Second)
	w := Open(WriterOptions{})
	defer w.Close()
	r, err := w.Create(o)
	require.NoError(t, err)
	got, err := r.Close(r.start.Add(time.Second))
	require.NoError(t, err)
	require.Empty(t, got.Path)
	require.Empty(t, names(t, dir))
}

// TestAbandon: what is let go of is finished by nobody but the other process.
func TestAbandon(t *testing.T) {
	dir := t.TempDir()
	w := Open(WriterOptions{})
	defer w.Close()
	o := Options{Dir: dir, Name: "a.wav"}
	r, err := w.Create(o)
	require.NoError(t, err)
	speak(r, 0, spoken, 0x11)
	r.Abandon()
	require.Equal(t, []string{"a.wav.part"}, names(t, dir))
	_, err = r.Close(time.Now())
	require.Error(t, err)
	o.Begun = r.start.Add(-6 * time.Second)
	other, err := w.Create(o)
	require.NoError(t, err)
	got, err := other.Close(other.start.Add(time.Second))
	require.NoError(t, err)
	require.Equal(t, 2, got.Parts)
}

func names(t *testing.T, dir string) (all []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestPartsOfTwoClocks: a part whose clock says that it begins before the one before it
// ended costs nothing of that; one whose clock is far ahead is not silent for as long; and
// one that nothing came to adds nothing.
func TestPartsOfTwoClocks(t *testing.T) {
	for _, c := range []struct {
		name        string
		first       int           // packets
		ahead       time.Duration // of the second clock, of when the first part began
		second      int           // packets
		kept, gap   int           // frames
		second4secs int
	}{
		{"behind", spoken, -3 * time.Second, 200, onDisk, 0, 4 * wav.Rate},
		{"far behind, of a process that stood still", 900, -3 * time.Second, 200, wav.Rate / 1000, 0, 4 * wav.Rate},
		{"far ahead", spoken, 3 * time.Hour, 200, onDisk, mostGap, 4 * wav.Rate},
		{"nothing came", spoken, time.Minute, 0, onDisk, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			o := Options{Dir: dir, Name: "a.wav"}
			begun := crashed(t, o, nil, c.first, 0x11)
			o.Begun = begun.Add(-c.ahead)
			w := Open(WriterOptions{})
			defer w.Close()
			r, err := w.Create(o)
			require.NoError(t, err)
			speak(r, 1, c.second, 0x22)
			got, err := r.Close(r.start.Add(time.Duration(c.second) * 20 * time.Millisecond))
			require.NoError(t, err)
			require.Equal(t, filepath.Join(dir, "a.wav"), got.Path)
			data := samplesOf(t, got.Path, nil)
			require.Equal(t, c.kept, bytes.Count(data, []byte{0x11}))
			require.Equal(t, c.second4secs, bytes.Count(data, []byte{0x22}))
			require.Equal(t, c.kept+c.gap+c.second4secs, len(data))
			require.Equal(t, span(int64(c.gap)), got.Gap)
			require.Equal(t, []string{"a.wav"}, names(t, dir))
		})
	}
}

// TestNothingInParts: of a recording that nothing came to nothing stays.
func TestNothingInParts(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, Name: "a.wav"}
	o.Begun = crashed(t, o, nil, 1, 0x11).Add(-time.Minute)
	w := Open(WriterOptions{})
	defer w.Close()
	r, err := w.Create(o)
	require.NoError(t, err)
	got, err := r.Close(r.start)
	require.NoError(t, err)
	require.Empty(t, got.Path)
	require.Empty(t, names(t, dir))
}
