package hear

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// transform is a discrete Fourier transform of a fixed length, a power of two
// (Cooley and Tukey, radix 2, in place).
type transform struct {
	n     int
	roots []complex128 // e^(-2πik/n), the first half
}

func newTransform(n int) *transform {
	t := &transform{n: n, roots: make([]complex128, n/2)}
	for k := range t.roots {
		t.roots[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/float64(n))
	}
	return t
}

func (t *transform) forward(x []complex128) {
	if t.n < 2 {
		return
	}
	shift := bits.LeadingZeros64(uint64(t.n - 1))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= t.n; size *= 2 {
		half, step := size/2, t.n/size
		for start := 0; start < t.n; start += size {
			for k := range half {
				a, b := x[start+k], x[start+k+half]*t.roots[k*step]
				x[start+k], x[start+k+half] = a+b, a-b
			}
		}
	}
}
