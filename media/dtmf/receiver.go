package dtmf

// Receiver turns the telephone events of one leg into digits, each key press
// once whatever packets are lost, repeated or out of order. It assumes neither
// a marker bit nor a duration. The zero value is ready for use; a Receiver
// belongs to the goroutine that reads the leg's media.
type Receiver struct {
	events [8]event // the last ones, next is where the following goes
	next   int
	audio  int // packets of audio in a row since the last event packet
}

// event is what is known of one key: RFC 4733 section 2.5.2.1 identifies it by
// SSRC and timestamp; the code is added because some phones give several keys
// of a burst the same timestamp.
type event struct {
	used     bool
	over     bool // ended by its E bit or by audio
	code     uint8
	ssrc, ts uint32
	duration uint16 // the longest reported
}

const (
	// overAfter audio packets in a row an event that lost its end is over.
	overAfter = 3
	// forgetAfter audio packets in a row no packet of an earlier event can be
	// under way, so the key of an event may come again: some phones never
	// move the timestamp of their events.
	forgetAfter = 10
	// fullSegment is the longest segment of an event (RFC 4733 section
	// 2.5.1.3); senders stop up to segmentSlack short of it, at the last packet
	// that fits: 60 ms at 48 kHz.
	fullSegment  = 0xFFFF
	segmentSlack = 2880
)

// Packet takes the payload of a telephone-event packet with the SSRC and the
// timestamp of its RTP header. ok is true once per key press, on the first
// packet of it that arrives.
func (r *Receiver) Packet(ssrc, ts uint32, payload []byte) (digit byte, ok bool) {
	code, end, _, duration, ok := Parse(payload)
	if !ok {
		return 0, false
	}
	digit, ok = Digit(code)
	if !ok {
		return 0, false
	}
	r.audio = 0
	if e := r.find(ssrc, ts, code); e != nil {
		e.duration = max(e.duration, duration)
		e.over = e.over || end
		return 0, false
	}
	fresh := true
	if e := r.continued(ssrc, ts, code); e != nil {
		e.over, fresh = true, false
	}
	r.events[r.next] = event{used: true, over: end, code: code, ssrc: ssrc, ts: ts, duration: duration}
	r.next = (r.next + 1) % len(r.events)
	return digit, fresh
}

// Audio tells that a packet of audio arrived on the leg. A few of them in a row
// mean that the event before them is over, even if all its end packets were lost.
func (r *Receiver) Audio() {
	if r.audio >= forgetAfter {
		return
	}
	switch r.audio++; r.audio {
	case overAfter:
		for i := range r.events {
			r.events[i].over = true
		}
	case forgetAfter:
		*r = Receiver{audio: forgetAfter}
	}
}

func (r *Receiver) find(ssrc, ts uint32, code uint8) *event {
	for i := range r.events {
		e := &r.events[i]
		if e.used && e.ssrc == ssrc && e.ts == ts && e.code == code {
			return e
		}
	}
	return nil
}

// continued finds the unfinished event that the segment starting at ts goes
// on with: a key held longer than a duration can say is reported in segments,
// each with a timestamp of its own where the one before it stopped (RFC 4733
// section 2.5.1.3). The packet with the full duration may have been lost.
func (r *Receiver) continued(ssrc, ts uint32, code uint8) *event {
	for i := range r.events {
		e := &r.events[i]
		if !e.used || e.over || e.ssrc != ssrc || e.code != code {
			continue
		}
		gap := ts - e.ts
		contiguous := gap == uint32(e.duration) && gap > 0
		full := gap >= fullSegment-segmentSlack && gap <= fullSegment && gap >= uint32(e.duration)
		if contiguous || full {
			return e
		}
	}
	return nil
}
