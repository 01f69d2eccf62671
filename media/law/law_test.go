package law_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zaf/g711"

	"axgate/media/law"
)

func TestConversionKeepsTheSound(t *testing.T) {
	for i := range 256 {
		src := []byte{byte(i)}
		mu, back := make([]byte, 1), make([]byte, 1)
		law.ToMu(mu, src)
		linear, converted := int(g711.DecodeAlawFrame(src[0])), int(g711.DecodeUlawFrame(mu[0]))
		require.InDelta(t, linear, converted, 20+0.07*float64(max(linear, -linear)), "A-law %#x", i)
		law.ToA(back, mu)
		require.InDelta(t, linear, int(g711.DecodeAlawFrame(back[0])), 20+0.07*float64(max(linear, -linear)), "A-law %#x and back", i)
	}
}

func TestInPlace(t *testing.T) {
	b := []byte{law.SilenceA, law.SilenceA, 0x2A}
	law.ToMu(b, b)
	require.InDelta(t, 0, int(g711.DecodeUlawFrame(b[0])), 8, "silence stays silence")
	require.InDelta(t, int(g711.DecodeAlawFrame(0x2A)), int(g711.DecodeUlawFrame(b[2])), 2000)
	law.ToA(b, b)
	require.InDelta(t, 0, int(g711.DecodeAlawFrame(b[1])), 8)
}

// BenchmarkToMu is one packet of 20 ms.
func BenchmarkToMu(b *testing.B) {
	frame := make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		law.ToMu(frame, frame)
	}
}
