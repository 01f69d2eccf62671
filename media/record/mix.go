package record

import (
	"github.com/zaf/g711"

	"axgate/media/law"
)

// mixed has, for each pair of A-law samples, the one that sounds like both.
// Silence adds nothing: where one side is quiet, the other is kept bit for bit,
// though A-law has no zero.
var mixed = mixTable()

func mixTable() *[256][256]byte {
	var t [256][256]byte
	var linear [256]int
	for i := range linear {
		linear[i] = int(g711.DecodeAlawFrame(uint8(i)))
	}
	for a := range 256 {
		for b := range 256 {
			sum := min(max(linear[a]+linear[b], -32768), 32767)
			t[a][b] = g711.EncodeAlawFrame(int16(sum))
		}
	}
	for a := range 256 {
		t[a][law.SilenceA], t[law.SilenceA][a] = uint8(a), uint8(a)
	}
	return &t
}

// mix adds samples to those that stand in dst.
func mix(dst, samples []byte) {
	dst = dst[:len(samples)]
	for i, s := range samples {
		dst[i] = mixed[dst[i]][s]
	}
}
