package lab

import (
	"math"

	"github.com/zaf/g711"

	"axgate/phone/hear"
)

// inPieces is how well speech is found in a recording, half a second for half a
// second and each by its energy. A recorder moves a side once it knows better
// when it spoke, which breaks what is compared as a whole.
func inPieces(recorded, said []byte) float64 {
	const length = 4000
	var found, all float64
	for ; len(said) >= length; said = said[length:] {
		piece := said[:length]
		e := energy(piece)
		peak, _ := hear.Correlate(recorded, piece)
		found += peak * e
		all += e
	}
	if all == 0 {
		return math.NaN()
	}
	return found / all
}

func energy(alaw []byte) (sum float64) {
	for _, b := range alaw {
		v := float64(g711.DecodeAlawFrame(b))
		sum += v * v
	}
	return sum
}
