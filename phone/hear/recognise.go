package hear

import (
	"cmp"
	"slices"
	"time"
)

// Found is a clip that was recognised in what a party heard.
type Found struct {
	Name string
	At   time.Duration // where it begins, after the beginning of what was heard
	Peak float64       // its normalised cross-correlation there
}

// certain is the correlation from which a clip counts as recognised. Other
// speech of a second or more stays below 0.3.
const certain = 0.6

// Recognise finds every playing of the named clips in heard, in the order in
// which they began. A clip that was cut short is found if at least half of it
// was heard at the beginning or end of heard. Of clips that claim the same
// place the best fit wins.
func Recognise(heard []byte, clips map[string][]byte) []Found {
	h := halved(decode(heard))
	var all []hit
	for name, clip := range clips {
		c := halved(decode(clip))
		curve, first := normalised(h, c)
		for i := 0; i < len(curve); i++ {
			if curve[i] < certain {
				continue
			}
			best := i // the top of this playing: it lies within its length
			for j := i + 1; j < min(len(curve), i+len(c)/2); j++ {
				if curve[j] > curve[best] {
					best = j
				}
			}
			all = append(all, hit{Found{Name: name, At: duration(2 * (best + first)), Peak: curve[best]}, duration(len(clip))})
			i = best + len(c)/2
		}
	}
	slices.SortFunc(all, func(a, b hit) int { return cmp.Compare(b.Peak, a.Peak) })
	var kept []hit
	for _, f := range all {
		if !slices.ContainsFunc(kept, f.overlaps) {
			kept = append(kept, f)
		}
	}
	slices.SortFunc(kept, func(a, b hit) int { return cmp.Compare(a.At, b.At) })
	out := make([]Found, len(kept))
	for i, f := range kept {
		out[i] = f.Found
	}
	return out
}

// halved is audio at half the rate: speech is known by it, in less than half the
// time.
func halved(x []float64) []float64 {
	out := make([]float64, len(x)/2)
	for i := range out {
		out[i] = (x[2*i] + x[2*i+1]) / 2
	}
	return out
}

type hit struct {
	Found
	length time.Duration
}

// overlaps tells whether more than half of the shorter one lies in the other.
func (f hit) overlaps(o hit) bool {
	common := min(f.At+f.length, o.At+o.length) - max(f.At, o.At)
	return common > min(f.length, o.length)/2
}
