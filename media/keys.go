package media

import (
	"time"

	"axgate/media/dtmf"
)

// doubled is within what time a telephone-event with the same digit as a tone before is the same key: gateways let the
// beginning of the tone pass before they replace it.
const doubled = int64(500 * time.Millisecond)

// audioEndsKey packets of audio in a row, a key whose end was lost is up.
const audioEndsKey = 3

// keys follows the keys that a peer presses, by telephone-event or, if asked for and the peer sends no such, by tone.
type keys struct {
	receiver dtmf.Receiver
	detector *dtmf.Detector // nil: not asked for
	events   bool           // the peer sends telephone-events: tones do not count
	kept     bool           // they are not sent on to the other side
	heardAt  int64          // the newest of them

	down  bool
	ts    uint32 // of the key that is down, or of its newest segment
	seen  int64  // its newest packet
	audio int    // packets since

	tone   byte // the digit heard last as a tone
	toneAt int64
	nextTS uint32 // where the audio ends that the detector was given, and its sequence number
	ext    int64
}

// A hole in the timestamps is a pause of the peer if its sequence has none and the hole is as long as ITU-T Q.24 wants the
// pause between two digits, or if it is longer than loss that leaves a call usable.
const (
	shortPause = 40 * sampleRate / 1000
	longPause  = 120 * sampleRate / 1000
)

func (k *keys) listen(inband bool) {
	if !inband {
		k.detector = nil
	} else if k.detector == nil {
		k.detector = new(dtmf.Detector)
	}
}

func (k *keys) detecting() bool { return k.detector != nil && !k.events }

// renegotiated tells that the peer's SDP changed.
func (k *keys) renegotiated(eventPT uint8) {
	if eventPT == 0 {
		k.events, k.down = false, false
	}
}

// key handles a telephone-event packet: it reports a new digit and makes the other side hear it anew.
func (l *leg) key(p packet, payload []byte, now int64) {
	k := &l.keys
	code, end, _, samples, ok := dtmf.Parse(payload)
	if _, digit := dtmf.Digit(code); !ok || !digit {
		return // a hook flash, or another event that is no digit
	}
	k.events, k.heardAt = true, now
	c := l.call
	other := &c.legs[l.side.other()]
	digit, fresh := k.receiver.Packet(p.ssrc, p.ts, payload)
	switch {
	case fresh:
		l.lift(0)
		crosses := c.connect[other.side] && !k.kept && other.dials()
		if digit != k.tone || now-k.toneAt > doubled {
			c.tell(Event{Kind: Digit, Side: l.side, Digit: digit, Crossed: crosses})
		}
		k.tone = 0
		k.down, k.ts = true, p.ts
		if crosses {
			other.dial(press{code: code, held: true}, now)
		}
	case k.down && int32(p.ts-k.ts) > 0:
		k.ts = p.ts // the next segment of a key held long
	}
	if !k.down || p.ts != k.ts {
		return // a repetition of a key that is up
	}
	k.seen, k.audio = now, 0
	other.dialer.heldSeen = now
	if end {
		l.lift(uint32(int64(samples) * sampleRate / l.out.clock))
	}
}

// lift notes that the key that was down is up, after so many samples of 125 µs.
func (l *leg) lift(samples uint32) {
	if !l.keys.down {
		return
	}
	l.keys.down = false
	l.call.legs[l.side.other()].dialer.lift(samples)
}

// keyDown says, for a packet of audio, whether a telephone-event is under way.
func (l *leg) keyDown(now int64) bool {
	k := &l.keys
	if !k.down {
		return false
	}
	if k.audio++; k.audio >= audioEndsKey || now-k.seen > keyLost {
		l.lift(0)
	}
	return k.down
}

// pause tells the detector that the peer sends no audio for a while: with silence suppression the pause between two digits
// is not heard.
func (k *keys) pause() {
	if k.detector != nil {
		k.detector.Pause()
	}
}

// detect looks for a digit in the audio, which is A-law. anew: it begins a sequence.
func (l *leg) detect(ts uint32, ext int64, alaw []byte, anew bool, now int64) {
	k := &l.keys
	hole := int32(ts - k.nextTS)
	if anew || hole >= longPause || hole >= shortPause && ext == k.ext+1 {
		k.pause()
	}
	k.nextTS, k.ext = ts+uint32(len(alaw)), ext
	for len(alaw) > 0 {
		n := min(len(alaw), maxFrame)
		if digit, ok := k.detector.Feed(alaw[:n]); ok {
			k.tone, k.toneAt = digit, now
			l.call.tell(Event{Kind: Digit, Side: l.side, Digit: digit, Tone: true})
		}
		alaw = alaw[n:]
	}
}
