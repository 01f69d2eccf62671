package dtmf

import (
	"math"

	"github.com/zaf/g711"
)

// Detector finds DTMF digits in the audio of one leg (ITU-T Q.23, Q.24). A
// digit counts once when its two frequencies have stood for 40 ms, and again
// only after 40 ms without them. Speech is rejected because it holds energy
// beside the two frequencies, differs in level between them (twist), has
// harmonics and does not stand still. The zero value is ready for use; a
// Detector belongs to the goroutine that reads the leg's media.
type Detector struct {
	block [blockLen]float32 // samples not analysed yet, and how many
	fill  int
	prev  sighting // what the block before showed
	down  sighting // the key that is down, digit 0 when none is
	gone  int      // blocks in a row in which the key that is down was missing
}

// sighting is what one block shows: a digit with the power of its two
// frequencies, digit 0 for none.
type sighting struct {
	digit     byte
	low, high float32
	row, col  int8
}

// blockLen is the number of samples looked at together: any 40 ms hold two
// whole blocks, and the width of the filters, about 78 Hz, fits the spacing
// and the tolerance (1.8 %) of the frequencies.
const blockLen = 102

// Limits of a digit, as ratios of power.
const (
	minPower    = 2.4e-4 // of one frequency, full scale 1: -33 dBm0
	twistLow    = 10.0   // low group at most 10 dB stronger (Q.24 asks for 8)
	twistHigh   = 5.0    // high group at most 7 dB stronger (Q.24 asks for 4)
	minPeak     = 6.3    // over the other frequencies of the group
	minPurity   = 0.62   // share of the block's energy in the two frequencies
	maxHarmonic = 0.03   // second harmonic of the high frequency against it
	maxChange   = 2.0    // between two blocks of one digit
	minLeft     = 0.1    // of its power while the key is down
)

// keys is the keypad, row by row.
const keys = "123A456B789C*0#D"

// coefficients are the 2·cos(ω) of the Goertzel filters.
var (
	lowFilters    = coefficients(697, 770, 852, 941)
	highFilters   = coefficients(1209, 1336, 1477, 1633)
	highHarmonics = coefficients(2*1209, 2*1336, 2*1477, 2*1633)
)

func coefficients(hz ...float64) (c [4]float32) {
	for i, f := range hz {
		c[i] = float32(2 * math.Cos(2*math.Pi*f/8000))
	}
	return c
}

// linear is A-law to samples of full scale 1.
var linear = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(g711.DecodeAlawFrame(uint8(i))) / 32768
	}
	return t
}()

// Feed takes the next samples of the leg's audio, A-law at 8 kHz, at most 60 ms
// of them. ok is true once per key press. It does not allocate.
func (d *Detector) Feed(alaw []byte) (digit byte, ok bool) {
	for _, a := range alaw {
		d.block[d.fill] = linear[a]
		if d.fill++; d.fill == blockLen {
			d.fill = 0
			if found := d.analyse(); found != 0 {
				digit, ok = found, true
			}
		}
	}
	return digit, ok
}

// analyse looks at a whole block and returns the digit whose key went down, 0
// for none.
func (d *Detector) analyse() byte {
	var low, high [4]float32
	energy := d.energy()
	loud := energy >= minPower
	if loud {
		low, high = d.powers(&lowFilters), d.powers(&highFilters)
	}
	if d.down.digit != 0 {
		left := min(low[d.down.row]/d.down.low, high[d.down.col]/d.down.high)
		if left >= minLeft {
			d.gone = 0
			d.prev = sighting{}
			return 0
		}
		if d.gone++; d.gone >= 2 {
			d.down = sighting{}
		}
	}
	var seen sighting
	if loud {
		seen = d.look(&low, &high, energy)
	}
	before := d.prev
	d.prev = seen
	if seen.digit == 0 || seen.digit != before.digit || !steady(seen.low, before.low) || !steady(seen.high, before.high) {
		return 0
	}
	d.down, d.gone = seen, 0
	return seen.digit
}

// look decides whether the block is a digit.
func (d *Detector) look(low, high *[4]float32, energy float32) sighting {
	r, c := strongest(low), strongest(high)
	l, h := low[r], high[c]
	switch {
	case l < minPower || h < minPower,
		l > h*twistLow || h > l*twistHigh,
		l+h < energy*minPurity,
		!stands(low, r) || !stands(high, c),
		d.power(highHarmonics[c]) > h*maxHarmonic:
		return sighting{}
	}
	return sighting{digit: keys[4*r+c], low: l, high: h, row: int8(r), col: int8(c)}
}

// energy is the mean square of the block, scaled so that a sine of full scale
// gives 1.
func (d *Detector) energy() float32 {
	var sum float32
	for _, x := range d.block {
		sum += x * x
	}
	return sum * 2 / blockLen
}

func (d *Detector) powers(filters *[4]float32) (p [4]float32) {
	for i, c := range filters {
		p[i] = d.power(c)
	}
	return p
}

// power is the Goertzel filter: the power of the block at one frequency, on the
// scale of energy.
func (d *Detector) power(c float32) float32 {
	var s1, s2 float32
	for _, x := range d.block {
		s1, s2 = x+c*s1-s2, s1
	}
	return (s1*s1 + s2*s2 - c*s1*s2) * 4 / (blockLen * blockLen)
}

func strongest(p *[4]float32) int {
	best := 0
	for i := range p {
		if p[i] > p[best] {
			best = i
		}
	}
	return best
}

// stands tells whether a frequency stands out of its group.
func stands(p *[4]float32, best int) bool {
	for i := range p {
		if i != best && p[i]*minPeak > p[best] {
			return false
		}
	}
	return true
}

func steady(a, b float32) bool { return a <= b*maxChange && b <= a*maxChange }
