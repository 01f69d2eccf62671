// Package law converts between the two laws of G.711 by tables of 256 bytes.
package law

import "github.com/zaf/g711"

// SilenceA is the A-law sample of silence.
const SilenceA = 0xD5

var toMu, toA = tables()

func tables() (toMu, toA [256]byte) {
	for i := range 256 {
		toMu[i] = g711.Alaw2UlawFrame(uint8(i))
		toA[i] = g711.Ulaw2AlawFrame(uint8(i))
	}
	return toMu, toA
}

// ToMu converts A-law samples to µ-law. dst is as long as src; they may be the same slice.
func ToMu(dst, src []byte) {
	dst = dst[:len(src)]
	for i, b := range src {
		dst[i] = toMu[b]
	}
}

// ToA converts µ-law samples to A-law. dst is as long as src; they may be the same slice.
func ToA(dst, src []byte) {
	dst = dst[:len(src)]
	for i, b := range src {
		dst[i] = toA[b]
	}
}
