// Package quality measures what a peer sends: sequence, loss and jitter by RFC 3550 appendix A, and an estimate of how it
// sounds by ITU-T G.107.
package quality

// Verdict says how a packet stands to those before it.
type Verdict uint8

// The verdicts on a packet.
const (
	Newer   Verdict = iota // continues the sequence, perhaps after a loss
	Late                   // older than the newest one: reordered or a duplicate
	Restart                // the first of a new sequence: another SSRC, or the peer began anew
	Stray                  // far from the sequence and alone: not to be used
)

// RFC 3550 A.1.
const (
	maxDropout  = 3000
	maxMisorder = 100
)

// talkSpurt is the change of transit time, in samples, above which it is no jitter but a peer that jumped its clock: 1 s.
const talkSpurt = 8000

// Source follows the packets of one peer through any number of SSRCs. Its zero value is ready.
type Source struct {
	started bool
	ssrc    uint32
	newest  int64  // extended sequence number of the newest packet
	base    int64  // of the first
	stray   int32  // the number that would make a stray packet the first of a new sequence; -1: none
	seen    uint64 // packets of this sequence

	timed   bool
	transit uint32
	jitter  float64 // samples

	late uint64 // packets over all sequences that were Late

	gone struct{ seen, lost uint64 } // of sequences that ended

	prior struct{ expected, seen uint64 } // at the last report
}

// Packet takes a valid packet into account. It returns its extended sequence number, which is comparable to those since
// the last Restart.
func (s *Source) Packet(ssrc uint32, seq uint16) (int64, Verdict) {
	if !s.started || ssrc != s.ssrc {
		return s.restart(ssrc, seq), Restart
	}
	delta := seq - uint16(s.newest)
	switch {
	case delta == 0:
		s.seen++
		s.late++
		return s.newest, Late
	case delta < maxDropout:
		s.newest += int64(delta)
		s.seen++
		return s.newest, Newer
	case delta > 65535-maxMisorder:
		s.seen++
		s.late++
		return s.newest + int64(int16(delta)), Late
	case s.stray == int32(seq):
		return s.restart(ssrc, seq), Restart
	}
	s.stray = int32(seq + 1)
	return 0, Stray
}

func (s *Source) restart(ssrc uint32, seq uint16) int64 {
	s.End()
	// One round above zero, so that packets before the first have a number as well.
	first := int64(seq) + 1<<16
	s.started, s.ssrc, s.newest, s.base, s.seen = true, ssrc, first, first, 1
	s.stray = -1
	return first
}

// Audio takes the arrival of an audio packet into account for the jitter; arrival and timestamp are in samples.
func (s *Source) Audio(arrival, timestamp uint32) {
	transit := arrival - timestamp
	change := int32(transit - s.transit)
	if change < 0 {
		change = -change
	}
	if s.timed && change >= 0 && change < talkSpurt {
		s.jitter += (float64(change) - s.jitter) / 16
	}
	s.transit, s.timed = transit, true
}

// End closes the present sequence: what follows is a Restart. Its packets stay counted.
func (s *Source) End() {
	if s.started {
		s.gone.seen += s.seen
		s.gone.lost += s.lost()
	}
	s.started, s.timed, s.seen = false, false, 0
	s.prior.expected, s.prior.seen = 0, 0
}

func (s *Source) expected() uint64 { return uint64(s.newest - s.base + 1) }

func (s *Source) lost() uint64 {
	if expected := s.expected(); expected > s.seen {
		return expected - s.seen
	}
	return 0
}

// Received is the number of packets over all sequences.
func (s *Source) Received() uint64 { return s.gone.seen + s.seen }

// Lost is the number of packets missing over all sequences (RFC 3550 A.3, never below zero).
func (s *Source) Lost() uint64 {
	if !s.started {
		return s.gone.lost
	}
	return s.gone.lost + s.lost()
}

// Late is the number of packets over all sequences that came behind newer ones, or twice.
func (s *Source) Late() uint64 { return s.late }

// Jitter is the interarrival jitter in samples (RFC 3550 A.8).
func (s *Source) Jitter() float64 { return s.jitter }

// Report is the content of a reception report block (RFC 3550 section 6.4.1).
type Report struct {
	SSRC      uint32
	Fraction  uint8  // lost since the last report, of 256
	TotalLost uint32 // 24 bits, of the present SSRC
	Highest   uint32 // extended highest sequence number
	Jitter    uint32 // samples
}

// Report makes a reception report on the present SSRC and begins the next interval; false: nothing was received from one.
func (s *Source) Report() (Report, bool) {
	if !s.started {
		return Report{}, false
	}
	expected, seen := s.expected()-s.prior.expected, s.seen-s.prior.seen
	s.prior.expected, s.prior.seen = s.expected(), s.seen
	r := Report{
		SSRC:      s.ssrc,
		TotalLost: uint32(min(s.lost(), 1<<23-1)),
		Highest:   uint32(s.newest - 1<<16),
		Jitter:    uint32(s.jitter),
	}
	if expected > seen {
		r.Fraction = uint8(min((expected-seen)*256/expected, 255))
	}
	return r, true
}
