package prompts

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/media/wav"
)

// file makes a WAV file of any kind.
func file(format wav.Format, bits, rate, channels int, data []byte) []byte {
	le := binary.LittleEndian
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00")
	b = le.AppendUint16(b, uint16(format))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	b = le.AppendUint16(b, uint16(bits))
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	le.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

func TestCheck(t *testing.T) {
	good := file(wav.ALaw, 8, 8000, 1, make([]byte, 800))
	for _, c := range []struct {
		name  string
		file  string
		bytes []byte
		says  []string // none: it is right
	}{
		{"right", "wait_voice-1.a@b.wav", good, nil},
		{"largest", "a.wav", file(wav.ALaw, 8, 8000, 1, make([]byte, MaxSize-44)), nil},
		{"too large", "a.wav", file(wav.ALaw, 8, 8000, 1, make([]byte, MaxSize-43)), []string{"a.wav", "2097153", "2097152", "2 MB"}},
		{"no name", "", good, []string{"no name"}},
		{"blank", "a b.wav", good, []string{"a b.wav", "letters, digits"}},
		{"path", "../a.wav", good, []string{"../a.wav", "letters, digits"}},
		{"Chinese", "提示.wav", good, []string{"提示.wav", "letters, digits"}},
		{"control", "a\n.wav", good, []string{`"a\n.wav"`, "letters, digits"}},
		{"other end", "a.mp3", good, []string{"a.mp3", ".wav"}},
		{"only the end", ".wav", good, []string{".wav"}},
		{"long", strings.Repeat("a", 125) + ".wav", good, []string{"129", "128"}},
		{"longest", strings.Repeat("a", 124) + ".wav", good, nil},
		{"PCM", "a.wav", file(wav.PCM, 16, 8000, 1, make([]byte, 800)), []string{"PCM, not A-law", "16 bits, not 8", "8000 Hz, 64 kbit/s, mono"}},
		{"µ-law", "a.wav", file(wav.MuLaw, 8, 8000, 1, make([]byte, 800)), []string{"µ-law, not A-law"}},
		{"rate", "a.wav", file(wav.ALaw, 8, 16000, 1, make([]byte, 800)), []string{"16000 Hz, not 8000"}},
		{"stereo", "a.wav", file(wav.ALaw, 8, 8000, 2, make([]byte, 800)), []string{"2 channels, not 1"}},
		{"all wrong", "a.wav", file(wav.PCM, 24, 48000, 2, make([]byte, 600)), []string{"PCM", "48000", "2 channels", "24 bits"}},
		{"silent", "a.wav", file(wav.ALaw, 8, 8000, 1, nil), []string{"no sound"}},
		{"text", "a.wav", []byte("this is text"), []string{"a.wav", "RIFF"}},
		{"empty", "a.wav", nil, []string{"a.wav", "RIFF"}},
		{"cut", "a.wav", good[:60], []string{"a.wav", "800 bytes", "16 more"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Check(c.file, c.bytes)
			if c.says == nil {
				require.NoError(t, err)
				require.NotEmpty(t, f.Data)
				return
			}
			require.Error(t, err)
			for _, s := range c.says {
				require.ErrorContains(t, err, s)
			}
		})
	}
}

// FuzzConvert: whatever is checked or converted, there is an answer, and what
// was converted is right.
func FuzzConvert(f *testing.F) {
	tone := tone(440, 0.5, 0.05, 16000)
	f.Add(file(wav.ALaw, 8, 8000, 1, []byte{0xD5, 0x55}))
	f.Add(file(wav.PCM, 16, 16000, 1, pcm16(tone)))
	f.Add(file(wav.PCM, 24, 44100, 2, make([]byte, 60)))
	f.Add(file(wav.Float, 32, 48000, 1, binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.Inf(1))))))
	f.Add(file(wav.MuLaw, 8, 11025, 2, make([]byte, 44)))
	f.Add([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"))
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x00"))
	f.Add(mp3File(f)[:1500])
	broken := append([]byte(nil), mp3File(f)[:1500]...)
	for i := 700; i < len(broken); i += 7 {
		broken[i] ^= 0x5A
	}
	f.Add(broken)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, checked := Check("a.wav", b)
		out, err := Convert(b)
		if err != nil {
			require.Nil(t, out)
			return
		}
		if _, err := Check("a.wav", out); err != nil {
			t.Fatalf("a converted file is wrong: %v", err)
		}
		if checked == nil { // what was right keeps its sound
			before, _ := Check("a.wav", b)
			after, _ := Check("a.wav", out)
			require.True(t, bytes.Equal(before.Data, after.Data))
		}
	})
}
