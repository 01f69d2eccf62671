package media

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var localhost = netip.MustParseAddr("127.0.0.1")

// patience is how long a test waits for what must come; it is never waited out by a test that passes.
const patience = 20 * time.Second

// openEngine opens an engine on a free part of the port range, and checks when the test ends that no descriptor is left.
func openEngine(t testing.TB, change ...func(*Config)) *Engine {
	t.Helper()
	warm, err := net.ListenUDP("udp", nil) // the runtime's own poller stays open from here on
	require.NoError(t, err)
	require.NoError(t, warm.Close())
	before := descriptors(t)
	cfg := Config{IP: localhost, PortMin: 20000, PortMax: 29999, Quarantine: time.Millisecond}
	for _, f := range change {
		f(&cfg)
	}
	e, err := Open(cfg, zerolog.New(zerolog.NewTestWriter(t)))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, e.Close())
		require.Equal(t, before, descriptors(t), "open descriptors")
	})
	return e
}

func descriptors(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(all)
}

// eventually polls until f holds.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// heardPacket is a packet that a phone received.
type heardPacket struct {
	rtp.Packet
	at   time.Time // when the kernel took it
	from netip.AddrPort
}

// phone is a peer of one leg: a pair of sockets, one sending stream, and all that was received.
type phone struct {
	t            testing.TB
	rtp, control *net.UDPConn
	target       netip.AddrPort // of RTP
	codec        Codec
	ssrc         uint32
	seq          uint16
	ts           uint32
	done         sync.WaitGroup

	mu      sync.Mutex
	packets []heardPacket
	reports [][]byte
}

// newPhone makes a phone on an even port and the one above.
func newPhone(t testing.TB, codec Codec) *phone {
	t.Helper()
	for {
		if p := listen(t, codec, netip.AddrPortFrom(localhost, 0)); p != nil {
			return p
		}
	}
}

// newPhoneAt makes a phone on a certain port.
func newPhoneAt(t testing.TB, codec Codec, at netip.AddrPort) *phone {
	t.Helper()
	p := listen(t, codec, at)
	require.NotNil(t, p, "%v is taken", at)
	return p
}

func listen(t testing.TB, codec Codec, at netip.AddrPort) *phone {
	t.Helper()
	p := &phone{t: t, codec: codec, ssrc: rand.Uint32(), seq: 65530, ts: 0xFFFFF000}
	var err error
	p.rtp, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	require.NoError(t, err)
	port := p.addr().Port()
	p.control, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), port+1)))
	if err != nil || port%2 == 1 {
		_ = p.rtp.Close()
		if err == nil {
			_ = p.control.Close()
		}
		return nil
	}
	kernelTimes(t, p.rtp)
	p.done.Go(func() {
		buf, oob := make([]byte, 2048), make([]byte, 128)
		for {
			n, extra, _, from, err := p.rtp.ReadMsgUDPAddrPort(buf, oob)
			if err != nil {
				return
			}
			h := heardPacket{at: arrival(t, oob[:extra]), from: from}
			if h.Unmarshal(append([]byte(nil), buf[:n]...)) != nil {
				t.Errorf("not RTP: %x", buf[:n])
				return
			}
			p.mu.Lock()
			p.packets = append(p.packets, h)
			p.mu.Unlock()
		}
	})
	p.done.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, _, err := p.control.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.reports = append(p.reports, append([]byte(nil), buf[:n]...))
			p.mu.Unlock()
		}
	})
	t.Cleanup(p.hangUp)
	return p
}

// kernelTimes lets the kernel note when datagrams arrive: the test itself may be late on a busy machine.
func kernelTimes(t testing.TB, c *net.UDPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) }))
	require.NoError(t, err)
}

func arrival(t testing.TB, oob []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 || len(messages[0].Data) < 16 {
		t.Errorf("no time of arrival: %v %v", messages, err)
		return time.Now()
	}
	data := messages[0].Data
	return time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
}

func (p *phone) hangUp() {
	_ = p.rtp.Close()
	_ = p.control.Close()
	p.done.Wait()
}

func (p *phone) addr() netip.AddrPort { return p.rtp.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *phone) pt() uint8 {
	if p.codec == PCMU {
		return 0
	}
	return 8
}

const eventPT = 101

// stream is what the phone's SDP would say.
func (p *phone) stream() Stream {
	return Stream{RTP: p.addr(), Codec: p.codec, SendPT: p.pt(), RecvPT: p.pt(), SendEventPT: eventPT, RecvEventPT: eventPT,
		Send: true, Receive: true}
}

// packet is the phone's next packet of audio.
func (p *phone) packet(payload []byte) *rtp.Packet {
	pk := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: p.pt(), SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc},
		Payload: payload}
	p.seq++
	p.ts += uint32(len(payload))
	return pk
}

func (p *phone) send(pk *rtp.Packet) {
	p.t.Helper()
	b, err := pk.Marshal()
	require.NoError(p.t, err)
	p.sendRaw(b)
}

func (p *phone) sendRaw(b []byte) {
	p.t.Helper()
	_, err := p.rtp.WriteToUDPAddrPort(b, p.target)
	require.NoError(p.t, err)
}

// talk sends n packets of 20 ms that hold the sample, 20 ms apart.
func (p *phone) talk(n int, sample byte) {
	p.t.Helper()
	next := time.Now()
	for range n {
		p.send(p.packet(frameOf(sample, 160)))
		next = next.Add(20 * time.Millisecond)
		time.Sleep(time.Until(next))
	}
}

// key is one telephone-event packet at the present timestamp.
func (p *phone) key(code uint8, marker, end bool, samples uint16) *rtp.Packet {
	pk := p.packet(nil)
	pk.PayloadType, pk.Marker = eventPT, marker
	pk.Payload = binary.BigEndian.AppendUint16([]byte{code, 10}, samples)
	if end {
		pk.Payload[1] |= 0x80
	}
	return pk
}

// heard is all that came so far.
func (p *phone) heard() []heardPacket {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]heardPacket(nil), p.packets...)
}

// hears waits until a packet came that f accepts.
func (p *phone) hears(what string, f func(heardPacket) bool) (found heardPacket) {
	p.t.Helper()
	eventually(p.t, what, func() bool {
		for _, h := range p.heard() {
			if f(h) {
				found = h
				return true
			}
		}
		return false
	})
	return found
}

// control returns the RTCP datagrams that came so far.
func (p *phone) controls() [][]rtcp.Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all [][]rtcp.Packet
	for _, b := range p.reports {
		packets, err := rtcp.Unmarshal(b)
		require.NoError(p.t, err)
		all = append(all, packets)
	}
	return all
}

func frameOf(sample byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = sample
	}
	return b
}

func has(sample byte) func(heardPacket) bool {
	return func(h heardPacket) bool {
		return len(h.Payload) > 0 && h.PayloadType != eventPT && h.Payload[0] == sample
	}
}

// join reserves a leg, points it to the phone and tells the phone our port.
func join(t testing.TB, c *Call, side Side, p *phone, change ...func(*Stream)) {
	t.Helper()
	port, err := c.Reserve(side)
	require.NoError(t, err)
	p.target = netip.AddrPortFrom(localhost, port)
	s := p.stream()
	for _, f := range change {
		f(&s)
	}
	require.NoError(t, c.Point(side, s))
}

// event waits for the next event of a call.
func event(t testing.TB, c *Call) Event {
	t.Helper()
	select {
	case e, open := <-c.Events():
		require.True(t, open, "events closed")
		return e
	case <-time.After(patience):
		t.Fatal("no event came")
		return Event{}
	}
}

// quietly checks that no event waits, after the worker has done all that it was told.
func quietly(t testing.TB, c *Call) {
	t.Helper()
	settle(t, c)
	select {
	case e := <-c.Events():
		t.Fatalf("unexpected event: %+v", e)
	default:
	}
}

// settle waits until the worker has carried out all commands so far.
func settle(t testing.TB, c *Call) {
	t.Helper()
	reached := make(chan struct{})
	require.True(t, c.worker.enqueue(func() { close(reached) }))
	<-reached
}

// ask reads the worker's state of a call, on the worker.
func ask[T any](t testing.TB, c *Call, f func() T) T {
	t.Helper()
	answer := make(chan T, 1)
	require.True(t, c.worker.enqueue(func() { answer <- f() }))
	return <-answer
}

// received waits until a leg has taken n valid packets.
func received(t testing.TB, c *Call, side Side, n uint64) {
	t.Helper()
	eventually(t, "packets arrive", func() bool {
		return ask(t, c, func() uint64 { return c.legs[side].in.Received() }) >= n
	})
}

// requireOneStream checks that what a phone heard is one RTP stream without a hole: one SSRC, sequence numbers that go up
// by one, timestamps that never run back and stay near the wall clock.
func requireOneStream(t testing.TB, heard []heardPacket) {
	t.Helper()
	require.NotEmpty(t, heard)
	first := heard[0]
	for i, h := range heard {
		require.Equal(t, first.SSRC, h.SSRC, "SSRC of packet %d", i)
		if i == 0 {
			require.True(t, h.Marker, "the first packet begins a talk-spurt")
			continue
		}
		before := heard[i-1]
		require.Equal(t, before.SequenceNumber+1, h.SequenceNumber, "sequence at packet %d", i)
		step := int32(h.Timestamp - before.Timestamp)
		if before.PayloadType == eventPT || h.PayloadType == eventPT {
			require.GreaterOrEqual(t, step, int32(0), "timestamp at packet %d", i)
		} else {
			require.GreaterOrEqual(t, step, int32(len(before.Payload)), "timestamp at packet %d", i)
			if step > int32(len(before.Payload)) {
				require.True(t, h.Marker, "packet %d follows a pause", i)
			}
		}
		elapsed := h.at.Sub(first.at).Seconds() * sampleRate
		clock := h.Timestamp - first.Timestamp
		if h.PayloadType == eventPT { // an event keeps its beginning and tells how long it has lasted
			clock += uint32(binary.BigEndian.Uint16(h.Payload[2:]))
		}
		late := elapsed - float64(int32(clock)) // on a busy machine a packet may be late, a peer's by up to clockJump, but none is early
		require.Greater(t, late, -0.3*sampleRate, "clock at packet %d", i)
		require.Less(t, late, float64(clockJump*sampleRate), "clock at packet %d", i)
	}
}
