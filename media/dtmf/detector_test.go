package dtmf_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/zaf/g711"

	"axgate/media/dtmf"
	"axgate/media/tone"
	"axgate/media/wav"
)

// line is a telephone line under test: a signal at 8 kHz, full scale 1.
type line []float64

// dBm0 is the amplitude of a sine at a level; the greatest is +3.14 dBm0.
func dBm0(level float64) float64 { return math.Pow(10, (level-3.14)/20) }

// key is a press of a digit: levels in dBm0, frequencies off by a factor.
type key struct {
	low, high       float64 // levels
	offLow, offHigh float64 // 0.015: 1.5 % too high
	on, off         time.Duration
}

var usual = key{low: -9, high: -7, on: 100 * time.Millisecond, off: 100 * time.Millisecond}

func (k key) press(digit byte) line {
	const pad = "123A456B789C*0#D"
	var row, col int
	for i := range len(pad) {
		if pad[i] == digit {
			row, col = i/4, i%4
		}
	}
	low := []float64{697, 770, 852, 941}[row] * (1 + k.offLow)
	high := []float64{1209, 1336, 1477, 1633}[col] * (1 + k.offHigh)
	on, off := int(k.on*8000/time.Second), int(k.off*8000/time.Second)
	l := make(line, on+off)
	phase := rand.Float64()
	for i := range on {
		at := 2 * math.Pi * (float64(i)/8000 + phase)
		l[i] = dBm0(k.low)*math.Sin(at*low) + dBm0(k.high)*math.Sin(at*high)
	}
	return l
}

func pause(d time.Duration) line { return make(line, d*8000/time.Second) }

func (l line) noise(level float64) line {
	for i := range l {
		l[i] += rand.NormFloat64() * dBm0(level) / math.Sqrt2
	}
	return l
}

func (l line) alaw() []byte {
	b := make([]byte, len(l))
	for i, x := range l {
		b[i] = g711.EncodeAlawFrame(int16(min(max(x*32256, -32256), 32256)))
	}
	return b
}

// heard is what a detector makes of audio that comes in packets of 20 ms.
func heard(alaw []byte) (digits string) {
	var d dtmf.Detector
	for len(alaw) > 0 {
		n := min(160, len(alaw))
		if digit, ok := d.Feed(alaw[:n]); ok {
			digits += string(digit)
		}
		alaw = alaw[n:]
	}
	return digits
}

const all = "0123456789*#ABCD"

// typed is a line on which all digits are pressed, each twice.
func (k key) typed() (l line, digits string) {
	l = pause(time.Duration(rand.IntN(20)) * time.Millisecond)
	for _, d := range []byte(all) {
		l = append(append(l, k.press(d)...), k.press(d)...)
		digits += string(d) + string(d)
	}
	return append(l, pause(100*time.Millisecond)...), digits
}

// What a receiver has to take (ITU-T Q.24, with the levels of the Chinese
// network), at any place of the blocks that the detector looks at.
func TestDetectorAccepts(t *testing.T) {
	const ms = time.Millisecond
	for name, k := range map[string]key{
		"usual":                    usual,
		"40 ms on and off":         {low: -9, high: -7, on: 40 * ms, off: 40 * ms},
		"held for 3 s":             {low: -9, high: -7, on: 3000 * ms, off: 60 * ms},
		"loud":                     {low: -3, high: -3, on: 50 * ms, off: 50 * ms},
		"quiet":                    {low: -27, high: -27, on: 50 * ms, off: 50 * ms},
		"high group 4 dB stronger": {low: -14, high: -10, on: 50 * ms, off: 50 * ms},
		"low group 8 dB stronger":  {low: -6, high: -14, on: 50 * ms, off: 50 * ms},
		"1.5 % too high":           {low: -9, high: -7, offLow: 0.015, offHigh: 0.015, on: 50 * ms, off: 50 * ms},
		"1.5 % too low":            {low: -9, high: -7, offLow: -0.015, offHigh: -0.015, on: 50 * ms, off: 50 * ms},
		"1.5 % apart":              {low: -9, high: -7, offLow: -0.015, offHigh: 0.015, on: 50 * ms, off: 50 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				l, want := k.typed()
				require.Equal(t, want, heard(l.alaw()))
			}
		})
	}
	t.Run("noise 15 dB below", func(t *testing.T) {
		for range 5 {
			l, want := usual.typed()
			require.Equal(t, want, heard(l.noise(-20).alaw()))
		}
	})
	t.Run("a gap of 8 ms is no second press", func(t *testing.T) {
		for _, d := range []byte(all) {
			l := key{low: -9, high: -7, on: 60 * ms, off: 8 * ms}.press(d)
			l = append(l, usual.press(d)...)
			require.Equal(t, string(d), heard(l.alaw()))
		}
	})
	t.Run("one key after another without a gap", func(t *testing.T) {
		k := key{low: -9, high: -7, on: 80 * ms}
		require.Equal(t, "159", heard(append(append(append(k.press('1'), k.press('5')...), k.press('9')...), pause(50*ms)...).alaw()))
	})
	t.Run("a pause of which nothing was sent", func(t *testing.T) {
		var d dtmf.Detector
		key := usual
		key.off = 0
		audio := key.press('5').alaw()
		digit, ok := d.Feed(audio)
		require.True(t, ok && digit == '5')
		_, ok = d.Feed(audio)
		require.False(t, ok, "the key is still down")
		d.Pause()
		digit, ok = d.Feed(audio)
		require.True(t, ok && digit == '5')
	})
	t.Run("after ring-back", func(t *testing.T) {
		ring := make([]byte, 8000)
		tone.Ringback().Frame(ring, 0)
		require.Equal(t, "7", heard(append(ring, usual.press('7').alaw()...)))
	})
}

func TestDetectorHearsTheTonesWeMake(t *testing.T) {
	for _, d := range []byte(all) {
		b := make([]byte, 80*8+400)
		require.True(t, tone.DTMF(d, b[:80*8], 0))
		for i := range b[80*8:] {
			b[80*8+i] = tone.Silence
		}
		require.Equal(t, string(d), heard(b))
	}
}

func TestDetectorRejects(t *testing.T) {
	const ms = time.Millisecond
	for name, k := range map[string]key{
		"15 ms":                     {low: -9, high: -7, on: 15 * ms, off: 60 * ms},
		"too quiet":                 {low: -40, high: -40, on: 100 * ms, off: 60 * ms},
		"high group 12 dB stronger": {low: -22, high: -10, on: 100 * ms, off: 60 * ms},
		"low group 14 dB stronger":  {low: -8, high: -22, on: 100 * ms, off: 60 * ms},
		"low frequency alone":       {low: -9, high: -90, on: 100 * ms, off: 60 * ms},
		"high frequency alone":      {low: -90, high: -9, on: 100 * ms, off: 60 * ms},
		"6 % too high":              {low: -9, high: -7, offLow: 0.06, offHigh: 0.06, on: 100 * ms, off: 60 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				l, _ := k.typed()
				require.Empty(t, heard(l.alaw()))
			}
		})
	}
	t.Run("noise", func(t *testing.T) {
		for _, level := range []float64{-30, -15, -5} {
			require.Empty(t, heard(pause(time.Minute).noise(level).alaw()))
		}
	})
	t.Run("call progress tones", func(t *testing.T) {
		for _, p := range []tone.Pattern{tone.Ringback(), tone.Busy()} {
			b := make([]byte, 80_000)
			p.Frame(b, 0)
			require.Empty(t, heard(b))
		}
		for _, hz := range [][2]float64{{350, 440}, {440, 480}, {480, 620}, {2100, 0}, {1100, 0}, {950, 1400}, {700, 900}, {1300, 1500}} {
			l := make(line, 16_000)
			for i := range l {
				at := 2 * math.Pi * float64(i) / 8000
				l[i] = dBm0(-10) * (math.Sin(at*hz[0]) + math.Sin(at*hz[1]))
			}
			require.Empty(t, heard(l.alaw()), "%v Hz", hz)
		}
	})
}

// Speech must not press keys ("talk-off"): recorded one, and a thousand seconds
// of vowels made here, whose harmonics cross all frequencies of the keypad.
func TestSpeechPressesNoKeys(t *testing.T) {
	files, err := filepath.Glob("../../p*/s*/*.wav") // phone/speech, prompts/shipped
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 2)
	for _, name := range files {
		f, err := os.ReadFile(name)
		require.NoError(t, err)
		speech, err := wav.Parse(f)
		require.NoError(t, err)
		require.Equal(t, wav.ALaw, speech.Format)
		require.Empty(t, heard(speech.Data), name)
		require.Empty(t, heard(speech.Data[51:]), name)
	}
	r := rand.New(rand.NewPCG(1, 2))
	keys := ""
	for range 1000 {
		keys += heard(vowels(r, 8000).alaw())
	}
	require.Empty(t, keys, "pressed by 1,000 s of vowels")
}

// sines is one round of a sine.
var sines = func() (s [1 << 14]float64) {
	for i := range s {
		s[i] = math.Sin(2 * math.Pi * float64(i) / float64(len(s)))
	}
	return s
}()

// vowels is voiced speech: harmonics of a gliding pitch, weaker by 6 dB an
// octave, shaped by formants that change several times in a second.
func vowels(r *rand.Rand, n int) line {
	l := make(line, n)
	pitch, glide := 80+r.Float64()*220, (r.Float64()-0.5)*80
	var gains [50]float64
	phase := 0.0 // of 1
	for i := range l {
		hz := pitch + glide*float64(i)/float64(n)
		if i%1600 == 0 {
			formants := [3]float64{250 + r.Float64()*650, 800 + r.Float64()*1500, 2200 + r.Float64()*1000}
			for h := 1; h < len(gains); h++ {
				gains[h] = 0
				for k, f := range formants {
					gains[h] += 1 / math.Hypot(1, (float64(h)*hz-f)/(30+15*float64(k))) / float64(h)
				}
			}
		}
		_, phase = math.Modf(phase + hz/8000)
		for h := 1; float64(h)*hz < 3400 && h < len(gains); h++ {
			l[i] += 0.4 * gains[h] * sines[int(float64(h)*phase*float64(len(sines)))%len(sines)]
		}
	}
	return l
}

func TestFeedAllocatesNothing(t *testing.T) {
	l, _ := usual.typed()
	audio := l.alaw()
	var d dtmf.Detector
	require.Zero(t, testing.AllocsPerRun(10, func() {
		for i := 0; i+160 <= len(audio); i += 160 {
			d.Feed(audio[i : i+160])
		}
	}))
}

// BenchmarkFeed is one packet of 20 ms.
func BenchmarkFeed(b *testing.B) {
	silent := make([]byte, 160)
	for i := range silent {
		silent[i] = tone.Silence
	}
	key := make([]byte, 160)
	tone.DTMF('5', key, 0)
	for name, audio := range map[string][]byte{"silence": silent, "key": key, "noise": pause(20 * time.Millisecond).noise(-15).alaw()} {
		b.Run(fmt.Sprint(name), func(b *testing.B) {
			var d dtmf.Detector
			b.ReportAllocs()
			for b.Loop() {
				d.Feed(audio)
			}
		})
	}
}
