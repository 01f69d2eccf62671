// Package tone makes the tones of a telephone network as A-law at 8 kHz: the
// call progress tones a caller hears while nobody speaks, and DTMF digits.
package tone

import (
	"fmt"
	"math"
	"time"

	"github.com/zaf/g711"
)

// Rate is the sample rate of everything this package makes, in samples per
// second. Every whole frequency repeats after Rate samples.
const Rate = 8000

// Silence is the A-law code of a zero sample.
const Silence = 0xD5

// peakOf is the amplitude, in 16-bit steps, of a sine at level dBm0. The
// largest sine that A-law holds is +3.14 dBm0 (ITU-T G.711 table 5).
func peakOf(level float64) float64 {
	return 32256 * math.Pow(10, (level-3.14)/20)
}

// Pattern is a call progress tone: a frequency, a level and a cadence. It is
// made by New and never changes, so one Pattern serves any number of calls.
type Pattern struct {
	Hz    int           // frequency
	Level float64       // dBm0 while it sounds
	On    time.Duration // sounds for On ...
	Off   time.Duration // ... and is silent for Off, from the beginning again

	on, cycle int    // the cadence in samples
	second    []byte // one second of the tone
}

// New makes a pattern of one frequency in Hz (1 to 3999), a level in dBm0 (-60
// to 0) and a cadence. Off may be 0 for a tone without a break.
func New(hz int, level float64, on, off time.Duration) (Pattern, error) {
	switch {
	case hz < 1 || hz >= Rate/2:
		return Pattern{}, fmt.Errorf("tone: frequency %d Hz is not in 1..%d", hz, Rate/2-1)
	case !(level >= -60 && level <= 0):
		return Pattern{}, fmt.Errorf("tone: level %g dBm0 is not in -60..0", level)
	case on < time.Millisecond || on > time.Minute || off < 0 || off > time.Minute:
		return Pattern{}, fmt.Errorf("tone: cadence %v on, %v off: on must be 1ms..1m, off 0..1m", on, off)
	}
	return build(hz, level, on, off), nil
}

func build(hz int, level float64, on, off time.Duration) Pattern {
	p := Pattern{Hz: hz, Level: level, On: on, Off: off, on: samples(on)}
	p.cycle = p.on + samples(off)
	p.second = make([]byte, Rate)
	for i := range p.second {
		p.second[i] = g711.EncodeAlawFrame(int16(math.Round(peakOf(level) * sine(hz, i))))
	}
	return p
}

// The tones of the Chinese network (450 Hz, GF 002): ring-back 1 s on and 4 s
// off, busy 0.35 s on and 0.35 s off.
var (
	ringback = build(450, -10, time.Second, 4*time.Second)
	busy     = build(450, -10, 350*time.Millisecond, 350*time.Millisecond)
	held     = build(450, -20, 400*time.Millisecond, 4*time.Second)
)

// Ringback is what a caller hears while the other phone rings.
func Ringback() Pattern { return ringback }

// Busy is what a caller hears when the other party is in a call.
func Busy() Pattern { return busy }

// Held is what one hears whom the other party has put on hold: the cadence of
// call waiting, 0.4 s on and 4 s off, but softer.
func Held() Pattern { return held }

// Frame fills dst with the part of the pattern that starts pos samples after
// its beginning; pos must not be negative. Frames at consecutive positions
// join without a click. It does not allocate.
func (p Pattern) Frame(dst []byte, pos int) {
	if p.cycle == 0 { // the zero Pattern
		silence(dst)
		return
	}
	for len(dst) > 0 {
		at := pos % p.cycle
		var n int
		if at < p.on {
			from := at % Rate
			n = copy(dst[:min(len(dst), p.on-at)], p.second[from:])
		} else {
			n = min(len(dst), p.cycle-at)
			silence(dst[:n])
		}
		dst, pos = dst[n:], pos+n
	}
}

func silence(dst []byte) {
	for i := range dst {
		dst[i] = Silence
	}
}

// samples is how many samples d lasts.
func samples(d time.Duration) int { return int(d * Rate / time.Second) }

// sine is the i-th sample of a sine of hz.
func sine(hz, i int) float64 {
	return math.Sin(2 * math.Pi * float64(hz*i%Rate) / Rate)
}
