package ua

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/zaf/g711"

	"axgate/phone/hear"
)

// Packets are those of RTP that came.
func (m *Media) Packets() []Packet { return m.since(0) }

// Mark is how many packets of RTP have come so far.
func (m *Media) Mark() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.packets)
}

// since are the packets behind a mark.
func (m *Media) since(mark int) []Packet {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.packets[mark:])
}

// Missing counts the packets that are missing between the first and the last
// that came, and the sources that they are of.
func (m *Media) Missing() (packets, sources int) {
	last := make(map[uint32]uint16)
	for _, p := range m.Packets() {
		if before, ok := last[p.SSRC]; ok {
			packets += int(int16(p.SequenceNumber-before)) - 1
		}
		last[p.SSRC] = p.SequenceNumber
	}
	return packets, len(last)
}

// samples is what a packet says, in A-law; nil if it is no G.711.
func (m *Media) samples(p Packet) []byte {
	switch m.listed[p.PayloadType] {
	case "PCMA/8000":
		return p.Payload
	case "PCMU/8000":
		return g711.Ulaw2Alaw(p.Payload)
	}
	return nil
}

// Hears waits until a tone is heard that is sent from now on: in five packets,
// in the law that was agreed.
func (m *Media) Hears(hz int) {
	m.t.Helper()
	from := m.Mark()
	m.until(fmt.Sprintf("a tone of %d Hz", hz), func() bool { return m.count(from, hz) >= 5 })
}

// HearsNot makes sure that a tone is not heard for a while.
func (m *Media) HearsNot(hz int, d time.Duration) {
	m.t.Helper()
	from := m.Mark()
	time.Sleep(d)
	if n := m.count(from, hz); n > 0 {
		m.t.Fatalf("%s hears %d packets with a tone of %d Hz, which is not for it", m.name, n, hz)
	}
}

// Stops waits until a tone is not heard any more, for 300 ms.
func (m *Media) Stops(hz int) {
	m.t.Helper()
	m.until(fmt.Sprintf("the end of a tone of %d Hz", hz), func() bool {
		from := m.Mark()
		time.Sleep(300 * time.Millisecond)
		return m.count(from, hz) == 0
	})
}

func (m *Media) count(from, hz int) int {
	n := 0
	for _, p := range m.since(from) {
		m.mu.Lock()
		heard := m.samples(p)
		m.mu.Unlock()
		if len(heard) >= 80 && has(heard, hz) {
			n++
		}
	}
	return n
}

// HearsSpeech waits until a clip of A-law is heard.
func (m *Media) HearsSpeech(clip []byte) {
	m.t.Helper()
	m.until("speech", func() bool {
		peak, _ := hear.Correlate(m.HeardSince(0), clip)
		return peak > 0.6
	})
}

// HeardSince is what was heard behind a mark, packet after packet, in A-law.
func (m *Media) HeardSince(mark int) []byte {
	var all []byte
	for _, p := range m.since(mark) {
		m.mu.Lock()
		all = append(all, m.samples(p)...)
		m.mu.Unlock()
	}
	return all
}

// HearsPayload waits until a payload of another codec comes as it is.
func (m *Media) HearsPayload(payload []byte) {
	m.t.Helper()
	from := m.Mark()
	m.until(fmt.Sprintf("payload %x", payload), func() bool {
		n := 0
		for _, p := range m.since(from) {
			if bytes.Equal(p.Payload, payload) {
				n++
			}
		}
		return n >= 5
	})
}

// Paced waits until packets come that have that much audio each.
func (m *Media) Paced(samples int) {
	m.t.Helper()
	from := m.Mark()
	m.until(fmt.Sprintf("packets of %d samples", samples), func() bool {
		n := 0
		all := m.since(from)
		for i := 1; i < len(all); i++ {
			if len(all[i].Payload) == samples && all[i].Timestamp-all[i-1].Timestamp == uint32(samples) {
				n++
			}
		}
		return n >= 5
	})
}

func (m *Media) until(what string, f func() bool) {
	m.t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			all := m.Packets()
			last := ""
			if n := len(all); n > 0 {
				last = fmt.Sprintf(", the last of payload type %d from %v", all[n-1].PayloadType, all[n-1].From)
			}
			m.t.Fatalf("%s waits in vain for %s; it heard %d packets%s", m.name, what, len(all), last)
		}
	}
}
