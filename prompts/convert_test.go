package prompts

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/zaf/g711"

	"axgate/media/wav"
)

// tone is a sine of an amplitude (1: full scale) and a length in seconds.
func tone(hz, amplitude, seconds float64, rate int) []float64 {
	out := make([]float64, int(seconds*float64(rate)))
	for i := range out {
		out[i] = amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))
	}
	return out
}

func pcm16(samples []float64) []byte {
	var b []byte
	for _, v := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(v*32767)))
	}
	return b
}

// amplitude is that of one frequency in A-law sound of 8 kHz (Goertzel), its
// edges left out.
func amplitude(alaw []byte, hz float64) float64 {
	alaw = alaw[400 : len(alaw)-400]
	var re, im float64
	for i, b := range alaw {
		v := float64(g711.DecodeAlawFrame(b)) / 32768
		re += v * math.Cos(2*math.Pi*hz*float64(i)/8000)
		im += v * math.Sin(2*math.Pi*hz*float64(i)/8000)
	}
	return 2 * math.Hypot(re, im) / float64(len(alaw))
}

func rms(alaw []byte) float64 {
	sum := 0.0
	for _, b := range alaw[400 : len(alaw)-400] {
		v := float64(g711.DecodeAlawFrame(b)) / 32768
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(alaw)-800))
}

func converted(t *testing.T, b []byte) wav.File {
	t.Helper()
	out, err := Convert(b)
	require.NoError(t, err)
	f, err := Check("a.wav", out)
	require.NoError(t, err)
	return f
}

// TestConvertKeepsSound: what telephones carry keeps frequency, level and
// length, and nothing is added.
func TestConvertKeepsSound(t *testing.T) {
	for _, rate := range []int{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 47999, 48000} {
		for _, hz := range []float64{300, 1000, 3000, 3300} {
			f := converted(t, file(wav.PCM, 16, rate, 1, pcm16(tone(hz, 0.5, 0.5, rate))))
			require.InDelta(t, 0.5, f.Duration().Seconds(), 0.001, "%d Hz", rate)
			got := amplitude(f.Data, hz)
			require.InDelta(t, 0.5, got, 0.02, "%v Hz at %d Hz", hz, rate)
			rest := math.Sqrt(max(0, rms(f.Data)*rms(f.Data)-got*got/2))
			require.Less(t, rest, 0.02, "%v Hz at %d Hz: what else is heard", hz, rate)
		}
	}
}

// TestConvertDoesNotAlias: what 8 kHz cannot carry vanishes: 6 kHz would be
// heard as 2 kHz.
func TestConvertDoesNotAlias(t *testing.T) {
	for _, c := range []struct {
		hz   float64
		rate int
	}{{4100, 16000}, {5000, 16000}, {6000, 16000}, {7900, 16000}, {4500, 11025}, {9000, 44100}, {15000, 44100}, {10000, 48000}, {23000, 48000}} {
		f := converted(t, file(wav.PCM, 16, c.rate, 1, pcm16(tone(c.hz, 0.9, 0.5, c.rate))))
		require.Less(t, rms(f.Data), 0.9/500, "%v Hz at %d Hz", c.hz, c.rate) // -54 dB; A-law's own silence is near
	}
}

// TestConvertEncodings: one tone in each encoding.
func TestConvertEncodings(t *testing.T) {
	le := binary.LittleEndian
	put := map[string]struct {
		format wav.Format
		bits   int
		put    func(b []byte, v float64) []byte
	}{
		"A-law":   {wav.ALaw, 8, func(b []byte, v float64) []byte { return append(b, g711.EncodeAlawFrame(int16(v*32767))) }},
		"µ-law":   {wav.MuLaw, 8, func(b []byte, v float64) []byte { return append(b, g711.EncodeUlawFrame(int16(v*32767))) }},
		"8 bits":  {wav.PCM, 8, func(b []byte, v float64) []byte { return append(b, byte(128+v*127)) }},
		"16 bits": {wav.PCM, 16, func(b []byte, v float64) []byte { return le.AppendUint16(b, uint16(int16(v*32767))) }},
		"24 bits": {wav.PCM, 24, func(b []byte, v float64) []byte {
			i := int32(v * (1<<23 - 1))
			return append(b, byte(i), byte(i>>8), byte(i>>16))
		}},
		"32 bits":  {wav.PCM, 32, func(b []byte, v float64) []byte { return le.AppendUint32(b, uint32(int32(v*(1<<31-1)))) }},
		"float 32": {wav.Float, 32, func(b []byte, v float64) []byte { return le.AppendUint32(b, math.Float32bits(float32(v))) }},
		"float 64": {wav.Float, 64, func(b []byte, v float64) []byte { return le.AppendUint64(b, math.Float64bits(v)) }},
	}
	for name, c := range put {
		for _, channels := range []int{1, 2} {
			for _, rate := range []int{8000, 44100} {
				var data []byte
				for _, v := range tone(1000, 0.4, 0.5, rate) {
					data = c.put(data, v)
					if channels == 2 {
						data = c.put(data, v/2)
					}
				}
				f := converted(t, file(c.format, c.bits, rate, channels, data))
				want := 0.4
				if channels == 2 {
					want = 0.3 // the mean of both
				}
				require.InDelta(t, want, amplitude(f.Data, 1000), 0.02, "%s, %d channels, %d Hz", name, channels, rate)
			}
		}
	}
}

// TestDecodeBytes: each byte of a sample has its weight, and the highest its sign.
func TestDecodeBytes(t *testing.T) {
	for _, c := range []struct {
		bits int
		data []byte
		want float32
	}{
		{8, []byte{0xC0}, 0.5}, {8, []byte{0}, -1},
		{16, []byte{0x00, 0x40}, 0.5}, {16, []byte{0x01, 0x80}, -1 + 1.0/(1<<15)},
		{24, []byte{0x00, 0x00, 0x40}, 0.5}, {24, []byte{0x00, 0x01, 0x80}, -1 + 1.0/(1<<15)}, {24, []byte{1, 0, 0}, 1.0 / (1 << 23)},
		{32, []byte{0, 0, 0, 0x40}, 0.5}, {32, []byte{0, 0, 1, 0x80}, -1 + 1.0/(1<<15)}, {32, []byte{0, 1, 0, 0}, 1.0 / (1 << 23)},
	} {
		got, err := decodeWAV(&wav.File{Format: wav.PCM, Bits: c.bits, Rate: 8000, Channels: 1, Data: c.data})
		require.NoError(t, err)
		require.Equal(t, []float32{c.want}, got, "%d bits: % x", c.bits, c.data)
	}
}

func TestConvertLeavesPromptsAlone(t *testing.T) {
	for _, s := range Defaults() {
		require.Equal(t, s.ALaw, converted(t, s.WAV).Data)
	}
}

func TestConvertLimitsFloats(t *testing.T) {
	var data []byte
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 7, -7, 0, 1e-300, 0} {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	f := converted(t, file(wav.Float, 64, 8000, 1, data))
	require.Equal(t, encode([]float32{0, 1, -1, 1, -1, 0, 0, 0}), f.Data)
}

// mp3File is 1 s of 1 kHz in stereo at 44.1 kHz and a quarter of full scale;
// make-defaults.sh makes it.
func mp3File(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/tone.mp3")
	require.NoError(t, err)
	return b
}

func TestConvertMP3(t *testing.T) {
	plain := mp3File(t)
	tagged := append([]byte("ID3\x04\x00\x00\x00\x00\x01\x02"), make([]byte, 130)...)
	for name, b := range map[string][]byte{"plain": plain, "with a tag": append(tagged, plain...)} {
		f := converted(t, b)
		require.InDelta(t, 1, f.Duration().Seconds(), 0.1, name)
		inner := f.Data[1600 : len(f.Data)-800] // encoders begin with some silence
		require.InDelta(t, 0.25, amplitude(inner, 1000), 0.02, name)
	}
}

func TestConvertRefuses(t *testing.T) {
	long := int(MaxLength/time.Second) + 1
	for _, c := range []struct {
		name string
		file []byte
		says string
	}{
		{"empty", nil, "neither WAV nor MP3"},
		{"text", []byte("this is text"), "neither WAV nor MP3"},
		{"too large", make([]byte, MaxSource+1), "6291457 bytes"},
		{"too long", file(wav.PCM, 16, 8000, 1, make([]byte, 2*8000*long)), "plays 4m23s: a prompt plays at most 4m22s"},
		{"too slow", file(wav.PCM, 16, 4000, 1, make([]byte, 80)), "4000 samples per second: 8000 to 48000"},
		{"too fast", file(wav.PCM, 16, 96000, 1, make([]byte, 80)), "96000 samples per second"},
		{"channels", file(wav.PCM, 16, 8000, 6, make([]byte, 1200)), "6 channels"},
		{"encoding", file(2, 8, 8000, 1, make([]byte, 80)), "encoding 2 of 8 bits"},
		{"A-law of 16 bits", file(wav.ALaw, 16, 8000, 1, make([]byte, 80)), "A-law of 16 bits"},
		{"no samples", file(wav.PCM, 16, 16000, 1, nil), "no sound"},
		{"one sample", file(wav.PCM, 16, 48000, 1, make([]byte, 2)), "no sound"},
		{"cut WAV", file(wav.PCM, 16, 16000, 1, make([]byte, 80))[:60], "only 16 more"},
		{"a tag that claims too much", []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"), "268435465 bytes, but the file has only 10"},
		{"a tag alone", []byte("ID3\x04\x00\x00\x00\x00\x00\x00"), "no sound"},
		{"half a tag", []byte("ID3\x04"), "ends within its ID3 tag"},
		{"no frame", append([]byte{0xFF, 0xFB}, bytes.Repeat([]byte{0}, 500)...), "MP3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Convert(c.file)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func BenchmarkConvert(b *testing.B) {
	in := file(wav.PCM, 16, 48000, 1, pcm16(tone(1000, 0.5, 30, 48000)))
	for b.Loop() {
		if _, err := Convert(in); err != nil {
			b.Fatal(err)
		}
	}
}
