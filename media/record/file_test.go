package record

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/media/wav"
)

func TestShortTalksLeaveNoFile(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, Options{Dir: dir, MinTalk: 3 * time.Second})
	p.packet(0, 1, 0, 20, a)
	r, err := p.Close(p.start.Add(2999 * time.Millisecond))
	require.NoError(t, err)
	require.Equal(t, Result{}, r)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	_, err = p.Close(time.Now())
	require.Error(t, err)

	p = begin(t, Options{Dir: dir, MinTalk: 3 * time.Second, Talk: time.Now().Add(-2 * time.Second)})
	_, r = p.end(1500)
	require.Equal(t, 1500*time.Millisecond, r.Duration, "the talk counts, not the recording")
}

func TestCreateRefuses(t *testing.T) {
	w := Open(WriterOptions{})
	dir := t.TempDir()
	for _, name := range []string{"", ".", "..", "../x.wav", "a/b.wav", ".hidden", "a.wav.part"} {
		_, err := w.Create(Options{Dir: dir, Name: name})
		require.ErrorContains(t, err, "not the name of a file")
	}
	r, err := w.Create(Options{Dir: dir, Name: "a.wav"})
	require.NoError(t, err)
	_, err = w.Create(Options{Dir: dir, Name: "a.wav"})
	require.ErrorIs(t, err, os.ErrExist)
	info, err := os.Stat(filepath.Join(dir, "a.wav.part"))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	_, err = r.Close(time.Now())
	require.ErrorIs(t, err, ErrClosed)
	_, err = w.Create(Options{Dir: filepath.Join(dir, "a.wav.part"), Name: "b.wav"})
	require.Error(t, err, "the directory is a file")
}

// What waits for the disk is a piece alone, and stays as it is while the buffer goes on; what comes back is another
// recording's at once.
func TestPiecesJoin(t *testing.T) {
	for name, o := range map[string]Options{"mono": {}, "stereo": {Stereo: true}} {
		t.Run(name, func(t *testing.T) {
			p, other := begin(t, o), begin(t, o)
			say := func(from, to int) {
				for i := from; i < to; i++ {
					p.packet(0, 1, uint32(160*i), 20+float64(20*i), byte(i))
					if o.Stereo {
						p.packet(1, 2, uint32(160*i), 20+float64(20*i), byte(i+100))
					}
					other.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
				}
			}
			say(0, 1000)
			disk, still := p.queue, newQueue(100)
			p.queue = still
			say(1000, 2000)
			require.GreaterOrEqual(t, len(still.jobs), 1000*160/pieceFrames-1)
			for range len(still.jobs) {
				j := <-still.jobs
				require.Equal(t, pieceFrames*p.channels, cap(j.piece))
				disk.jobs <- j
			}
			p.queue = disk
			say(2000, 3000)
			other.end(60_000)
			samples, _ := p.end(60_000)
			for i := range 3000 {
				for side := range p.channels {
					n := 0
					for k := side; k < 160*p.channels; k += p.channels {
						if samples[160*p.channels*i+k] == byte(i+100*side) {
							n++
						}
					}
					require.Equal(t, 160, n, "packet %d of side %d", i, side)
				}
			}
		})
	}
}

// A disk that does not keep up costs audio, never the length.
func TestSlowDisk(t *testing.T) {
	p := begin(t, Options{Name: "slow.wav"})
	full := newQueue(0) // nobody takes anything
	fast := p.queue
	p.queue = full
	for i := range 500 {
		p.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
	}
	p.queue = fast
	for i := range 500 {
		p.packet(0, 1, uint32(160*(500+i)), 20+float64(20*(500+i)), b)
	}
	samples, r := p.end(20_000)
	require.Equal(t, 20*time.Second, r.Duration)
	require.Greater(t, r.Lost, 3*time.Second)
	require.Equal(t, 80_000, bytes.Count(samples, []byte{b}))
	require.Equal(t, 80_000, bytes.Index(samples, bytes.Repeat([]byte{b}, 80_000)))
}

// What a disk took before it failed is kept, with the error.
func TestBrokenDisk(t *testing.T) {
	for name, c := range map[string]struct {
		before int // packets
		kept   bool
	}{"at once": {before: 0}, "in the middle": {before: 500, kept: true}} {
		t.Run(name, func(t *testing.T) {
			p := begin(t, Options{MinTalk: 3 * time.Second})
			for i := range c.before {
				p.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
			}
			eventually(t, "the pieces are written", func() bool { return len(p.queue.jobs) == 0 })
			settle(t, p.writer)
			f := p.file.f
			readOnly, err := os.Open(f.Name())
			require.NoError(t, err)
			p.file.f = readOnly
			settle(t, p.writer)
			for i := range 500 {
				p.packet(0, 1, uint32(160*(c.before+i)), 20+float64(20*(c.before+i)), b)
			}
			settle(t, p.writer)
			p.file.f = f
			settle(t, p.writer)
			require.NoError(t, readOnly.Close())
			r, err := p.Close(p.start.Add(20 * time.Second))
			require.ErrorContains(t, err, "write the recording a.wav")
			if !c.kept {
				require.Empty(t, r.Path)
				left, err := os.ReadDir(filepath.Dir(f.Name()))
				require.NoError(t, err)
				require.Empty(t, left)
				return
			}
			require.ErrorContains(t, err, "only its first 8.704s")
			raw, err := os.ReadFile(r.Path)
			require.NoError(t, err)
			got, err := wav.Parse(raw)
			require.NoError(t, err)
			require.Equal(t, r.Duration, got.Duration())
			require.Equal(t, bytes.Repeat([]byte{a}, 17*pieceFrames), got.Data)
		})
	}
}

// eventually polls until f holds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "waited in vain for: %s", what)
	}
}

// settle waits until the writing goroutines have done what was queued.
func settle(t *testing.T, w *Writer) {
	t.Helper()
	for _, q := range w.queues {
		done := make(chan struct{})
		require.NoError(t, w.put(q, job{file: new(file), done: done}))
		<-done
	}
}

func TestRepair(t *testing.T) {
	dir := t.TempDir()
	w := Open(WriterOptions{})
	for name, seconds := range map[string]int{"long.wav": 20, "short.wav": 2} {
		r, err := w.Create(Options{Dir: dir, Name: name, Stereo: name == "long.wav"})
		require.NoError(t, err)
		p := &tape{r, t}
		for i := range 50 * seconds {
			p.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
		}
	}
	require.NoError(t, w.Close()) // all that is queued is on the disk, nothing is complete
	require.NoError(t, os.WriteFile(filepath.Join(dir, "torn.wav.part"), []byte("RIFF"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "whole.wav"), []byte("not looked at"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "headless.wav.part"), make([]byte, 80_000), 0o600))

	done, err := Repair(dir, 3*time.Second, nil, nil)
	require.ErrorContains(t, err, "headless.wav.part: its header is gone")
	require.Len(t, done, 1)
	require.Equal(t, filepath.Join(dir, "long.wav"), done[0].Path)
	require.Greater(t, done[0].Duration, 15*time.Second)
	require.WithinDuration(t, time.Now().Add(-done[0].Duration), done[0].Start, 10*time.Second)
	b, err := os.ReadFile(done[0].Path)
	require.NoError(t, err)
	f, err := wav.Parse(b)
	require.NoError(t, err)
	require.Equal(t, 2, f.Channels)
	require.Equal(t, done[0].Duration, f.Duration())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 3, "the repaired one, the complete one, and the one that needs a person")

	done, err = Repair(filepath.Join(dir, "nowhere"), 0, nil, nil)
	require.NoError(t, err)
	require.Empty(t, done)
}

// A process that is killed in the middle of a talk leaves a file that can be played.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("RECORD_UNTIL_KILLED"); dir != "" {
		recordUntilKilled(t, dir)
	}
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "RECORD_UNTIL_KILLED="+dir)
	require.NoError(t, cmd.Start())
	part := filepath.Join(dir, "a.wav.part")
	eventually(t, "a piece is on the disk", func() bool {
		info, err := os.Stat(part)
		return err == nil && info.Size() > 8*pieceFrames
	})
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	done, err := Repair(dir, 3*time.Second, nil, nil)
	require.NoError(t, err)
	require.Len(t, done, 1)
	raw, err := os.ReadFile(filepath.Join(dir, "a.wav"))
	require.NoError(t, err)
	f, err := wav.Parse(raw)
	require.NoError(t, err)
	require.Equal(t, done[0].Duration, f.Duration())
	require.Equal(t, len(f.Data), bytes.Count(f.Data, []byte{a}), "all that is there is audio")
	_, err = os.Stat(part)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func recordUntilKilled(t *testing.T, dir string) {
	r, err := Open(WriterOptions{}).Create(Options{Dir: dir, Name: "a.wav"})
	require.NoError(t, err)
	p := &tape{r, t}
	for i := 0; ; i++ {
		p.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
		time.Sleep(100 * time.Microsecond)
	}
}

// BenchmarkWholeFile creates, writes, finishes and renames a recording of 10 s.
func BenchmarkWholeFile(b *testing.B) {
	for name, sync := range map[string]bool{"not synced": false, "synced": true} {
		b.Run(name, func(b *testing.B) {
			w := Open(WriterOptions{Sync: sync})
			dir := b.TempDir()
			frame := bytes.Repeat([]byte{a}, 160)
			for n := 0; b.Loop(); n++ {
				r, err := w.Create(Options{Dir: dir, Name: strconv.Itoa(n) + ".wav"})
				require.NoError(b, err)
				for i := range 500 {
					r.Write(0, 1, uint32(160*i), r.start.Add(time.Duration(20*i+20)*time.Millisecond), frame)
				}
				_, err = r.Close(r.start.Add(10 * time.Second))
				require.NoError(b, err)
			}
			require.NoError(b, w.Close())
		})
	}
}
