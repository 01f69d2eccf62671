package sip

import "axgate/sip/trunk"

// keyMethod is how a leg's digits come; the first to deliver one is the only
// one believed, since some trunks send each digit twice.
type keyMethod int

const (
	byNothing keyMethod = iota
	byAudio             // RFC 4733 events or tones
	byInfo
)

// keysBy tells whether a digit that came this way counts.
func (l *leg) keysBy(m keyMethod) bool {
	switch l.digits() {
	case trunk.Events, trunk.Tones:
		return m == byAudio
	case trunk.Info:
		return m == byInfo
	}
	if l.keys == byNothing {
		l.keys = m
	}
	return l.keys == m
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
