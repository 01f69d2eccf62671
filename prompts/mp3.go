package prompts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hajimehoshi/go-mp3"
)

// looksLikeMP3 tells whether a file begins with an ID3 tag or with the eleven
// bits and the layer of an MPEG audio frame (ISO 11172-3, 2.4.1.3).
func looksLikeMP3(b []byte) bool {
	return bytes.HasPrefix(b, []byte("ID3")) || len(b) > 2 && b[0] == 0xFF && b[1]&0xE6 == 0xE2
}

// decodeMP3 gives the samples of an MP3 file, -1 to 1, its channels mixed, and
// their rate.
func decodeMP3(b []byte) (samples []float32, rate int, err error) {
	// The decoder takes indices from the file without looking at them.
	defer func() {
		if p := recover(); p != nil {
			samples, rate, err = nil, 0, fmt.Errorf("the MP3 file is broken: %v", p)
		}
	}()
	if b, err = withoutTags(b); err != nil {
		return nil, 0, err
	}
	// Without Seek, which would have the decoder read the whole file first.
	d, err := mp3.NewDecoder(struct{ io.Reader }{bytes.NewReader(b)})
	if errors.Is(err, io.EOF) {
		return nil, 0, errors.New("there is no sound in the MP3 file")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read an MP3 file: %w", err)
	}
	rate = d.SampleRate()
	if err := convertible(rate, 2, 0); err != nil {
		return nil, 0, err
	}
	const frame = 4 // two channels of 16 bits, whatever the file has
	most := int64(MaxLength/time.Millisecond) * int64(rate) / 1000
	pcm, err := io.ReadAll(io.LimitReader(d, (most+1)*frame))
	if err != nil {
		return nil, 0, fmt.Errorf("read an MP3 file: %w", err)
	}
	samples = make([]float32, len(pcm)/frame)
	if int64(len(samples)) > most {
		return nil, 0, fmt.Errorf("the file plays longer than %s, which is the most for a prompt", MaxLength.Truncate(time.Second))
	}
	for i := range samples {
		left := int16(binary.LittleEndian.Uint16(pcm[i*frame:]))
		right := int16(binary.LittleEndian.Uint16(pcm[i*frame+2:]))
		samples[i] = (float32(left) + float32(right)) / (1 << 16)
	}
	return samples, rate, nil
}

// withoutTags cuts ID3v2 tags off: the decoder would reserve whatever length
// they claim.
func withoutTags(b []byte) ([]byte, error) {
	const head = 10
	for bytes.HasPrefix(b, []byte("ID3")) {
		if len(b) < head {
			return nil, errors.New("the MP3 file ends within its ID3 tag")
		}
		size := head + (int(b[6]&0x7F)<<21 | int(b[7]&0x7F)<<14 | int(b[8]&0x7F)<<7 | int(b[9]&0x7F))
		if size > len(b) {
			return nil, fmt.Errorf("the ID3 tag says it has %d bytes, but the file has only %d", size, len(b))
		}
		b = b[size:]
	}
	return b, nil
}
