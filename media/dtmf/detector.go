package dtmf

import (
	"math"

	"github.com/zaf/g711"
)

// Detector finds DTMF digits in the audio of one leg (ITU-T Q.23, Q.24). A
// digit counts once when its two frequencies have stood for 40 ms, and again
// only after 40 ms without them. Speech is rejected because it holds energy
// beside the two frequencies, misses them by more than a keypad does, differs
// in level between them (twist), has harmonics and does not stand still. The
// zero value is ready for use; a Detector belongs to the goroutine that reads
// the leg's media.
type Detector struct {
	block [blockLen]float32 // samples not analysed yet, and how many
	fill  int
	prev  sighting // what the block before showed
	down  sighting // the key that is down, digit 0 when none is
	gone  int      // blocks in a row in which the key that is down was missing
}

// sighting is what one block shows: a digit with its two frequencies, digit 0
// for none.
type sighting struct {
	digit     byte
	energy    float32
	low, high component
	row, col  int8
}

// component is a block at one frequency: its power and the complex amplitude
// that the power is of.
type component struct{ power, re, im float32 }

// blockLen is the number of samples looked at together: any 40 ms hold two
// whole blocks, and the width of the filters, about 78 Hz, fits the spacing of
// the frequencies. The turn of the phase from one block to the next then tells
// where in a filter's width a frequency is.
const blockLen = 102

// Limits of a digit, as ratios of power where nothing else is said.
const (
	minPower    = 2.4e-4 // of one frequency, full scale 1: -33 dBm0
	twistLow    = 10.0   // low group at most 10 dB stronger (Q.24 asks for 8)
	twistHigh   = 4.0    // high group at most 6 dB stronger (Q.24 asks for 4)
	minPeak     = 3.2    // over the other frequencies of the group
	minPurity   = 0.86   // share of the blocks' energy in the two frequencies
	maxHarmonic = 0.03   // second harmonic of the high frequency against it
	maxChange   = 3.0    // between two blocks of one digit; the stronger frequency leaks into the weaker
	minLeft     = 0.1    // of its power while the key is down
	maxOff      = 0.022  // of a frequency from its place, of itself (Q.24 asks for 0.018)
	blurred     = 4.0    // Hz by which the other frequency may blur that
	filterWidth = 8000.0 / blockLen
)

// keys is the keypad, row by row.
const keys = "123A456B789C*0#D"

// coefficients are the 2·cos(ω) of the Goertzel filters.
var (
	lowHz         = [4]float64{697, 770, 852, 941}
	highHz        = [4]float64{1209, 1336, 1477, 1633}
	lowFilters    = coefficients(lowHz[:]...)
	highFilters   = coefficients(highHz[:]...)
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

// Pause tells that the peer fell silent for a while without sending silence: a
// key that was down is up.
func (d *Detector) Pause() { *d = Detector{} }

// analyse looks at a whole block and returns the digit whose key went down, 0
// for none.
func (d *Detector) analyse() byte {
	var low, high [4]component
	energy := d.energy()
	loud := energy >= minPower
	if loud {
		low, high = d.filter(&lowFilters), d.filter(&highFilters)
	}
	if d.down.digit != 0 {
		left := min(low[d.down.row].power/d.down.low.power, high[d.down.col].power/d.down.high.power)
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
	if seen.digit == 0 || seen.digit != before.digit || !same(&before, &seen) {
		return 0
	}
	d.down, d.gone = seen, 0
	return seen.digit
}

// look decides whether the block may be a digit.
func (d *Detector) look(low, high *[4]component, energy float32) sighting {
	r, c := strongest(low), strongest(high)
	l, h := low[r], high[c]
	switch {
	// A frequency at the edge of its filter shows half its power or little more.
	case l.power < minPower/2 || h.power < minPower/2, l.power+h.power < energy*minPurity/2,
		!stands(low, r) || !stands(high, c),
		d.component(highHarmonics[c]).power > h.power*maxHarmonic:
		return sighting{}
	}
	return sighting{digit: keys[4*r+c], energy: energy, low: l, high: h, row: int8(r), col: int8(c)}
}

// same decides whether two blocks that follow each other are one digit.
func same(a, b *sighting) bool {
	if !steady(a.low.power, b.low.power) || !steady(a.high.power, b.high.power) {
		return false
	}
	lowOff, highOff := turn(a.low, b.low, lowHz[b.row]), turn(a.high, b.high, highHz[b.col])
	if math.Abs(lowOff) > maxOff*lowHz[b.row]+blurred || math.Abs(highOff) > maxOff*highHz[b.col]+blurred {
		return false
	}
	l := (a.low.power + b.low.power) / passed(lowOff)
	h := (a.high.power + b.high.power) / passed(highOff)
	return min(l, h) >= 2*minPower && l <= h*twistLow && h <= l*twistHigh && l+h >= (a.energy+b.energy)*minPurity
}

// turn tells by how many Hz a frequency is off its place, from the phases of
// two blocks.
func turn(a, b component, hz float64) float64 {
	phase := math.Atan2(float64(b.im), float64(b.re)) - math.Atan2(float64(a.im), float64(a.re))
	rounds := phase/(2*math.Pi) - hz/filterWidth
	return (rounds - math.Round(rounds)) * filterWidth
}

// passed is the share of its power that a filter shows of a frequency off its
// place.
func passed(off float64) float32 {
	x := math.Pi * off / filterWidth
	if math.Abs(x) < 1e-6 {
		return 1
	}
	return float32(math.Sin(x) * math.Sin(x) / (x * x))
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

func (d *Detector) filter(filters *[4]float32) (c [4]component) {
	for i, f := range filters {
		c[i] = d.component(f)
	}
	return c
}

// component is the Goertzel filter, its power on the scale of energy. The phase
// is that at the end of the block.
func (d *Detector) component(c float32) component {
	var s1, s2 float32
	for _, x := range d.block {
		s1, s2 = x+c*s1-s2, s1
	}
	cos := c / 2
	re, im := s1-cos*s2, float32(math.Sqrt(float64(1-cos*cos)))*s2
	return component{power: (s1*s1 + s2*s2 - c*s1*s2) * 4 / (blockLen * blockLen), re: re, im: im}
}

func strongest(p *[4]component) int {
	best := 0
	for i := range p {
		if p[i].power > p[best].power {
			best = i
		}
	}
	return best
}

// stands tells whether a frequency stands out of its group.
func stands(p *[4]component, best int) bool {
	for i := range p {
		if i != best && p[i].power*minPeak > p[best].power {
			return false
		}
	}
	return true
}

func steady(a, b float32) bool { return a <= b*maxChange && b <= a*maxChange }
