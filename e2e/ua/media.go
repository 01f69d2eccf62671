package ua

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"github.com/zaf/g711"

	"axgate/media/tone"
)

// Media is the audio of an agent: a pair of UDP ports for RTP and RTCP. It
// sends to where the gate's SDP says, as that says.
type Media struct {
	t    testing.TB
	name string
	rtp  *net.UDPConn
	rtcp *net.UDPConn
	done sync.WaitGroup
	stop chan struct{}

	mu        sync.Mutex
	to        netip.AddrPort
	format    uint8 // payload type of what is said
	encoding  string
	events    uint8 // payload type of events; 0: none were agreed
	clock     int
	ptime     time.Duration
	mute      bool // the gate does not want to hear
	talking   bool
	sound     func(dst []byte, pos int) // A-law
	opaque    []byte                    // a packet of another codec
	pos       int
	ssrc      uint32
	seq       uint16
	ts        uint32
	packets   []Packet
	raw       [][]byte // RTCP, and what is no RTP
	theirs    *Stream  // of the gate
	listed    map[uint8]string
	id        uint64 // of our SDP
	version   uint64
	described string
}

// Packet is one of RTP as it came.
type Packet struct {
	At   time.Time
	From netip.AddrPort
	rtp.Header
	Payload []byte
	Raw     []byte
}

// OpenMedia opens audio at an address, closed at the end of the test: that of
// an agent, or a third source.
func OpenMedia(t testing.TB, name string, at netip.Addr) *Media { return openMedia(t, name, at) }

func openMedia(t testing.TB, name string, at netip.Addr) *Media {
	t.Helper()
	m := &Media{t: t, name: name, stop: make(chan struct{}), ptime: 20 * time.Millisecond, format: 8, encoding: "PCMA/8000", clock: 8000,
		ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), ts: rand.Uint32(), id: uint64(rand.Uint32()), version: uint64(rand.Uint32N(1000)), listed: map[uint8]string{8: "PCMA/8000"}}
	for m.rtcp == nil {
		a, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.AsSlice()})
		require.NoError(t, err)
		port := a.LocalAddr().(*net.UDPAddr).Port
		b, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.AsSlice(), Port: port + 1})
		if port%2 != 0 || err != nil {
			_ = a.Close()
			if err == nil {
				_ = b.Close()
			}
			continue
		}
		m.rtp, m.rtcp = a, b
	}
	m.done.Go(m.readRTP)
	m.done.Go(m.readRTCP)
	t.Cleanup(m.shut)
	return m
}

func (m *Media) shut() {
	close(m.stop)
	_ = m.rtp.Close()
	_ = m.rtcp.Close()
	m.done.Wait()
}

// Port is that of RTP.
func (m *Media) Port() int { return m.rtp.LocalAddr().(*net.UDPAddr).Port }

// Heard is everything that came to both ports, packet by packet.
func (m *Media) Heard() [][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Clone(m.raw)
	for _, p := range m.packets {
		all = append(all, p.Raw)
	}
	return all
}

func (m *Media) readRTP() {
	buf := make([]byte, 2048)
	for {
		n, from, err := m.rtp.ReadFromUDPAddrPort(buf)
		select {
		case <-m.stop:
			return
		default:
		}
		if err != nil {
			continue // what we sent reached nobody
		}
		raw := slices.Clone(buf[:n])
		var p rtp.Packet
		m.mu.Lock()
		if err := p.Unmarshal(raw); err != nil || n > 1 && raw[1] >= 192 && raw[1] <= 223 {
			m.raw = append(m.raw, raw)
		} else {
			m.packets = append(m.packets, Packet{time.Now(), from, p.Header, p.Payload, raw})
		}
		m.mu.Unlock()
	}
}

func (m *Media) readRTCP() {
	buf := make([]byte, 2048)
	for {
		n, _, err := m.rtcp.ReadFromUDPAddrPort(buf)
		select {
		case <-m.stop:
			return
		default:
		}
		if err == nil {
			m.mu.Lock()
			m.raw = append(m.raw, slices.Clone(buf[:n]))
			m.mu.Unlock()
		}
	}
}

// follow takes what the gate's description says of what it wants to hear: the
// first format that is ours too, its packet time, its number for events of the
// clock of that format (RFC 3264 section 5.1, RFC 4733 section 2.4.1).
func (m *Media) follow(d *Desc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.theirs = d.Audio(); m.theirs.Port != 0 {
		m.agree()
	}
}

// agree works out what is sent, from what both described; under the lock.
func (m *Media) agree() {
	s := m.theirs
	m.to = netip.AddrPortFrom(s.IP, uint16(s.Port))
	m.mute = s.Direction == "sendonly" || s.Direction == "inactive" || s.IP.IsUnspecified()
	for _, f := range s.Formats {
		name := s.Maps[f]
		if name == "" {
			name = static[f]
		}
		if name != "" && name != "CN/8000" && !bytes.Contains([]byte(name), []byte("telephone-event")) && m.knows(name) {
			m.format, m.encoding = uint8(f), name
			break
		}
	}
	m.clock = 8000
	if e := s.Format(fmt.Sprintf("telephone-event/%d", m.clock)); e > 0 {
		m.events = uint8(e)
	} else {
		m.events = 0
	}
	if s.Ptime > 0 {
		m.ptime = time.Duration(s.Ptime) * time.Millisecond
	}
}

func (m *Media) knows(encoding string) bool {
	for _, name := range m.listed {
		if name == encoding {
			return true
		}
	}
	return false
}

// Continue takes over what another has agreed on: where to send, and as what.
func (m *Media) Continue(other *Media) {
	other.mu.Lock()
	to, format, encoding, events, ptime, id, version := other.to, other.format, other.encoding, other.events, other.ptime, other.id, other.version
	other.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.to, m.format, m.encoding, m.events, m.ptime, m.id, m.version = to, format, encoding, events, ptime, id, version
}

// Host is the address of the sockets.
func (m *Media) Host() netip.Addr { return m.rtp.LocalAddr().(*net.UDPAddr).AddrPort().Addr() }

// Aim sends audio elsewhere than SDP said, or from a third source.
func (m *Media) Aim(to netip.AddrPort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.to = to
}

// SendsTo is where audio is sent.
func (m *Media) SendsTo() netip.AddrPort {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.to
}

// Pace is how much audio a packet has, whatever the gate wants.
func (m *Media) Pace(ptime time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ptime = ptime
}

// NewSource goes on as another device: SSRC, sequence and time begin anew.
func (m *Media) NewSource() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ssrc, m.seq, m.ts = rand.Uint32(), uint16(rand.Uint32()), rand.Uint32()
}

// Say says a tone of that frequency from now on.
func (m *Media) Say(hz int) {
	p, err := tone.New(hz, -10, time.Second, 0)
	require.NoError(m.t, err)
	m.play(p.Frame, nil)
}

// Speak says a clip of A-law, and silence after it.
func (m *Media) Speak(clip []byte) {
	m.play(func(dst []byte, pos int) {
		for i := range dst {
			if dst[i] = tone.Silence; pos+i < len(clip) {
				dst[i] = clip[pos+i]
			}
		}
	}, nil)
}

// Send sends one payload of another codec again and again.
func (m *Media) SendPayload(payload []byte) { m.play(nil, payload) }

// Hush says nothing from now on: no packets.
func (m *Media) Hush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sound, m.opaque = nil, nil
}

func (m *Media) play(sound func([]byte, int), opaque []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sound, m.opaque, m.pos = sound, opaque, 0
	if !m.talking {
		m.talking = true
		m.done.Go(m.talk)
	}
}

// talk sends packets at their pace until the end.
func (m *Media) talk() {
	next := time.Now()
	for {
		m.mu.Lock()
		pace := m.ptime
		m.mu.Unlock()
		select {
		case <-m.stop:
			return
		case <-time.After(time.Until(next)):
		}
		m.mu.Lock()
		m.packet()
		m.mu.Unlock()
		if next = next.Add(pace); time.Since(next) > 200*time.Millisecond {
			next = time.Now()
		}
	}
}

// packet sends the next one, under the lock.
func (m *Media) packet() {
	samples := int(m.ptime / (time.Second / tone.Rate))
	payload := m.opaque
	if m.sound != nil {
		payload = make([]byte, samples)
		m.sound(payload, m.pos)
		if m.encoding == "PCMU/8000" {
			payload = g711.Alaw2Ulaw(payload)
		}
	}
	if payload != nil && m.to.IsValid() && !m.mute {
		m.out(rtp.Header{PayloadType: m.format, Timestamp: m.ts}, payload)
	}
	m.pos += samples
	m.ts += uint32(samples)
}

func (m *Media) out(h rtp.Header, payload []byte) {
	h.Version, h.SSRC, h.SequenceNumber = 2, m.ssrc, m.seq
	raw, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err == nil {
		_, _ = m.rtp.WriteToUDPAddrPort(raw, m.to) // the other side may have hung up
	}
	m.seq++
}
