// Package meter measures what a load costs: delays, the processor time and the
// memory of processes, and what the kernel has thrown away.
package meter

import (
	"math/bits"
	"time"
)

// Delays counts delays by their length: to the µs up to 2 ms, from there on to
// a tenth of a percent. Nothing is allocated for one.
type Delays struct {
	count [buckets]uint32
	n     int
	most  time.Duration
}

const (
	exact   = 2048      // µs that have a bucket each
	half    = exact / 2 // buckets of each doubling from there on
	longest = 1 << 36   // µs; what is longer is counted as this
	buckets = exact + half*(36-11+1)
)

// Add counts a delay; below zero, which clocks can make of next to nothing, is zero.
func (d *Delays) Add(delay time.Duration) {
	delay = max(0, delay)
	d.count[bucket(min(uint64(delay.Microseconds()), longest-1))]++
	d.n++
	d.most = max(d.most, delay)
}

func bucket(us uint64) int {
	if us < exact {
		return int(us)
	}
	shift := bits.Len64(us) - bits.Len64(exact-1)
	return shift*half + int(us>>shift)
}

// least is the shortest delay of a bucket, in µs.
func least(bucket int) uint64 {
	if bucket < exact {
		return uint64(bucket)
	}
	shift := bucket/half - 1
	return uint64(bucket-shift*half) << shift
}

// N is how many there are.
func (d *Delays) N() int { return d.n }

// Most is the longest one.
func (d *Delays) Most() time.Duration { return d.most }

// At is the delay that a share of them does not exceed: 0.5 is the median.
func (d *Delays) At(share float64) time.Duration {
	if d.n == 0 {
		return 0
	}
	rank := min(int(share*float64(d.n)), d.n-1)
	for i := range d.count {
		if rank -= int(d.count[i]); rank < 0 {
			return time.Duration(least(i)) * time.Microsecond
		}
	}
	return d.most
}

// Join adds what others counted.
func (d *Delays) Join(others *Delays) {
	for i := range d.count {
		d.count[i] += others.count[i]
	}
	d.n += others.n
	d.most = max(d.most, others.most)
}
