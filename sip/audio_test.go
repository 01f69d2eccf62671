package sip

import (
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
)

// ear is the RTP side of a peer. What it says are frames of one byte each, so
// that whoever hears them knows who spoke.
type ear struct {
	t    testing.TB
	conn *net.UDPConn
	addr netip.AddrPort
	to   netip.AddrPort
	done sync.WaitGroup

	ssrc uint32
	seq  uint16
	ts   uint32

	mu    sync.Mutex
	heard map[byte]int  // G.711 packets by their first byte
	types map[uint8]int // packets by their payload type
	total int
	tones int // packets that are neither silence nor one byte
	keys  []heardKey
	seal  func([]byte) []byte         // of what it sends; nil: plain RTP
	open  func([]byte) ([]byte, bool) // of what it hears, likewise
}

// heardKey is a telephone-event: its number, and the RTP time by which its packets are one.
type heardKey struct {
	code byte
	ts   uint32
}

func newEar(t testing.TB, ip netip.Addr) *ear {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip.AsSlice()})
	require.NoError(t, err)
	e := &ear{t: t, conn: c, addr: c.LocalAddr().(*net.UDPAddr).AddrPort(), ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), ts: rand.Uint32(), heard: map[byte]int{}, types: map[uint8]int{}}
	e.done.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, _, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			e.mu.Lock()
			plain, ok := buf[:n], true
			if e.open != nil {
				plain, ok = e.open(buf[:n])
			}
			e.mu.Unlock()
			var p rtp.Packet
			if !ok || p.Unmarshal(plain) != nil || len(p.Payload) == 0 {
				continue
			}
			e.mu.Lock()
			e.total++
			e.types[p.PayloadType]++
			if k := (heardKey{p.Payload[0], p.Timestamp}); p.PayloadType == 101 && !slices.Contains(e.keys, k) {
				e.keys = append(e.keys, k)
			}
			if p.PayloadType == 8 || p.PayloadType == 0 {
				e.heard[p.Payload[0]]++
				kinds := map[byte]bool{}
				for _, b := range p.Payload {
					kinds[b] = true
				}
				if len(kinds) > 4 {
					e.tones++
				}
			}
			e.mu.Unlock()
		}
	})
	t.Cleanup(func() { _ = c.Close(); e.done.Wait() })
	return e
}

// sdp describes the ear, with lines such as a=sendonly behind.
func (e *ear) sdp(version int, lines ...string) string {
	return e.sdpAt(e.addr.Addr().String(), version, lines...)
}

func (e *ear) sdpAt(ip string, version int, lines ...string) string {
	s := fmt.Sprintf("v=0\r\no=- 77 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
		version, ip, ip, e.addr.Port())
	for _, l := range lines {
		s += l + "\r\n"
	}
	return s
}

// talksTo takes the address from a message with our SDP.
func (e *ear) talksTo(m msg) {
	e.t.Helper()
	port, _ := m.media(e.t)
	e.to = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))
}

// frame sends 20 ms.
func (e *ear) frame(b byte) {
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: e.seq, Timestamp: e.ts, SSRC: e.ssrc}, Payload: make([]byte, 160)}
	for i := range p.Payload {
		p.Payload[i] = b
	}
	e.out(&p)
	e.seq++
	e.ts += 160
}

func (e *ear) out(p *rtp.Packet) {
	raw, err := p.Marshal()
	require.NoError(e.t, err)
	e.mu.Lock()
	if e.seal != nil {
		raw = e.seal(raw)
	}
	e.mu.Unlock()
	_, _ = e.conn.WriteToUDPAddrPort(raw, e.to) // the other side may have hung up
}

// until speaks a byte until f holds.
func (e *ear) until(b byte, what string, f func() bool) {
	e.t.Helper()
	for deadline := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatalf("%s: not while %#x was said for %v", what, b, patience)
		}
		e.frame(b)
	}
}

// count is how many packets with a byte were heard.
func (e *ear) count(b byte) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.heard[b]
}

func (e *ear) hears(b byte, n int) func() bool { return func() bool { return e.count(b) >= n } }

// tone tells whether n packets of a tone were heard.
func (e *ear) tone(n int) func() bool {
	return func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.tones >= n
	}
}

func (e *ear) packets() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.total
}

// pressed gives the numbers of the telephone-events that came.
func (e *ear) pressed() (codes []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, k := range e.keys {
		codes = append(codes, k.code)
	}
	return codes
}

// press sends a key as telephone-event (RFC 4733) of 60 ms.
func (e *ear) press(keys string) {
	e.t.Helper()
	for _, k := range keys {
		code := byte(k - '0')
		switch k {
		case '*':
			code = 10
		case '#':
			code = 11
		}
		for i := range 6 {
			end := byte(10)
			if i >= 3 {
				end |= 0x80
			}
			length := uint16(160 * min(i+1, 3))
			e.out(&rtp.Packet{Header: rtp.Header{Version: 2, Marker: i == 0, PayloadType: 101, SequenceNumber: e.seq, Timestamp: e.ts, SSRC: e.ssrc},
				Payload: []byte{code, end, byte(length >> 8), byte(length)}})
			e.seq++
		}
		e.ts += 800
		time.Sleep(10 * time.Millisecond)
	}
}
