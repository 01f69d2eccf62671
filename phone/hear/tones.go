package hear

import (
	"math"
	"time"
)

// Signal names a call progress tone.
type Signal string

// The tones of the Chinese network (450 Hz, GF 002).
const (
	Ringback Signal = "ring-back" // 1 s on, 4 s off
	Busy     Signal = "busy"      // 0.35 s on, 0.35 s off
	Steady   Signal = "steady"    // any other 450 Hz, for example a dial tone
)

// Tone is a stretch of one call progress tone.
type Tone struct {
	Signal Signal
	At     time.Duration // where its first burst begins
	Length time.Duration // to the end of its last burst
	Bursts int
}

// burst is one sounding of 450 Hz.
type burst struct{ at, length time.Duration }

func (b burst) end() time.Duration { return b.at + b.length }

const (
	toneHz    = 450
	toneFrame = rate / 50 // 20 ms hold nine whole periods of 450 Hz
	tonePure  = 0.8       // share of the energy that must lie at 450 Hz
	toneFloor = 1e-5      // mean power below which nothing is heard, about -44 dBm0
)

// Tones finds the call progress tones in heard, in order. A stretch whose
// bursts and pauses fit a cadence within 15 % is named after it; the last
// burst may be cut off.
func Tones(heard []byte) []Tone {
	var out []Tone
	all := bursts(heard)
	for i := 0; i < len(all); {
		signal, n := Steady, 1
		for _, c := range cadences {
			if m := c.fit(all[i:]); m > 0 {
				signal, n = c.signal, m
				break
			}
		}
		out = append(out, Tone{Signal: signal, At: all[i].at, Length: all[i+n-1].end() - all[i].at, Bursts: n})
		i += n
	}
	return out
}

type cadence struct {
	signal  Signal
	on, off time.Duration
}

var cadences = []cadence{
	{Ringback, time.Second, 4 * time.Second},
	{Busy, 350 * time.Millisecond, 350 * time.Millisecond},
}

// fit counts how many bursts from the first on keep the cadence. The last one
// may be shorter, but the first may not.
func (c cadence) fit(all []burst) int {
	n := 0
	for i, b := range all {
		if i > 0 && !near(b.at-all[i-1].end(), c.off) {
			break
		}
		if !near(b.length, c.on) {
			if i > 0 && b.length < c.on {
				n++
			}
			break
		}
		n++
	}
	return n
}

// near allows 15 % and the two frames by which an edge can be misplaced.
func near(d, want time.Duration) bool {
	slack := want*15/100 + duration(2*toneFrame)
	return d > want-slack && d < want+slack
}

func bursts(heard []byte) []burst {
	x := decode(heard)
	var out []burst
	on := false
	for i := 0; i+toneFrame <= len(x); i += toneFrame {
		if !sounds(x[i : i+toneFrame]) {
			on = false
			continue
		}
		if !on {
			out = append(out, burst{at: duration(i)})
			on = true
		}
		out[len(out)-1].length += duration(toneFrame)
	}
	return out
}

// sounds tells whether a frame is 450 Hz and little else (Goertzel).
func sounds(frame []float64) bool {
	c := 2 * math.Cos(2*math.Pi*toneHz/rate)
	var s1, s2, energy float64
	for _, v := range frame {
		s1, s2 = v+c*s1-s2, s1
		energy += v * v
	}
	n := float64(len(frame))
	if energy/n < toneFloor {
		return false
	}
	power := s1*s1 + s2*s2 - c*s1*s2
	return 2*power/n >= tonePure*energy
}
