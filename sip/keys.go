package sip

import (
	"time"

	"axgate/sip/trunk"
)

// keyMethod is how a leg's digits come; one is believed at a time, since some
// trunks send each digit twice.
type keyMethod int

const (
	byNothing keyMethod = iota
	byAudio             // RFC 4733 events or tones
	byInfo
)

// keysRest is how long the way that is believed must be silent before another
// one is. Who sends a digit twice does so in much less.
const keysRest = 3 * time.Second

// keysBy tells whether a digit that came this way counts: where the trunk says
// nothing, the first way to deliver one does, and another if that falls silent.
func (c *call) keysBy(l *leg, m keyMethod) bool {
	switch l.digits() {
	case trunk.Events, trunk.Tones:
		return m == byAudio
	case trunk.Info:
		return m == byInfo
	}
	now := time.Now()
	if l.keys != m {
		if l.keys != byNothing && now.Sub(l.keysAt) < keysRest || !c.turn(l, m) {
			return false
		}
		l.keys = m
	}
	l.keysAt = now
	return true
}

// turn lets the engine send a leg's telephone-events on, or no longer. It is
// false if INFO overtook a telephone-event of the same key, which counts.
func (c *call) turn(l *leg, to keyMethod) bool {
	if to == byAudio {
		c.media.Cross(l.side, true)
		return true
	}
	if c.media.Cross(l.side, false) < keysRest {
		c.media.Cross(l.side, true)
		return false
	}
	return true
}

// hearsTones tells whether keys are looked for in the leg's audio: where the
// trunk says so, or where nothing better was agreed.
func (l *leg) hearsTones() bool {
	switch l.digits() {
	case trunk.Tones:
		return true
	case trunk.Events, trunk.Info:
		return false
	}
	return l.agreed.RecvEventPT == 0
}

func (l *leg) digits() trunk.DTMF {
	if l.trunk == nil {
		return trunk.Auto
	}
	return l.trunk.DTMF
}
