package media

import (
	"time"

	"axgate/media/dtmf"
	"axgate/media/tone"
)

const (
	// pressStep is the time between two packets of a digit.
	pressStep    = int64(20 * time.Millisecond)
	pressSamples = 2 * frameUnit
	pressRate    = int64(time.Second) / pressStep
	// minPress and pressGap are how long a digit sounds at least, and the silence after it: ITU-T Q.24 asks for about
	// 50 ms, and the stream's clock may be a packet off.
	minPress = 80 * sampleRate / 1000
	pressGap = int64(80 * time.Millisecond)
	// maxPress is the longest that a digit sounds, however long the key is held.
	maxPress = 20 * time.Second
	// keyLost is how long after the last packet of a key that is held its end is taken for lost.
	keyLost = int64(150 * time.Millisecond)
	// fullSegment is the longest duration that a telephone-event can report.
	fullSegment = 0xFFFF
	// endPackets repeat the end of an event, so that it survives loss.
	endPackets = 3
	// volume of the telephone-events sent, in dB below 0 dBm0.
	volume = 10
)

// press is one digit to be sent.
type press struct {
	want uint32 // samples of 125 µs that it shall last
	code uint8  // the telephone event
	held bool   // the other side's key is still down: the length is not known yet
}

// dialer sends digits to a leg one after the other, as telephone-events (RFC 4733) or as tones.
type dialer struct {
	queue       *[16]press // a ring; what does not fit is dropped; nil before the first
	head, count int
	resume      int64 // the next digit begins no sooner

	sounding bool // the head of the queue is being sent
	tones    bool // as a tone
	ts       uint32
	at       int64  // the time of ts
	segment  uint32 // what it lasts since ts, in units of the stream's clock
	total    uint32 // samples of 125 µs that it has lasted
	marker   bool
	ends     int // end packets still to be sent

	heldSeen int64 // when the other side's key was last reported down
}

// dials says whether digits are sent to the peer with its audio.
func (l *leg) dials() bool {
	return l.stream.Digits != DigitsElsewhere && (!l.toned() || l.stream.Codec != Passed)
}

// toned says whether they are tones.
func (l *leg) toned() bool { return l.stream.Digits == DigitsTones || l.stream.SendEventPT == 0 }

// dial queues a digit.
func (l *leg) dial(p press, now int64) {
	d := &l.dialer
	if d.count == len(d.queue) || !l.dials() {
		l.count.dropped++
		return
	}
	if d.queue == nil {
		d.queue = new([16]press)
	}
	p.want = max(p.want, minPress)
	d.queue[(d.head+d.count)%len(d.queue)] = p
	d.count++
	d.heldSeen = now
	l.tickFrom(now)
}

// lift says that the key of the digit queued last is up after so many samples.
func (d *dialer) lift(samples uint32) {
	if d.count == 0 {
		return
	}
	if p := &d.queue[(d.head+d.count-1)%len(d.queue)]; p.held {
		p.held, p.want = false, max(samples, minPress)
	}
}

// abandon breaks off the digit being sent: the peer renegotiated how it is sent.
func (d *dialer) abandon() {
	if d.sounding {
		d.done()
	}
}

func (d *dialer) done() {
	d.sounding = false
	d.head = (d.head + 1) % len(d.queue)
	d.count--
}

// press sends one packet of the digit at the head of the queue.
func (l *leg) press(at int64) {
	d := &l.dialer
	p := &d.queue[d.head]
	if !d.sounding {
		d.sounding, d.tones = true, l.toned()
		d.ts, d.at = l.out.position(at)
		d.segment, d.total, d.marker, d.ends = 0, 0, true, 0
	}
	if p.held && at-d.heldSeen > keyLost {
		p.held = false
	}
	if d.tones {
		l.pressTone(at)
	} else {
		l.pressEvent(at)
	}
}

// over says whether the digit has sounded long enough.
func (d *dialer) over() bool {
	return !d.queue[d.head].held && d.total >= d.queue[d.head].want || d.total >= uint32(maxPress/sampleTime)
}

func (l *leg) pressTone(at int64) {
	d := &l.dialer
	b := l.call.worker.own[:headerSize+pressSamples]
	if digit, ok := dtmf.Digit(d.queue[d.head].code); ok {
		tone.DTMF(digit, b[headerSize:], int(d.total))
	}
	l.sendAudio(b, at)
	d.total += pressSamples
	if d.over() {
		d.resume = at + pressStep + pressGap
		d.done()
	}
}

// pressEvent sends one packet of a telephone-event. A key held longer than a duration can say goes on in a new segment
// where the one before ended, without marker (RFC 4733 section 2.5.1.3).
func (l *leg) pressEvent(at int64) {
	d := &l.dialer
	full := false
	if d.ends == 0 {
		d.segment += uint32(l.out.clock / pressRate)
		d.total += pressSamples
		if full = d.segment > fullSegment; full {
			d.segment -= fullSegment
			l.sendEvent(fullSegment, false)
			d.ts += fullSegment
			d.at += span(fullSegment, l.out.clock)
		} else if d.over() {
			d.ends = endPackets
			d.resume = d.at + span(int64(d.segment), l.out.clock) + pressGap
		}
	}
	if full {
		return
	}
	l.sendEvent(d.segment, d.ends > 0)
	if d.ends > 0 {
		if d.ends--; d.ends == 0 {
			d.done()
		}
	}
}

func (l *leg) sendEvent(samples uint32, end bool) {
	d := &l.dialer
	if !l.canSend() {
		return
	}
	b := l.call.worker.own[:headerSize]
	b = dtmf.Payload(b, d.queue[d.head].code, end, volume, uint16(samples))
	putHeader(b, l.stream.SendEventPT, d.marker, l.out.event(d.ts, d.at, samples), d.ts, l.out.ssrc)
	d.marker = false
	l.transmit(b)
}
