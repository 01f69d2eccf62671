package media

import "math/rand/v2"

// A sample of G.711 lasts 125 µs, so sample counts and nanoseconds convert without a rest.
const sampleTime = 125_000

// clockJump is how far, in seconds, a peer's timestamps may depart from the time between two arrivals before the peer is
// taken to have moved its clock: further than a machine that stands still makes packets late.
const clockJump = 5

// outStream is what one peer hears: a single RTP stream whatever it is made of. Where its sources change, sequence
// numbers go on by one and timestamps by the wall clock, so that a phone's jitter buffer has nothing to start anew for.
type outStream struct {
	ssrc    uint32
	seq     uint16 // of the next packet
	ts      uint32 // of the newest packet
	samples uint32 // that it lasts, in units of clock like all timestamps
	clock   int64  // Hz
	at      int64  // the instant for which ts stands
	started bool

	packets, octets uint32 // as an RTCP sender report counts them

	relay relayClock
}

// relayClock maps the sequence numbers and timestamps of a peer's packets into the stream by constant offsets, so that
// loss and order stay visible to the receiver. Anything else put into the stream ends the mapping.
type relayClock struct {
	on    bool
	first int64 // extended sequence number of the first packet; older ones have no number left in the stream
	seq   uint16
	ts    uint32
	inTS  uint32 // of the newest packet
	at    int64  // its arrival
}

func newOutStream() outStream {
	return outStream{clock: sampleRate, ssrc: rand.Uint32(), seq: uint16(rand.Uint32N(1 << 15)), ts: rand.Uint32()}
}

// position is the timestamp of what is sent at now: that of the wall clock, but never inside the packet before.
func (o *outStream) position(now int64) (ts uint32, at int64) {
	if !o.started {
		return o.ts, now
	}
	advance := max(ticks(now-o.at, o.clock), int64(o.samples))
	return o.ts + uint32(advance), o.at + span(advance, o.clock)
}

// own takes the next place for n samples made here at now. marker: they follow a pause or something else's audio.
func (o *outStream) own(n int, now int64) (seq uint16, ts uint32, marker bool) {
	ts, at := o.position(now)
	marker = !o.started || o.relay.on || ts != o.ts+o.samples
	o.relay.on, o.started = false, true
	o.ts, o.at, o.samples = ts, at, uint32(n)
	seq = o.seq
	o.seq++
	return seq, ts, marker
}

// event takes the place of one packet of a telephone-event that began at ts; it lasts n samples so far.
func (o *outStream) event(ts uint32, at int64, n uint32) (seq uint16) {
	o.relay.on, o.started = false, true
	o.ts, o.at, o.samples = ts, at, n
	seq = o.seq
	o.seq++
	return seq
}

// forward gives the place of a peer's packet: ext is its extended sequence number, n its length in units of the clock. It is false
// for a packet that is older than the stretch that is being forwarded.
func (o *outStream) forward(ext int64, inTS uint32, n int, now int64) (seq uint16, ts uint32, first, ok bool) {
	r := &o.relay
	if r.on && ext >= r.first && abs(int64(int32(inTS-r.inTS))-ticks(now-r.at, o.clock)) > clockJump*o.clock {
		r.on = false
	}
	if !r.on {
		ts, _ := o.position(now)
		*r = relayClock{on: true, first: ext, seq: o.seq - uint16(ext), ts: ts - inTS, inTS: inTS, at: now}
		first = true
	}
	if ext < r.first {
		return 0, 0, false, false
	}
	seq, ts = uint16(ext)+r.seq, inTS+r.ts
	if int16(seq-o.seq) >= 0 {
		r.inTS, r.at = inTS, now
		o.seq = seq + 1
		if !o.started || int32(ts-o.ts) > 0 || first {
			o.ts, o.at, o.samples = ts, now, uint32(n)
		}
		o.started = true
	}
	return seq, ts, first, true
}

// sent counts a packet that left, for RTCP.
func (o *outStream) sent(payload int) {
	o.packets++
	o.octets += uint32(payload)
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
