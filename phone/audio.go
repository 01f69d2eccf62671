package phone

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/zaf/g711"

	"axgate/media/dtmf"
	"axgate/phone/timeline"
)

const (
	rate    = 8000
	frame   = rate / 50 // samples of 20 ms
	silence = 0xD5
)

// payloadTypes are the static payload types of the codecs (RFC 3551 table 4).
var payloadTypes = map[string]uint8{"PCMU": 0, "PCMA": 8}

// audio is the media of one call: an RTP and an RTCP socket, a sender that
// never pauses, and what was heard.
type audio struct {
	rtp, rtcp *net.UDPConn
	stop      chan struct{}
	once      sync.Once
	wait      sync.WaitGroup

	mu      sync.Mutex
	peer    netip.AddrPort // not valid: nothing is sent
	pt      uint8          // of what is sent
	eventPT uint8          // of telephone events, as the peer listed it; 0: it takes none
	ours    uint8          // of telephone events, as we listed it
	muted   bool
	queue   []*sound
	pressed []Digit
	dtmf    dtmf.Receiver
	line    *timeline.Line
	began   bool     // the first packet went out
	sealed  *sealing // nil: plain RTP

	// The sender's own.
	packet    rtp.Packet
	cname     string
	sent      uint32
	sentBytes uint32
}

// Digit is a key that the other party pressed.
type Digit struct {
	At  time.Time
	Key byte // 0-9 * # A-D
	By  Keys // Events or Info
}

// openAudio takes a port pair: RTP on an even port, RTCP on the next.
func openAudio(ip string, secure bool) (*audio, error) {
	a := &audio{stop: make(chan struct{}), cname: token(), line: timeline.New(time.Now())}
	var err error
	if secure {
		if a.sealed, err = newSealing(); err != nil {
			return nil, err
		}
	}
	for range 200 {
		if err = a.listen(ip); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open an RTP port pair on %s: %w", ip, err)
	}
	// Whoever hears the stream later finds its roll-over counter at 0 (RFC 3711 section 3.3.1), hence the half.
	a.packet = rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(rand.Uint32() >> 17), Timestamp: rand.Uint32(), SSRC: rand.Uint32()}}
	a.wait.Go(a.hear)
	a.wait.Go(a.hearReports)
	a.wait.Go(a.talk)
	return a, nil
}

func (a *audio) listen(ip string) error {
	addr := net.ParseIP(ip)
	first, err := net.ListenUDP("udp", &net.UDPAddr{IP: addr})
	if err != nil {
		return err
	}
	port := first.LocalAddr().(*net.UDPAddr).Port
	if port%2 == 1 {
		_ = first.Close()
		return errors.New("got an odd port")
	}
	second, err := net.ListenUDP("udp", &net.UDPAddr{IP: addr, Port: port + 1})
	if err != nil {
		_ = first.Close()
		return err
	}
	a.rtp, a.rtcp = first, second
	return nil
}

func (a *audio) local() netip.AddrPort { return addrPort(a.rtp.LocalAddr()) }

// agree applies what SDP settled.
func (a *audio) agree(peer netip.AddrPort, pt, eventPT, ours uint8, muted bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.peer, a.pt, a.eventPT, a.ours, a.muted = peer, pt, eventPT, ours, muted
}

// believe takes the peer's key, if audio is sealed.
func (a *audio) believe(c crypto) error {
	if a.sealed == nil {
		return nil
	}
	if c.key == nil {
		return errNoKey
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sealed.believe(c.key)
}

// mute stops or resumes sending altogether.
func (a *audio) mute(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.muted = on
}

// close ends the sockets and all goroutines. It does not forget what was heard.
func (a *audio) close() {
	a.once.Do(func() {
		close(a.stop)
		_ = a.rtp.Close()
		_ = a.rtcp.Close()
	})
	a.wait.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.queue {
		close(s.done)
	}
	a.queue = nil
}

func (a *audio) hear() {
	buf := make([]byte, 2048)
	for {
		n, _, err := a.rtp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		a.mu.Lock()
		packet := buf[:n]
		if a.sealed != nil {
			packet = a.sealed.open(packet)
		}
		var p rtp.Packet
		if p.Unmarshal(packet) == nil {
			a.received(&p, time.Now())
		}
		a.mu.Unlock()
	}
}

func (a *audio) received(p *rtp.Packet, now time.Time) {
	switch pt := p.PayloadType; {
	case pt == payloadTypes["PCMA"] || pt == payloadTypes["PCMU"]:
		a.dtmf.Audio()
		a.line.Packet(&p.Header, alaw(pt, p.Payload), now)
	case a.ours != 0 && pt == a.ours:
		a.line.Packet(&p.Header, nil, now)
		if key, ok := a.dtmf.Packet(p.SSRC, p.Timestamp, p.Payload); ok {
			a.press(Digit{At: now, Key: key, By: Events})
		}
	default:
		a.line.Packet(&p.Header, nil, now)
	}
}

// maxDigits bounds the remembered key presses of one call.
const maxDigits = 1000

func (a *audio) press(d Digit) {
	if len(a.pressed) < maxDigits {
		a.pressed = append(a.pressed, d)
	}
}

// hearReports empties the RTCP socket.
func (a *audio) hearReports() {
	buf := make([]byte, 2048)
	for {
		if _, _, err := a.rtcp.ReadFromUDPAddrPort(buf); errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// talk sends a packet every 20 ms and a report every 5 s.
func (a *audio) talk() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	start, n := time.Now(), 0
	for {
		select {
		case <-a.stop:
			return
		case <-tick.C:
		}
		// A late tick is made up for, so that the stream keeps real time.
		for due := int(time.Since(start) / (20 * time.Millisecond)); n < due; n++ {
			a.send()
			if n%250 == 0 {
				a.report()
			}
		}
	}
}

// send sends the next 20 ms and moves the clock.
func (a *audio) send() {
	a.mu.Lock()
	peer, muted := a.peer, a.muted
	if !peer.IsValid() {
		a.mu.Unlock()
		return
	}
	out := outgoing{audio: make([]byte, frame)}
	a.next(&out)
	pt, eventPT := a.pt, a.eventPT
	begins := !a.began
	a.began = true
	a.mu.Unlock()

	clock := a.packet.Timestamp
	if !muted && peer.Port() != 0 {
		a.packet.Marker = begins || out.marker
		if out.event != nil {
			a.packet.PayloadType, a.packet.Timestamp = eventPT, clock-out.back
			for range out.times {
				a.write(peer, out.event)
				a.packet.Marker = false
			}
		} else {
			a.packet.PayloadType = pt
			payload := out.audio
			if pt == payloadTypes["PCMU"] {
				payload = g711.Alaw2Ulaw(payload)
			}
			a.write(peer, payload)
		}
	}
	a.packet.Timestamp = clock + frame
}

func (a *audio) write(peer netip.AddrPort, payload []byte) {
	a.packet.Payload = payload
	raw, err := a.packet.Marshal()
	if err == nil && a.sealed != nil {
		raw, err = a.sealed.out.EncryptRTP(nil, raw, nil)
	}
	if err == nil {
		_, _ = a.rtp.WriteToUDPAddrPort(raw, peer) // a peer that is gone is no fault of ours
	}
	a.packet.SequenceNumber++
	a.sent++
	a.sentBytes += uint32(len(payload))
}

// report sends a sender report (RFC 3550 section 6.4.1) with a CNAME that says
// nothing of who we are.
func (a *audio) report() {
	a.mu.Lock()
	peer, muted := a.peer, a.muted
	a.mu.Unlock()
	if muted || !peer.IsValid() || peer.Port() == 0 || peer.Port() == 65535 {
		return
	}
	now := time.Now()
	seconds := uint64(now.Unix() + 2208988800) // NTP counts from 1900
	ntp := seconds<<32 | uint64(now.Nanosecond())<<32/1e9
	raw, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: a.packet.SSRC, NTPTime: ntp, RTPTime: a.packet.Timestamp, PacketCount: a.sent, OctetCount: a.sentBytes},
		rtcp.NewCNAMESourceDescription(a.packet.SSRC, a.cname),
	})
	if err == nil && a.sealed != nil {
		raw, err = a.sealed.out.EncryptRTCP(nil, raw, nil)
	}
	if err == nil {
		_, _ = a.rtcp.WriteToUDPAddrPort(raw, netip.AddrPortFrom(peer.Addr(), peer.Port()+1))
	}
}

// play queues a sound and waits until it was sent.
func (a *audio) play(ctx context.Context, s *sound) error {
	s.done = make(chan struct{})
	a.mu.Lock()
	select {
	case <-a.stop:
		a.mu.Unlock()
		return errEnded
	default:
	}
	a.queue = append(a.queue, s)
	a.mu.Unlock()
	select {
	case <-s.done:
	case <-ctx.Done():
		a.drop(s)
		return ctx.Err()
	}
	select {
	case <-a.stop:
		return errEnded
	default:
		return nil
	}
}

func (a *audio) drop(s *sound) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, q := range a.queue {
		if q == s {
			a.queue = append(a.queue[:i], a.queue[i+1:]...)
			return
		}
	}
}

// alaw gives the A-law of a G.711 payload.
func alaw(payloadType uint8, payload []byte) []byte {
	if payloadType == payloadTypes["PCMU"] {
		return g711.Ulaw2Alaw(payload)
	}
	return payload
}
