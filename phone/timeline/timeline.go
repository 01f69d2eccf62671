// Package timeline lays received RTP audio out by the wall clock, as an ear
// hears it: silence where nothing came, late packets in their place.
package timeline

import (
	"bytes"
	"time"

	"github.com/pion/rtp"
)

// Heard is what a party heard: A-law at 8 kHz, laid out by the wall clock with
// silence where nothing came. Start is the instant of the first sample.
type Heard struct {
	Start time.Time
	Audio []byte
}

// Since is the part heard from an instant on.
func (h Heard) Since(t time.Time) []byte {
	n := int(t.Sub(h.Start) * rate / time.Second)
	return h.Audio[min(max(n, 0), len(h.Audio)):]
}

// Stream is what arrived of one RTP source.
type Stream struct {
	SSRC        uint32
	First, Last time.Time
	Packets     int // in any payload type
	Lost        int // gaps in the sequence numbers that stayed
	Breaks      int // jumps of the timestamp that neither sequence numbers nor a marker, after silence (RFC 3551 section 4.1), explain
}

const (
	rate    = 8000
	silence = 0xD5
	// maxHeard bounds a recording: later audio is not kept.
	maxHeard = 2 * time.Hour
	// stray is how far RTP time may be from arrival before it is laid out anew:
	// further than a busy machine makes packets late.
	stray = 6 * time.Second
)

// Line is what arrives at one RTP port. It is not safe for use by several
// goroutines at once.
type Line struct {
	start   time.Time
	audio   []byte
	sources []*source
}

// New begins to listen at an instant.
func New(start time.Time) *Line { return &Line{start: start} }

// source is the state of one SSRC.
type source struct {
	Stream
	anchor   int             // position in the audio of timestamp zero
	ts       uint32          // timestamp at the anchor
	seq      uint16          // highest received
	received map[uint16]bool // the last ones
	lastTS   uint32
	lastLen  uint32 // samples in the packet of lastTS, 0: no audio
}

// maxStreams bounds the sources of one call.
const maxStreams = 64

// Packet takes an RTP packet that arrived at an instant, with its audio as
// A-law; nil if it is not audio but, for example, a telephone event.
func (t *Line) Packet(h *rtp.Header, audio []byte, now time.Time) {
	s := t.source(h, len(audio), now)
	if s == nil {
		return
	}
	s.count(h, len(audio), now)
	if audio == nil {
		return
	}
	at := s.anchor + int(int32(h.Timestamp-s.ts))
	arrived := t.position(now) - len(audio)
	if off := at - arrived; off > samplesOf(stray) || off < -samplesOf(stray) {
		s.anchor, s.ts, at = arrived, h.Timestamp, arrived
	}
	t.write(max(at, 0), audio)
}

func (t *Line) source(h *rtp.Header, samples int, now time.Time) *source {
	for _, s := range t.sources {
		if s.SSRC == h.SSRC {
			return s
		}
	}
	if len(t.sources) == maxStreams {
		return nil
	}
	s := &source{Stream: Stream{SSRC: h.SSRC, First: now}, anchor: t.position(now) - samples, ts: h.Timestamp,
		seq: h.SequenceNumber - 1, lastTS: h.Timestamp, received: make(map[uint16]bool)}
	t.sources = append(t.sources, s)
	return s
}

// count follows the sequence numbers (RFC 3550 appendix A.3).
func (s *source) count(h *rtp.Header, samples int, now time.Time) {
	s.Last = now
	if s.received[h.SequenceNumber] {
		return
	}
	step := int16(h.SequenceNumber - s.seq)
	if step > 0 {
		s.Lost += int(step) - 1
		if step == 1 && s.Packets > 0 && s.lastLen > 0 && samples > 0 && !h.Marker && h.Timestamp != s.lastTS+s.lastLen {
			s.Breaks++
		}
		s.seq, s.lastTS, s.lastLen = h.SequenceNumber, h.Timestamp, uint32(samples)
	} else if s.Lost > 0 {
		s.Lost--
	}
	s.Packets++
	s.received[h.SequenceNumber] = true
	delete(s.received, h.SequenceNumber-1<<10)
}

func (t *Line) position(now time.Time) int { return samplesOf(now.Sub(t.start)) }

func (t *Line) write(at int, audio []byte) {
	end := at + len(audio)
	if end > samplesOf(maxHeard) {
		return
	}
	if n := end - len(t.audio); n > 0 {
		t.audio = append(t.audio, bytes.Repeat([]byte{silence}, n)...)
	}
	copy(t.audio[at:], audio)
}

// Heard is what was heard so far.
func (t *Line) Heard() Heard { return Heard{Start: t.start, Audio: bytes.Clone(t.audio)} }

func samplesOf(d time.Duration) int { return int(d * rate / time.Second) }

// Streams are the sources heard so far, at most maxStreams, in the order of
// their first packet.
func (t *Line) Streams() []Stream {
	all := make([]Stream, len(t.sources))
	for i, s := range t.sources {
		all[i] = s.Stream
	}
	return all
}
