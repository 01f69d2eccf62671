// Package hear listens to telephone audio on behalf of tests and
// demonstrations: it finds a known speech or prompt in what a party heard, and
// recognises the call progress tones of the Chinese network. All audio is
// A-law at 8 kHz (ITU-T G.711).
package hear

import (
	"math"
	"time"

	"github.com/zaf/g711"
)

// rate is the sample rate of all audio, in samples per second.
const rate = 8000

// linear holds the value of each A-law code, scaled to -1..1.
var linear = func() (t [256]float64) {
	for i := range t {
		t[i] = float64(g711.DecodeAlawFrame(uint8(i))) / 32768
	}
	return t
}()

func decode(alaw []byte) []float64 {
	out := make([]float64, len(alaw))
	for i, b := range alaw {
		out[i] = linear[b]
	}
	return out
}

// Correlate looks for said in heard. Peak is the highest normalised
// cross-correlation over all lags: near 1 if heard contains said, whatever its
// volume, near 0 if not. Lag is where the beginning of said lies after the
// beginning of heard; it is negative if heard begins in the middle of said.
// Either may stick out of the other, but at least half of the shorter one has
// to be common to both.
func Correlate(heard, said []byte) (peak float64, lag time.Duration) {
	curve, first := normalised(decode(heard), decode(said))
	best := -1
	for i, v := range curve {
		if v > peak {
			peak, best = v, i
		}
	}
	if best < 0 {
		return 0, 0
	}
	return peak, duration(best + first)
}

// normalised is the cross-correlation at each lag at which enough of both
// overlaps, divided by the energies of the overlap. first is the lag of
// curve[0] in samples.
func normalised(heard, said []float64) (curve []float64, first int) {
	if len(heard) == 0 || len(said) == 0 {
		return nil, 0
	}
	raw := products(heard, said)
	n := len(raw)
	eh, es := energies(heard), energies(said)
	enough := (min(len(heard), len(said)) + 1) / 2
	first = enough - len(said)
	last := len(heard) - enough
	curve = make([]float64, last-first+1)
	for lag := first; lag <= last; lag++ {
		from, to := max(0, lag), min(len(heard), lag+len(said))
		h := floor(eh, from, to)
		s := floor(es, from-lag, to-lag)
		if h > 0 && s > 0 {
			curve[lag-first] = raw[(lag+n)%n] / math.Sqrt(h*s)
		}
	}
	return curve, first
}

// energies gives at i the energy of the first i samples.
func energies(x []float64) []float64 {
	sums := make([]float64, len(x)+1)
	for i, v := range x {
		sums[i+1] = sums[i] + v*v
	}
	return sums
}

// floor is the energy between two samples, but not less than a tenth of what
// that much of the whole has on average: near silence anything correlates.
func floor(sums []float64, from, to int) float64 {
	total := sums[len(sums)-1]
	least := total * float64(to-from) / float64(len(sums)-1) / 10
	return max(sums[to]-sums[from], least)
}

// products is the circular cross-correlation of two real signals, padded so
// that no lag wraps into another: the value of lag l is at l modulo its length.
func products(heard, said []float64) []float64 {
	n := 1
	for n < len(heard)+len(said) {
		n *= 2
	}
	z := make([]complex128, n) // both signals in one transform
	for i, v := range heard {
		z[i] = complex(v, 0)
	}
	for i, v := range said {
		z[i] += complex(0, v)
	}
	t := newTransform(n)
	t.forward(z)
	product := make([]complex128, n)
	for k := range z {
		a, b := z[k], z[(n-k)%n]
		bc := complex(real(b), -imag(b))
		h := (a + bc) / 2
		s := (a - bc) / 2i
		product[k] = h * complex(real(s), -imag(s))
	}
	// The inverse of a spectrum is the forward transform read backwards.
	t.forward(product)
	out := make([]float64, n)
	for i := range out {
		out[i] = real(product[(n-i)%n]) / float64(n)
	}
	return out
}

func duration(samples int) time.Duration {
	return time.Duration(samples) * time.Second / rate
}

func samples(d time.Duration) int {
	return int(d * rate / time.Second)
}
