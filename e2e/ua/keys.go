package ua

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pion/rtp"
	"github.com/zaf/g711"

	"axgate/media/tone"
)

const keypad = "0123456789*#ABCD" // by event code, RFC 4733 section 3.2

// Press presses keys one after the other as telephone-events, with the payload
// type that the gate listed: 100 ms each, the last packet three times (RFC 4733
// section 2.5.1). Audio pauses meanwhile.
func (m *Media) Press(keys string) {
	m.t.Helper()
	m.mu.Lock()
	pt := m.events
	m.mu.Unlock()
	if pt == 0 {
		m.t.Fatalf("%s: no telephone-event was agreed", m.name)
	}
	m.PressAs(pt, keys)
}

// PressAs does so with a payload type of the script's choice.
func (m *Media) PressAs(pt uint8, keys string) {
	for _, key := range []byte(keys) {
		m.mu.Lock()
		sound, opaque := m.sound, m.opaque
		m.sound, m.opaque = nil, nil
		ts := m.ts
		m.mu.Unlock()
		for i := range 7 {
			step := min(i+1, 5)
			payload := []byte{byte(strings.IndexByte(keypad, key)), 10, 0, 0}
			if i >= 4 {
				payload[1] |= 0x80
			}
			binary.BigEndian.PutUint16(payload[2:], uint16(step*160))
			m.mu.Lock()
			m.out(rtp.Header{PayloadType: pt, Timestamp: ts, Marker: i == 0}, payload)
			m.mu.Unlock()
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(60 * time.Millisecond)
		m.mu.Lock()
		if m.ts-ts < 1600 || m.ts-ts > 1<<31 { // nobody counts the time if nothing is said
			m.ts = ts + 1600
		}
		m.sound, m.opaque = sound, opaque
		m.mu.Unlock()
	}
}

// PressTones presses keys in the audio: 100 ms of tones and 100 ms of silence
// each (ITU-T Q.23).
func (m *Media) PressTones(keys string) {
	clip := make([]byte, 0, len(keys)*1600)
	for _, key := range []byte(keys) {
		part := make([]byte, 800)
		tone.DTMF(key, part, 0)
		clip = append(clip, part...)
		for range 800 {
			clip = append(clip, tone.Silence)
		}
	}
	m.Speak(clip)
	time.Sleep(time.Duration(len(clip)) * time.Second / tone.Rate)
}

// Pressed waits until exactly these keys came as telephone-events, each whole:
// one time, a growing duration, a marker on the first packet, the end three
// times, and the payload type that the agent listed.
func (m *Media) Pressed(keys string) {
	m.t.Helper()
	m.until("keys "+keys, func() bool { return m.keys() == keys && m.ended() })
	if err := m.checkKeys(); err != nil {
		m.t.Fatalf("%s: %v", m.name, err)
	}
}

// KeysHeard are the keys that came as telephone-events.
func (m *Media) KeysHeard() string { return m.keys() }

type stroke struct {
	ssrc, ts uint32
	code     byte
}

// strokes are the events that came, packet by packet.
func (m *Media) strokes() (order []stroke, by map[stroke][]Packet) {
	by = make(map[stroke][]Packet)
	for _, p := range m.Packets() {
		m.mu.Lock()
		is := strings.HasPrefix(m.listed[p.PayloadType], "telephone-event")
		m.mu.Unlock()
		if !is || len(p.Payload) < 4 {
			continue
		}
		k := stroke{p.SSRC, p.Timestamp, p.Payload[0]}
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], p)
	}
	return order, by
}

func (m *Media) keys() string {
	order, _ := m.strokes()
	var keys strings.Builder
	for _, k := range order {
		if int(k.code) < len(keypad) {
			keys.WriteByte(keypad[k.code])
		}
	}
	return keys.String()
}

// ended tells whether the last packets of the last key have come.
func (m *Media) ended() bool {
	order, by := m.strokes()
	return len(order) > 0 && ends(by[order[len(order)-1]]) >= 3
}

func ends(all []Packet) int {
	n := 0
	for _, p := range all {
		if p.Payload[1]&0x80 != 0 {
			n++
		}
	}
	return n
}

func (m *Media) checkKeys() error {
	order, by := m.strokes()
	for _, k := range order {
		all := by[k]
		if !all[0].Marker {
			return fmt.Errorf("key %c begins without a marker", keypad[k.code])
		}
		if n := ends(all); n != 3 {
			return fmt.Errorf("key %c ends %d times: want three", keypad[k.code], n)
		}
		if !slices.IsSortedFunc(all, func(a, b Packet) int {
			return int(binary.BigEndian.Uint16(a.Payload[2:])) - int(binary.BigEndian.Uint16(b.Payload[2:]))
		}) {
			return fmt.Errorf("the duration of key %c does not grow", keypad[k.code])
		}
		if d := binary.BigEndian.Uint16(all[len(all)-1].Payload[2:]); d < 400 {
			return fmt.Errorf("key %c takes %d samples: 50 ms are the least", keypad[k.code], d)
		}
	}
	return nil
}

// has tells whether A-law holds little but one tone: the power at that
// frequency (Goertzel) is most of it.
func has(alaw []byte, hz int) bool {
	w := 2 * math.Pi * float64(hz) / tone.Rate
	c := 2 * math.Cos(w)
	var s1, s2, all float64
	for _, b := range alaw {
		x := float64(g711.DecodeAlawFrame(b))
		s1, s2 = x+c*s1-s2, s1
		all += x * x
	}
	power := s1*s1 + s2*s2 - c*s1*s2
	n := float64(len(alaw))
	return all/n > 100*100 && power/(n*all/2) > 0.6
}
