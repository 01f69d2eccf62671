package prompts

import "math"

// The low-pass filter before 8 kHz: a sinc in a Kaiser window. What telephones
// carry (to 3.4 kHz) stays, what would fold back (from 4 kHz on) is down by 60 dB.
const (
	cutoff    = 3700.0 // Hz, half amplitude
	crossings = 24     // zeros of the sinc on each side
	beta      = 6.0    // of the window
)

// resample gives in's samples, of rate per second, at 8000 per second. rate is
// at least 8000.
func resample(in []float32, rate int) []float32 {
	if rate == telephone {
		return in
	}
	r := newResampler(rate)
	out := make([]float32, int(int64(len(in))*telephone/int64(rate)))
	for i := range out {
		out[i] = r.at(in, i)
	}
	return out
}

const telephone = 8000 // Hz

// resampler has one filter per phase: output samples fall between input
// samples at as many different places.
type resampler struct {
	in, out int // rates, without their common divisor
	half    int // input samples on each side
	scale   float64
	phases  [][]float32
}

func newResampler(rate int) *resampler {
	d := gcd(rate, telephone)
	return &resampler{
		in: rate / d, out: telephone / d,
		half:   int(math.Ceil(crossings * float64(rate) / (2 * cutoff))),
		scale:  2 * cutoff / float64(rate),
		phases: make([][]float32, telephone/d),
	}
}

// at is output sample i. The sound is silent before its beginning and after
// its end.
func (r *resampler) at(in []float32, i int) float32 {
	place := int64(i) * int64(r.in)
	whole, phase := int(place/int64(r.out)), int(place%int64(r.out))
	taps := r.taps(phase)
	first := whole - r.half
	from, to := max(0, -first), min(len(taps), len(in)-first)
	var sum float32
	for k := from; k < to; k++ {
		sum += in[first+k] * taps[k]
	}
	return sum
}

// taps are the weights of the input samples from half before the place of a
// phase to half after it. They add up to one, so that levels stay.
func (r *resampler) taps(phase int) []float32 {
	if t := r.phases[phase]; t != nil {
		return t
	}
	weights := make([]float64, 2*r.half+1)
	total := 0.0
	for k := range weights {
		x := float64(k-r.half) - float64(phase)/float64(r.out)
		weights[k] = sinc(r.scale*x) * kaiser(x/float64(r.half))
		total += weights[k]
	}
	t := make([]float32, len(weights))
	for k, w := range weights {
		t[k] = float32(w / total)
	}
	r.phases[phase] = t
	return t
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the window at x of -1 to 1.
func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel(beta*math.Sqrt(1-x*x)) / bessel(beta)
}

// bessel is the modified Bessel function of the first kind and order zero, by
// its series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-9; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
