package tone

import (
	"math"

	"github.com/zaf/g711"
)

// pair is the low and the high frequency of a DTMF digit (ITU-T Q.23).
type pair struct{ low, high int }

// pairOf finds the frequencies of a digit: 0 to 9, *, # and A to D.
func pairOf(digit byte) (pair, bool) {
	const keys = "123A456B789C*0#D"
	low := [4]int{697, 770, 852, 941}
	high := [4]int{1209, 1336, 1477, 1633}
	if digit >= 'a' && digit <= 'd' {
		digit -= 'a' - 'A'
	}
	for i := range len(keys) {
		if keys[i] == digit {
			return pair{low[i/4], high[i%4]}, true
		}
	}
	return pair{}, false
}

// Levels of the two frequencies in dBm0: the higher one is sent 2 dB stronger
// because lines attenuate it more (ITU-T Q.24, Chinese network: -9±3 and -7±3).
const (
	lowLevel  = -9
	highLevel = -7
)

// lowWave and highWave hold one second of a 1 Hz sine at the level of each
// group: the sample of f Hz at position i is wave[f*i mod Rate].
var lowWave, highWave = wave(lowLevel), wave(highLevel)

func wave(level float64) *[Rate]int16 {
	w := new([Rate]int16)
	for i := range w {
		w[i] = int16(math.Round(peakOf(level) * sine(1, i)))
	}
	return w
}

// DTMF fills dst with the dual tone of digit (0-9 * # A-D, letters in any
// case), starting pos samples (not negative) after the key went down. It
// reports whether digit is a DTMF digit; if not, dst is left alone. It does
// not allocate.
func DTMF(digit byte, dst []byte, pos int) bool {
	p, ok := pairOf(digit)
	if !ok {
		return false
	}
	pos %= Rate
	low, high := p.low*pos%Rate, p.high*pos%Rate
	for i := range dst {
		dst[i] = g711.EncodeAlawFrame(lowWave[low] + highWave[high])
		if low += p.low; low >= Rate {
			low -= Rate
		}
		if high += p.high; high >= Rate {
			high -= Rate
		}
	}
	return true
}
