package record

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/zaf/g711"
	"go.uber.org/goleak"

	"axgate/media/law"
	"axgate/media/wav"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tape is a recording under test whose packets arrive as the test says.
type tape struct {
	*Recording
	t *testing.T
}

func begin(t *testing.T, o Options) *tape {
	t.Helper()
	w := Open(WriterOptions{})
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "recordings")
	}
	if o.Name == "" {
		o.Name = "a.wav"
	}
	r, err := w.Create(o)
	require.NoError(t, err)
	if filepath.Base(o.Dir) == "recordings" { // made by Create
		info, err := os.Stat(o.Dir)
		require.NoError(t, err)
		require.EqualValues(t, 0o700, info.Mode().Perm())
	}
	return &tape{r, t}
}

// packet arrives ms after the beginning with 20 ms of a sample.
func (p *tape) packet(side int, ssrc, ts uint32, ms float64, sample byte) {
	p.Write(side, ssrc, ts, p.start.Add(time.Duration(ms*float64(time.Millisecond))), bytes.Repeat([]byte{sample}, 160))
}

// end ends it ms after its beginning and gives the samples of its channels.
func (p *tape) end(ms int) (samples []byte, r Result) {
	p.t.Helper()
	r, err := p.Close(p.start.Add(time.Duration(ms) * time.Millisecond))
	require.NoError(p.t, err)
	require.NotEmpty(p.t, r.Path)
	b, err := os.ReadFile(r.Path)
	require.NoError(p.t, err)
	require.EqualValues(p.t, len(b), r.Bytes)
	f, err := wav.Parse(b)
	require.NoError(p.t, err)
	require.Equal(p.t, []any{wav.ALaw, 8000, p.channels}, []any{f.Format, f.Rate, f.Channels})
	require.Equal(p.t, f.Duration(), r.Duration)
	_, err = os.Stat(r.Path + ".part")
	require.ErrorIs(p.t, err, os.ErrNotExist)
	return f.Data, r
}

const a, b, still = 0x21, 0x92, law.SilenceA

// hundredths counts the samples of a kind in each hundredth of a second.
func hundredths(samples []byte, of byte) (n []int) {
	for i := 0; i+80 <= len(samples); i += 80 {
		n = append(n, bytes.Count(samples[i:i+80], []byte{of}))
	}
	return n
}

func TestMixIsTheSumOfBoth(t *testing.T) {
	for range 10_000 {
		x, y := uint8(rand.IntN(256)), uint8(rand.IntN(256))
		sum := int(g711.DecodeAlawFrame(x)) + int(g711.DecodeAlawFrame(y))
		sum = min(max(sum, -32768), 32767)
		got := int(g711.DecodeAlawFrame(mixed[x][y]))
		require.InDelta(t, sum, got, math.Max(16, math.Abs(float64(sum))/16), "%#x and %#x", x, y)
		require.Equal(t, mixed[x][y], mixed[y][x])
	}
	for x := range 256 {
		require.EqualValues(t, x, mixed[x][still], "silence adds nothing")
	}
}

// Each leg has RTP times and clocks of its own; they meet by arrival.
func TestBothLegsLieWhereTheyWereSpoken(t *testing.T) {
	p := begin(t, Options{Stereo: true})
	for i := range 200 {
		p.packet(0, 1, 4_294_967_000+uint32(160*i), 20+float64(20*i), a) // wraps
		if i >= 50 {
			p.packet(1, 2, 77+uint32(160*i), 20+float64(20*i), b)
		}
	}
	samples, r := p.end(4000)
	require.Len(t, samples, 64_000)
	require.Equal(t, 4*time.Second, r.Duration)
	require.Equal(t, p.start, r.Start)
	for i := 0; i < len(samples); i += 2 {
		right := byte(still)
		if i >= 2*8000 {
			right = b
		}
		require.Equal(t, []byte{a, right}, samples[i:i+2], "frame %d", i/2)
	}
}

func TestMonoHasBoth(t *testing.T) {
	p := begin(t, Options{})
	for i := range 200 {
		p.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
		p.packet(1, 2, uint32(160*i), 20+float64(20*i), b)
	}
	samples, _ := p.end(4000)
	require.Equal(t, bytes.Repeat([]byte{mixed[a][b]}, 32_000), samples)
}

func TestWhatIsLostIsSilence(t *testing.T) {
	p := begin(t, Options{Stereo: true})
	for i := range 200 {
		if i%10 != 3 {
			p.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
		}
	}
	samples, _ := p.end(4000)
	require.Equal(t, 180*160, bytes.Count(samples, []byte{a}))
	require.Equal(t, byte(still), samples[2*3*160])
	require.Equal(t, byte(a), samples[2*4*160])
}

// Packets that overtook each other, came twice or much too late.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	p := begin(t, Options{})
	order := rand.Perm(8)
	for i := range 25 {
		for _, k := range order {
			n := 8*i + k
			p.packet(0, 1, uint32(160*n), 20+float64(20*8*i)+140, a)
			if k == 3 {
				p.packet(0, 1, uint32(160*n), 20+float64(20*8*i)+140, a)
			}
		}
	}
	samples, _ := p.end(4200)
	require.Zero(t, bytes.Count(samples, []byte{mixed[a][a]}), "nothing is laid over itself")
	require.GreaterOrEqual(t, bytes.Count(samples, []byte{a}), 190*160)
}

// Arrival is irregular; RTP time is not.
func TestJitterDoesNotMoveAnything(t *testing.T) {
	p := begin(t, Options{})
	for i := range 500 {
		p.packet(0, 1, uint32(160*i), 20+float64(20*i)+rand.Float64()*35, a)
	}
	samples, _ := p.end(10_000)
	n := bytes.Count(samples, []byte{a})
	require.GreaterOrEqual(t, n, 10*8000-35*8-160)
	first, last := bytes.IndexByte(samples, a), bytes.LastIndexByte(samples, a)
	require.LessOrEqual(t, last+1-first-n, 2*320, "no holes but where the lane was moved")
}

// A sender's clock that is 0.1 % fast or slow does not part the legs.
func TestClocksThatDrift(t *testing.T) {
	for _, rate := range []float64{0.999, 1.001} {
		p := begin(t, Options{Stereo: true})
		const packets = 15_000 // five minutes
		for i := range packets {
			s := byte(a)
			if i == packets-100 {
				s = b // a mark
			}
			p.packet(0, 1, uint32(160*i), (20+float64(20*i))*rate, s)
		}
		samples, _ := p.end(300_000 + 1000)
		at := bytes.IndexByte(samples, b) / 2
		want := int(float64((packets-100)*160) * rate)
		require.InDelta(t, want, at, 8*60, "at rate %v", rate)
	}
}

// A new source, or a clock that was set, goes on where it arrives.
func TestNewSourcesAndJumps(t *testing.T) {
	p := begin(t, Options{})
	for i := range 50 {
		p.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
	}
	for i := range 50 {
		p.packet(0, 9, 3_000_000_000+uint32(160*i), 1020+float64(20*i), a)
	}
	for i := range 50 { // the same source, an hour later by its clock
		p.packet(0, 9, 3_000_000_000+8000*3600+uint32(160*i), 2020+float64(20*i), a)
	}
	for i := range 50 { // and one whose clock stood still for six seconds
		p.packet(0, 9, 3_000_000_000+8000*3600+uint32(160*(50+i)), 9020+float64(20*i), a)
	}
	samples, _ := p.end(10_000)
	for i, n := range hundredths(samples, a) {
		want := 80
		if i >= 300 && i < 900 {
			want = 0
		}
		require.Equal(t, want, n, "at %d ms", 10*i)
	}
}

// A machine that stands still for two seconds makes packets late, and their place is
// where they were said.
func TestLateByMuch(t *testing.T) {
	p := begin(t, Options{})
	for i := range 300 {
		at := 20 + float64(20*i)
		if i >= 100 && i < 200 {
			at = 4020
		}
		s := byte(a)
		if i == 150 {
			s = b
		}
		p.packet(0, 1, uint32(160*i), at, s)
	}
	samples, _ := p.end(6020)
	require.Equal(t, 150*160, bytes.IndexByte(samples, b))
}

// First packets that are late are found to be so within half a second.
func TestLateFromTheBeginning(t *testing.T) {
	p := begin(t, Options{})
	for i := range 100 {
		s := byte(a)
		if i == 60 {
			s = b
		}
		p.packet(0, 1, uint32(160*i), max(220, 20+float64(20*i)), s)
	}
	samples, _ := p.end(2020)
	require.Equal(t, 60*160, bytes.IndexByte(samples, b))
}

// A peer that changes its source with every packet, and sends more than time
// passes, neither makes the file longer nor takes the other side's place.
func TestSourcesWithoutEnd(t *testing.T) {
	p := begin(t, Options{Stereo: true})
	for i := range 200 {
		for k := range 20 {
			p.packet(0, uint32(20*i+k), uint32(i), 20+float64(20*i), a)
		}
		p.packet(1, 2, uint32(160*i), 20+float64(20*i), b)
	}
	samples, r := p.end(4000)
	require.Equal(t, 4*time.Second, r.Duration)
	require.Equal(t, 32_000, bytes.Count(samples, []byte{b}), "the other side is whole")
}

// Silence of hours costs no memory and nothing of what follows.
func TestLongSilence(t *testing.T) {
	p := begin(t, Options{})
	p.packet(0, 1, 0, 20, a)
	p.packet(0, 1, 160, 3_600_020, a)
	p.packet(1, 2, 0, 3_600_020, b)
	samples, r := p.end(3_600_100)
	require.Equal(t, time.Hour+100*time.Millisecond, r.Duration)
	require.Equal(t, 160, bytes.Count(samples, []byte{a}))
	require.Equal(t, 160, bytes.Count(samples[8000*3600:], []byte{mixed[a][b]}))
}

// After silence of any length what was heard before it is there, and a packet may still come late.
func TestSilenceOfAnyLength(t *testing.T) {
	for ms := 500; ms < 5000; ms += 70 {
		p := begin(t, Options{})
		for i := range 100 {
			p.packet(0, 1, uint32(160*i), 20+float64(20*i), a)
		}
		then := 2000 + ms
		p.packet(1, 2, 160, float64(then+20), b)
		p.packet(1, 2, 0, float64(then+40), b)
		samples, _ := p.end(then + 500)
		require.Equal(t, bytes.Repeat([]byte{a}, 16_000), samples[:16_000], "%d ms", ms)
		require.Equal(t, bytes.Repeat([]byte{b}, 320), samples[8*then-160:8*then+160], "%d ms", ms)
		require.Equal(t, len(samples)-16_320, bytes.Count(samples, []byte{still}), "%d ms", ms)
	}
}

func BenchmarkWrite(b *testing.B) {
	w := Open(WriterOptions{})
	r, err := w.Create(Options{Dir: b.TempDir(), Name: "a.wav"})
	require.NoError(b, err)
	frame := bytes.Repeat([]byte{a}, 160)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		r.Write(i&1, uint32(i&1), uint32(80*(i&^1)), r.start.Add(time.Duration(10*i)*time.Millisecond), frame)
		i++
	}
	_, err = r.Close(time.Now())
	require.NoError(b, err)
	require.NoError(b, w.Close())
}

func BenchmarkMix(b *testing.B) {
	dst, src := make([]byte, 160), make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		mix(dst, src)
	}
}
