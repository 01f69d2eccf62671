package wav

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWriteAndRead(t *testing.T) {
	for _, channels := range []int{1, 2} {
		for _, n := range []int{0, 2, 1600, 1602} {
			samples := bytes.Repeat([]byte{0x55, 0xD5}, n/2)
			var b bytes.Buffer
			require.NoError(t, Write(&b, channels, samples))
			f, err := Read(&b, 1<<20)
			require.NoError(t, err)
			require.Equal(t, File{Format: ALaw, Bits: 8, Rate: 8000, Channels: channels, Data: f.Data}, f)
			require.True(t, bytes.Equal(samples, f.Data))
			require.Equal(t, time.Duration(n/channels)*time.Second/8000, f.Duration())
		}
	}
	var b bytes.Buffer
	require.NoError(t, Write(&b, 1, []byte{1, 2, 3}))
	require.Equal(t, HeaderSize+4, b.Len(), "chunks have an even length")
	require.EqualValues(t, b.Len()-8, binary.LittleEndian.Uint32(b.Bytes()[4:]))
	f, err := Parse(b.Bytes())
	require.NoError(t, err)
	require.Equal(t, []byte{1, 2, 3}, f.Data)
}

// chunk is a piece of a RIFF file.
func chunk(id string, size uint32, body ...byte) string {
	return id + string(binary.LittleEndian.AppendUint32(nil, size)) + string(body)
}

func fmtChunk(format, channels uint16, rate uint32, bits uint16) string {
	b := binary.LittleEndian.AppendUint16(nil, format)
	b = binary.LittleEndian.AppendUint16(b, channels)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = append(b, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, bits)
	return chunk("fmt ", 16, b...)
}

const riff = "RIFF\x00\x00\x00\x00WAVE"

func TestParse(t *testing.T) {
	good := fmtChunk(6, 1, 8000, 8)
	for _, c := range []struct {
		name, file, err string
		data            string
	}{
		{name: "empty", err: "does not begin with RIFF"},
		{name: "other file", file: "ID3\x04                    ", err: "does not begin with RIFF"},
		{name: "no chunks", file: riff, err: "without a data chunk"},
		{name: "no samples", file: riff + good, err: "without a data chunk"},
		{name: "samples first", file: riff + chunk("data", 1, 7) + good, err: "before its fmt chunk"},
		{name: "short fmt", file: riff + chunk("fmt ", 4, 0, 0, 0, 0), err: "at least 16"},
		{name: "cut fmt", file: riff + good[:10], err: "only 2 more"},
		{name: "cut data", file: riff + good + chunk("data", 100, 1, 2), err: "100 bytes, but the file has only 2 more"},
		{name: "no channel", file: riff + fmtChunk(6, 0, 8000, 8), err: "0 channels"},
		{name: "channels", file: riff + fmtChunk(6, 999, 8000, 8), err: "999 channels"},
		{name: "rate", file: riff + fmtChunk(6, 1, 1<<31, 8), err: "samples per second"},
		{name: "bits", file: riff + fmtChunk(1, 1, 8000, 12), err: "12 bits"},
		{name: "chunks for ever", file: riff + strings.Repeat(chunk("LIST", 0), 100), err: "more than 64 chunks"},
		{name: "other chunks", file: riff + chunk("LIST", 3, 1, 2, 3, 0) + good + chunk("fact", 0) + chunk("data", 2, 8, 9), data: "\x08\x09"},
		{name: "unknown length", file: riff + good + chunk("data", 0xFFFFFFFF, 8, 9, 10), data: "\x08\x09\x0a"},
		{name: "half a sample", file: riff + fmtChunk(1, 2, 8000, 16) + chunk("data", 6, 1, 2, 3, 4, 5, 6), data: "\x01\x02\x03\x04"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Read(strings.NewReader(c.file), 1<<20)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.data, string(f.Data))
		})
	}
	_, err := Read(strings.NewReader(riff+good), 20)
	require.ErrorContains(t, err, "larger than 20 bytes")
}

func FuzzParse(f *testing.F) {
	var b bytes.Buffer
	if err := Write(&b, 2, []byte{1, 2, 3, 4}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(riff + fmtChunk(1, 1, 48000, 16) + chunk("data", 4, 1, 2, 3, 4)))
	f.Add([]byte(riff + chunk("LIST", 3, 1, 2, 3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse(b)
		if err == nil {
			require.LessOrEqual(t, len(file.Data), len(b))
			require.Zero(t, len(file.Data)%file.frame())
			require.GreaterOrEqual(t, file.Duration(), time.Duration(0))
		}
	})
}
