package hear

import (
	"bytes"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/zaf/g711"
	"pgregory.net/rapid"

	"axgate/media/tone"
	"axgate/phone/speech"
)

func quiet(d time.Duration) []byte { return bytes.Repeat([]byte{0xD5}, samples(d)) }

// at lays clips into silence.
func at(total time.Duration, clips map[time.Duration][]byte) []byte {
	out := quiet(total)
	for t, c := range clips {
		copy(out[samples(t):], c)
	}
	return out
}

func change(alaw []byte, f func(i int, v float64) float64) []byte {
	out := make([]byte, len(alaw))
	for i, b := range alaw {
		v := f(i, float64(g711.DecodeAlawFrame(b)))
		out[i] = g711.EncodeAlawFrame(int16(max(-32768, min(32767, v))))
	}
	return out
}

func mix(a, b []byte) []byte {
	return change(a, func(i int, v float64) float64 { return (v + float64(g711.DecodeAlawFrame(b[i]))) / 2 })
}

func TestCorrelate(t *testing.T) {
	one, two := speech.First(), speech.Second()
	noise := rand.New(rand.NewPCG(1, 2))
	tests := []struct {
		name        string
		heard, said []byte
		least, most float64
		lag         time.Duration
	}{
		{"itself", one, one, 0.99, 1.01, 0},
		{"the other speech", one, two, 0, 0.2, -1},
		{"the other way round", two, one, 0, 0.2, -1},
		{"later", at(10*time.Second, map[time.Duration][]byte{2500 * time.Millisecond: one}), one, 0.99, 1.01, 2500 * time.Millisecond},
		{"the other, later", at(10*time.Second, map[time.Duration][]byte{2500 * time.Millisecond: one}), two, 0, 0.2, -1},
		{"at a tenth of the volume", change(one, func(_ int, v float64) float64 { return v / 10 }), one, 0.95, 1.01, 0},
		{"with noise", change(one, func(_ int, v float64) float64 { return v + noise.NormFloat64()*500 }), one, 0.8, 1.01, 0},
		{"through µ-law", g711.Ulaw2Alaw(g711.Alaw2Ulaw(one)), one, 0.99, 1.01, 0},
		{"both at once", mix(one, two), one, 0.6, 1, 0},
		{"both at once, the other", mix(one, two), two, 0.6, 1, 0},
		{"its end is missing", at(6*time.Second, map[time.Duration][]byte{2 * time.Second: one[:32000]}), one, 0.9, 1.01, 2 * time.Second},
		{"its beginning is missing", one[16000:], one, 0.99, 1.01, -2 * time.Second},
		{"silence", quiet(6 * time.Second), one, 0, 0.2, -1},
		{"nothing heard", nil, one, 0, 0, -1},
		{"nothing said", one, nil, 0, 0, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			peak, lag := Correlate(tt.heard, tt.said)
			require.GreaterOrEqual(t, peak, tt.least)
			require.LessOrEqual(t, peak, tt.most)
			if tt.lag != -1 {
				require.Equal(t, tt.lag, lag)
			}
		})
	}
}

// TestCorrelateIsFast asks for well under a second for ten seconds in ten.
func TestCorrelateIsFast(t *testing.T) {
	ten := append(quiet(4*time.Second), speech.First()...)
	took := time.Hour
	for range 3 { // a busy machine holds up one, not all
		start := time.Now()
		Correlate(ten, ten)
		took = min(took, time.Since(start))
	}
	require.Less(t, took, 2*time.Second) // -race
}

// TestProducts compares with the sum that defines it.
func TestProducts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(-1, 1)
		h := rapid.SliceOfN(value, 1, 40).Draw(t, "heard")
		s := rapid.SliceOfN(value, 1, 40).Draw(t, "said")
		got := products(h, s)
		for lag := 1 - len(s); lag < len(h); lag++ {
			want := 0.0
			for i := range s {
				if j := i + lag; j >= 0 && j < len(h) {
					want += h[j] * s[i]
				}
			}
			if math.Abs(want-got[(lag+len(got))%len(got)]) > 1e-9 {
				t.Fatalf("lag %d: got %g, want %g", lag, got[(lag+len(got))%len(got)], want)
			}
		}
	})
}

func TestTransform(t *testing.T) {
	for _, n := range []int{1, 2, 8, 64} {
		x := make([]complex128, n)
		for i := range x {
			x[i] = complex(rand.Float64(), rand.Float64())
		}
		want := make([]complex128, n)
		for k := range want {
			for i := range x {
				want[k] += x[i] * cmplx.Rect(1, -2*math.Pi*float64(k*i)/float64(n))
			}
		}
		newTransform(n).forward(x)
		for k := range x {
			require.InDelta(t, 0, cmplx.Abs(want[k]-x[k]), 1e-9)
		}
	}
}

func TestRecognise(t *testing.T) {
	one, two := speech.First()[:16000], speech.Second()[8000:32000]
	clips := map[string][]byte{"one": one, "two": two}
	heard := at(14*time.Second, map[time.Duration][]byte{time.Second: one, 4 * time.Second: two, 9 * time.Second: one, 12500 * time.Millisecond: one})
	found := Recognise(heard, clips)
	var names []string
	var when []time.Duration
	for _, f := range found {
		names = append(names, f.Name)
		when = append(when, f.At)
		require.Greater(t, f.Peak, 0.8)
	}
	require.Equal(t, []string{"one", "two", "one", "one"}, names, "the last one was cut short")
	require.Equal(t, []time.Duration{time.Second, 4 * time.Second, 9 * time.Second, 12500 * time.Millisecond}, when)

	require.Empty(t, Recognise(at(5*time.Second, map[time.Duration][]byte{0: two}), map[string][]byte{"one": one}))
	require.Empty(t, Recognise(nil, clips))
}

func TestTones(t *testing.T) {
	sounding := func(p tone.Pattern, d time.Duration) []byte {
		b := make([]byte, samples(d))
		p.Frame(b, 0)
		return b
	}
	steady, err := tone.New(450, -10, time.Minute, 0)
	require.NoError(t, err)
	other, err := tone.New(600, -10, time.Minute, 0)
	require.NoError(t, err)
	dtmf := quiet(3 * time.Second)
	tone.DTMF('5', dtmf, 0)
	tests := []struct {
		name  string
		heard []byte
		want  []Tone
	}{
		{"silence", quiet(5 * time.Second), nil},
		{"speech", speech.First(), nil},
		{"a key", dtmf, nil},
		{"another frequency", sounding(other, 2*time.Second), nil},
		{"ring-back", at(13*time.Second, map[time.Duration][]byte{time.Second: sounding(tone.Ringback(), 11500*time.Millisecond)}),
			[]Tone{{Ringback, time.Second, 11 * time.Second, 3}}},
		{"ring-back cut short", at(9*time.Second, map[time.Duration][]byte{time.Second: sounding(tone.Ringback(), 5500*time.Millisecond)}),
			[]Tone{{Ringback, time.Second, 5500 * time.Millisecond, 2}}},
		{"busy", at(6*time.Second, map[time.Duration][]byte{2 * time.Second: sounding(tone.Busy(), 2100*time.Millisecond)}),
			[]Tone{{Busy, 2 * time.Second, 1750 * time.Millisecond, 3}}},
		{"steady", sounding(steady, 3*time.Second), []Tone{{Steady, 0, 3 * time.Second, 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Tones(tt.heard)
			require.Len(t, got, len(tt.want))
			for i, want := range tt.want {
				require.Equal(t, want.Signal, got[i].Signal)
				require.Equal(t, want.Bursts, got[i].Bursts)
				require.InDelta(t, want.At, got[i].At, float64(40*time.Millisecond))
				require.InDelta(t, want.Length, got[i].Length, float64(60*time.Millisecond))
			}
		})
	}
}
