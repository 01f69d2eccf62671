package prompts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/zaf/g711"

	"axgate/media/wav"
)

// Rates of files that can be converted, in Hz.
const (
	minRate = 8000
	maxRate = 48_000
)

// Convert makes a prompt of a WAV file (PCM of 8 to 32 bits, floating point,
// A-law or µ-law; mono or stereo; 8 to 48 kHz) or of an MP3 file of at most
// MaxSource and MaxLength: an A-law WAV file of 8 kHz, mono, as Check wants it.
// Two channels are mixed; levels stay.
func Convert(b []byte) ([]byte, error) {
	if len(b) > MaxSource {
		return nil, fmt.Errorf("the file has %d bytes: at most %d (6 MB) can be converted", len(b), MaxSource)
	}
	alaw, err := toALaw(b)
	if err != nil {
		return nil, err
	}
	if len(alaw) == 0 {
		return nil, errors.New("there is no sound in the file")
	}
	var out bytes.Buffer
	if err := wav.Write(&out, 1, alaw); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func toALaw(b []byte) ([]byte, error) {
	var samples []float32
	var rate int
	var err error
	switch {
	case bytes.HasPrefix(b, []byte("RIFF")):
		f, err := wav.Parse(b)
		if err != nil {
			return nil, err
		}
		if err := convertible(f.Rate, f.Channels, f.Duration()); err != nil {
			return nil, err
		}
		if f.Format == wav.ALaw && f.Bits == 8 && f.Channels == 1 && f.Rate == wav.Rate {
			return f.Data, nil // bit for bit
		}
		rate = f.Rate
		if samples, err = decodeWAV(&f); err != nil {
			return nil, err
		}
	case looksLikeMP3(b):
		if samples, rate, err = decodeMP3(b); err != nil {
			return nil, err
		}
	default:
		return nil, errors.New("the file is neither WAV nor MP3")
	}
	return encode(resample(samples, rate)), nil
}

func convertible(rate, channels int, length time.Duration) error {
	switch {
	case rate < minRate || rate > maxRate:
		return fmt.Errorf("the file has %d samples per second: %d to %d can be converted", rate, minRate, maxRate)
	case channels > 2:
		return fmt.Errorf("the file has %d channels: one or two can be converted", channels)
	case length > MaxLength:
		return fmt.Errorf("the file plays %s: a prompt plays at most %s", length.Round(time.Second), MaxLength.Truncate(time.Second))
	}
	return nil
}

// decodeWAV gives the samples of a file, -1 to 1, its channels mixed.
func decodeWAV(f *wav.File) ([]float32, error) {
	sample, err := decoder(f)
	if err != nil {
		return nil, err
	}
	width := f.Bits / 8
	out := make([]float32, len(f.Data)/(width*f.Channels))
	rest := f.Data
	for i := range out {
		var sum float32
		for range f.Channels {
			sum += sample(rest)
			rest = rest[width:]
		}
		out[i] = sum / float32(f.Channels)
	}
	return out, nil
}

// decoder gives what reads one sample.
func decoder(f *wav.File) (func([]byte) float32, error) {
	le := binary.LittleEndian
	switch {
	case f.Format == wav.ALaw && f.Bits == 8:
		return func(b []byte) float32 { return float32(g711.DecodeAlawFrame(b[0])) / (1 << 15) }, nil
	case f.Format == wav.MuLaw && f.Bits == 8:
		return func(b []byte) float32 { return float32(g711.DecodeUlawFrame(b[0])) / (1 << 15) }, nil
	case f.Format == wav.PCM && f.Bits == 8:
		return func(b []byte) float32 { return float32(int(b[0])-128) / (1 << 7) }, nil
	case f.Format == wav.PCM && f.Bits == 16:
		return func(b []byte) float32 { return float32(int16(le.Uint16(b))) / (1 << 15) }, nil
	case f.Format == wav.PCM && f.Bits == 24:
		return func(b []byte) float32 {
			return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
		}, nil
	case f.Format == wav.PCM && f.Bits == 32:
		return func(b []byte) float32 { return float32(int32(le.Uint32(b))) / (1 << 31) }, nil
	case f.Format == wav.Float && f.Bits == 32:
		return func(b []byte) float32 { return limited(float64(math.Float32frombits(le.Uint32(b)))) }, nil
	case f.Format == wav.Float && f.Bits == 64:
		return func(b []byte) float32 { return limited(math.Float64frombits(le.Uint64(b))) }, nil
	}
	return nil, fmt.Errorf("the file is %s of %d bits: PCM of 8 to 32 bits, floating point of 32 or 64, A-law and µ-law of 8 can be converted", f.Format, f.Bits)
}

// limited makes sound of any number.
func limited(v float64) float32 {
	if math.IsNaN(v) {
		return 0
	}
	return float32(max(-1, min(1, v)))
}

func encode(samples []float32) []byte {
	out := make([]byte, len(samples))
	for i, v := range samples {
		out[i] = g711.EncodeAlawFrame(int16(max(-32768, min(32767, math.Round(float64(v)*(1<<15))))))
	}
	return out
}
