package record

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/vault"
)

// goOn gives a recording packets of the caller from one to before another.
func goOn(r *Recording, from, to int, sample byte) {
	for i := from; i < to; i++ {
		r.Write(0, 7, uint32(i*160), r.start.Add(time.Duration(i+1)*20*time.Millisecond), bytes.Repeat([]byte{sample}, 160))
	}
}

// grown waits until what was written of spoken is on the disk.
func grown(t *testing.T, part string) {
	eventually(t, "pieces are written", func() bool {
		info, err := os.Stat(part)
		return err == nil && info.Size() > onDisk
	})
}

// TestHeirOfStopped: a process is stopped and declared dead, and its heir completes
// the recording. When it wakes, nothing that it writes comes into the file, and
// whether it lets go of its recording or ends it, the heir's stays as it is.
func TestHeirOfStopped(t *testing.T) {
	for name, ring := range map[string]*vault.Ring{"plain": nil, "encrypted": newRing(t)} {
		for end, wakes := range map[string]func(*Recording){
			"lets go": (*Recording).Abandon,
			"ends it": func(r *Recording) {
				_, err := r.Close(r.start.Add(18 * time.Second))
				require.Error(t, err)
			},
			"finds it too short": func(r *Recording) {
				r.minTalk = time.Hour
				_, err := r.Close(r.start.Add(18 * time.Second))
				require.Error(t, err)
			},
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				dir := t.TempDir()
				w := Open(WriterOptions{Ring: ring})
				defer w.Close()
				r, err := w.Create(Options{Dir: dir, Name: "a.wav"})
				require.NoError(t, err)
				goOn(r, 0, spoken, 0x11)
				grown(t, filepath.Join(dir, "a.wav.part"))
				got, err := Complete(dir, "a.wav", time.Second, ring)
				require.NoError(t, err)
				require.Equal(t, span(onDisk), got.Duration)
				before, err := os.ReadFile(got.Path)
				require.NoError(t, err)
				goOn(r, spoken, 900, 0x33)
				wakes(r)
				after, err := os.ReadFile(got.Path)
				require.NoError(t, err)
				require.True(t, bytes.Equal(before, after), "%d bytes, then %d", len(before), len(after))
				require.Equal(t, bytes.Repeat([]byte{0x11}, onDisk), samplesOf(t, got.Path, ring))
				require.Equal(t, []string{"a.wav"}, names(t, dir))
				again, err := Complete(dir, "a.wav", time.Second, ring)
				require.NoError(t, err)
				require.Empty(t, again.Path)
			})
		}
	}
}

// TestHeirOfNothing: what a stopped process has begun, and nothing more, leaves no file.
func TestHeirOfNothing(t *testing.T) {
	for name, ring := range map[string]*vault.Ring{"plain": nil, "encrypted": newRing(t)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := Open(WriterOptions{Ring: ring})
			defer w.Close()
			r, err := w.Create(Options{Dir: dir, Name: "a.wav"})
			require.NoError(t, err)
			got, err := Complete(dir, "a.wav", time.Second, ring)
			require.NoError(t, err)
			require.Empty(t, got.Path)
			require.Empty(t, names(t, dir))
			r.Abandon()
		})
	}
}

// TestHeirIsStopped: one who goes on with a recording is stopped itself. Who inherits
// from it joins the parts, and it finds that they are gone.
func TestHeirIsStopped(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, Name: "a.wav"}
	o.Begun = crashed(t, o, nil, spoken, 0x11).Add(-6 * time.Second)
	w := Open(WriterOptions{})
	defer w.Close()
	r, err := w.Create(o)
	require.NoError(t, err)
	got, err := Complete(dir, "a.wav", 0, nil)
	require.NoError(t, err)
	_, err = r.Close(r.start.Add(time.Second))
	require.ErrorContains(t, err, "a.wav")
	require.Equal(t, bytes.Repeat([]byte{0x11}, onDisk), samplesOf(t, got.Path, nil)[:onDisk])
	require.Equal(t, []string{"a.wav"}, names(t, dir))
}

// TestClocks: the clocks of those who recorded the parts do not agree. All that was
// recorded is in the file, in its order, and the silence between is bounded.
func TestClocks(t *testing.T) {
	for ahead, gap := range map[time.Duration]time.Duration{-90 * time.Minute: 0, -3 * time.Second: 0, 47 * time.Hour: span(mostGap), 90 * time.Minute: span(mostGap)} {
		t.Run(ahead.String(), func(t *testing.T) {
			dir := t.TempDir()
			o := Options{Dir: dir, Name: "a.wav"}
			o.Begun = crashed(t, o, nil, spoken, 0x11).Add(-ahead)
			crashed(t, o, nil, spoken, 0x22) // a second one, which dies as well
			w := Open(WriterOptions{})
			defer w.Close()
			r, err := w.Create(o)
			require.NoError(t, err)
			speak(r, 0, 200, 0x33)
			got, err := r.Close(r.start.Add(4 * time.Second))
			require.NoError(t, err)
			require.Equal(t, 3, got.Parts)
			require.InDelta(t, gap.Seconds(), got.Gap.Seconds(), 0.001)
			data := samplesOf(t, got.Path, nil)
			next := 0
			for _, part := range []struct {
				sample byte
				frames int
			}{{0x11, onDisk}, {0x22, onDisk}, {0x33, 200 * 160}} {
				at := bytes.IndexByte(data, part.sample)
				require.GreaterOrEqual(t, at, next)
				next = at + part.frames
				require.Equal(t, bytes.Repeat([]byte{part.sample}, part.frames), data[at:next])
			}
			require.Equal(t, []string{"a.wav"}, names(t, dir))
		})
	}
}

// TestSpokenFor: a recording whose call goes on elsewhere is left to who has it, too
// short as its first part may be; and the rest of a joining that was cut off goes away.
func TestSpokenFor(t *testing.T) {
	dir := t.TempDir()
	crashed(t, Options{Dir: dir, Name: "a.wav"}, nil, spoken, 0x11)
	rest := filepath.Join(dir, "b.wav.1"+joiningSuffix)
	require.NoError(t, os.WriteFile(rest, nil, 0o600))
	done, err := Repair(dir, time.Hour, nil, func(name string) bool { return name == "a.wav" })
	require.NoError(t, err)
	require.Empty(t, done)
	require.Equal(t, []string{"a.wav.part", "b.wav.1.joining"}, names(t, dir))
	old := time.Now().Add(-25 * time.Hour)
	require.NoError(t, os.Chtimes(rest, old, old))
	_, err = Repair(dir, time.Hour, nil, func(string) bool { return false })
	require.NoError(t, err)
	require.Empty(t, names(t, dir))
}
