package tone

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/zaf/g711"
)

// level is the power of A-law samples at a frequency, in dBm0.
func level(alaw []byte, hz float64) float64 {
	var re, im float64
	for i, a := range alaw {
		x := float64(g711.DecodeAlawFrame(a)) / 32256
		re += x * math.Cos(2*math.Pi*hz*float64(i)/Rate)
		im += x * math.Sin(2*math.Pi*hz*float64(i)/Rate)
	}
	return 20*math.Log10(2*math.Hypot(re, im)/float64(len(alaw))) + 3.14
}

// China's tones: 450 Hz at -10 dBm0 with their cadences.
func TestCallProgressTones(t *testing.T) {
	for name, c := range map[string]struct {
		p       Pattern
		on, off time.Duration
	}{
		"ring-back": {Ringback(), time.Second, 4 * time.Second},
		"busy":      {Busy(), 350 * time.Millisecond, 350 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			on, cycle := samples(c.on), samples(c.on+c.off)
			all := make([]byte, 3*cycle)
			c.p.Frame(all, 0)
			for i := range 3 {
				one := all[i*cycle : (i+1)*cycle]
				require.InDelta(t, -10, level(one[:on], 450), 0.2)
				require.Equal(t, bytes.Repeat([]byte{Silence}, cycle-on), one[on:])
				for _, hz := range []float64{425, 900, 1350} {
					require.Less(t, level(one[:on], hz), -35.0)
				}
			}
		})
	}
}

// Frames of any length join to what one long frame holds.
func TestFramesJoin(t *testing.T) {
	gapless, err := New(1004, -10, 30*time.Millisecond, 0)
	require.NoError(t, err)
	for _, p := range []Pattern{Ringback(), Busy(), gapless, {}} {
		whole := make([]byte, 6*Rate)
		p.Frame(whole, 0)
		var joined []byte
		for n := 1; len(joined) < len(whole); n = n%480 + 79 {
			frame := make([]byte, n)
			p.Frame(frame, len(joined))
			joined = append(joined, frame...)
		}
		require.True(t, bytes.Equal(whole, joined[:len(whole)]))
	}
}

func TestNew(t *testing.T) {
	p, err := New(425, -20, 200*time.Millisecond, 100*time.Millisecond)
	require.NoError(t, err)
	b := make([]byte, 1600)
	p.Frame(b, 0)
	require.InDelta(t, -20, level(b, 425), 0.3)
	for _, c := range []struct {
		hz      int
		level   float64
		on, off time.Duration
		err     string
	}{
		{0, -10, time.Second, 0, "0 Hz"},
		{4000, -10, time.Second, 0, "4000 Hz"},
		{450, 1, time.Second, 0, "1 dBm0"},
		{450, -61, time.Second, 0, "-61 dBm0"},
		{450, math.NaN(), time.Second, 0, "NaN dBm0"},
		{450, -10, 0, 0, "cadence"},
		{450, -10, time.Hour, 0, "cadence"},
		{450, -10, time.Second, -1, "cadence"},
		{450, -10, time.Second, time.Hour, "cadence"},
	} {
		_, err := New(c.hz, c.level, c.on, c.off)
		require.ErrorContains(t, err, c.err)
	}
}

// The frequencies of ITU-T Q.23 at -9 and -7 dBm0, without a jump between frames.
func TestDTMF(t *testing.T) {
	low, high := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477, 1633}
	for i, digit := range []byte("123A456B789C*0#D") {
		whole := make([]byte, 2*Rate)
		require.True(t, DTMF(digit, whole, 0))
		require.InDelta(t, -9, level(whole, low[i/4]), 0.2, "%c", digit)
		require.InDelta(t, -7, level(whole, high[i%4]), 0.2, "%c", digit)
		for k := range 4 {
			if k != i/4 {
				require.Less(t, level(whole, low[k]), -45.0)
			}
			if k != i%4 {
				require.Less(t, level(whole, high[k]), -45.0)
			}
		}
		var joined []byte
		for n := 80; len(joined) < len(whole); n += 80 {
			frame := make([]byte, n)
			DTMF(digit, frame, len(joined))
			joined = append(joined, frame...)
		}
		require.True(t, bytes.Equal(whole, joined[:len(whole)]))
	}
	small, capital := make([]byte, 160), make([]byte, 160)
	require.True(t, DTMF('c', small, 7))
	require.True(t, DTMF('C', capital, 7))
	require.Equal(t, capital, small)
	before := bytes.Clone(small)
	for _, digit := range []byte{0, 'E', ' ', '!', 255} {
		require.False(t, DTMF(digit, small, 0))
		require.Equal(t, before, small)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	b := make([]byte, 160)
	p := Ringback()
	pos := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		p.Frame(b, pos)
		DTMF('7', b, pos)
		pos += len(b)
	}))
}

func BenchmarkFrame(b *testing.B) {
	frame := make([]byte, 160)
	p := Ringback()
	b.ReportAllocs()
	pos := 0
	for b.Loop() {
		p.Frame(frame, pos)
		pos += len(frame)
	}
}

func BenchmarkDTMF(b *testing.B) {
	frame := make([]byte, 160)
	b.ReportAllocs()
	pos := 0
	for b.Loop() {
		DTMF('7', frame, pos)
		pos += len(frame)
	}
}
