package media

import (
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/media/record"
	"axgate/media/udp"
)

// path is a bridged call whose worker does not run: a test does the worker's work, packet by packet.
type path struct {
	w    *worker
	c    *Call
	a, b *udp.Socket // the phones
	toA  udp.Destination
	pkt  [headerSize + 160]byte
	seq  uint16
	in   [datagramSize]byte
	read uint32 // packets that hearing has read
}

func newPath(t testing.TB, codecA, codecB Codec) *path {
	t.Helper()
	e := &Engine{cfg: Config{IP: localhost, PortMin: 30000, PortMax: 30999}}
	require.NoError(t, e.cfg.complete())
	w, err := newWorker(e, zerolog.Nop())
	require.NoError(t, err)
	p := &path{w: w, c: newCall(w)}
	socket := func() (*udp.Socket, netip.AddrPort) {
		s, err := udp.Open(netip.AddrPortFrom(localhost, 0))
		require.NoError(t, err)
		name, err := unix.Getsockname(s.FD())
		require.NoError(t, err)
		return s, netip.AddrPortFrom(localhost, uint16(name.(*unix.SockaddrInet4).Port))
	}
	var phones [2]*udp.Socket
	for side, codec := range [2]Codec{codecA, codecB} {
		l := &p.c.legs[side]
		phone, at := socket()
		phones[side] = phone
		rtp, here := socket()
		control, _ := socket()
		require.NoError(t, w.watch(rtp))
		l.open(rtp, control, here.Port())
		s := Stream{RTP: at, Codec: codec, SendPT: 8, RecvPT: 8, SendEventPT: 101, RecvEventPT: 101, Send: true, Receive: true}
		require.NoError(t, s.complete(localhost))
		l.point(s, w.now())
		l.quiet()
		if Side(side) == Caller {
			p.toA = udp.Addr(here)
		}
	}
	p.a, p.b = phones[0], phones[1]
	p.c.connect = [2]bool{true, true}
	t.Cleanup(func() {
		for side := range p.c.legs {
			l := &p.c.legs[side]
			w.drop(&l.rtp)
			w.drop(&l.control)
		}
		_, _ = p.a.Close(), p.b.Close()
		w.free()
	})
	p.hearing(t) // silence
	return p
}

// put sends a packet of the caller's phone.
func (p *path) put(pt uint8, payload []byte) {
	putHeader(p.pkt[:], pt, false, p.seq, uint32(p.seq)*160, 7)
	n := headerSize + copy(p.pkt[headerSize:], payload)
	p.seq++
	p.a.SendTo(p.pkt[:n], &p.toA)
}

// record records the call; it gives the file that will be.
func (p *path) record(t testing.TB) string {
	t.Helper()
	writer := record.Open(record.WriterOptions{})
	dir := t.TempDir()
	tape, err := writer.Create(record.Options{Dir: dir, Name: "a.wav"})
	require.NoError(t, err)
	p.c.rec = tape
	t.Cleanup(func() {
		_, err := tape.Close(time.Now())
		require.NoError(t, err)
		require.NoError(t, writer.Close())
	})
	return filepath.Join(dir, "a.wav")
}

// arrive lets a packet of a phone be received at an instant that the test chooses.
func (p *path) arrive(t testing.TB, side Side, pk *rtp.Packet, at int64) {
	t.Helper()
	n, err := pk.MarshalTo(p.w.in[:])
	require.NoError(t, err)
	l := &p.c.legs[side]
	l.received(p.w.in[:n], l.stream.RTP, at)
}

// pass serves the packets due until an instant, each in its time.
func (p *path) pass(until int64) {
	for due := p.w.timers.due(until); due != nil; due = p.w.timers.due(until) {
		if due.kind == tickTimer {
			due.leg.tick(due.when)
		}
	}
}

// hearing reads what the callee's phone was sent since it was asked last; the kernel may still be carrying it.
func (p *path) hearing(t testing.TB) (heard []heardPacket) {
	t.Helper()
	p.w.flush()
	for {
		n, errno := p.b.Receive(p.in[:])
		if errno != 0 && p.read < p.c.legs[Callee].out.packets {
			time.Sleep(time.Millisecond)
			continue
		}
		if errno != 0 {
			return heard
		}
		p.read++
		var h heardPacket
		require.NoError(t, h.Unmarshal(append([]byte(nil), p.in[:n]...)))
		heard = append(heard, h)
	}
}

// serve does what the worker does when a socket has something.
func (p *path) serve(e *endpoint) {
	p.w.ready[0] = unix.EpollEvent{Fd: int32(e.sock.FD())}
	p.w.serve(p.w.ready[:1])
}

// receive reads a packet at the callee's phone.
func (p *path) receive() bool {
	p.w.flush()
	n, errno := p.b.Receive(p.in[:])
	return errno == 0 && n > headerSize
}

// BenchmarkForward sends packets from one phone to the other; ns/forward is the engine's part, which is two system calls
// and what lies between them.
func BenchmarkForward(b *testing.B) {
	for _, c := range []struct {
		name           string
		codecs         [2]Codec
		record, listen bool
	}{
		{name: "same law", codecs: [2]Codec{PCMA, PCMA}},
		{name: "other law", codecs: [2]Codec{PCMA, PCMU}},
		{name: "recorded", codecs: [2]Codec{PCMA, PCMA}, record: true},
		{name: "recorded, other law, tones wanted", codecs: [2]Codec{PCMU, PCMA}, record: true, listen: true},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := newPath(b, c.codecs[0], c.codecs[1])
			p.c.legs[Caller].keys.listen(c.listen)
			if c.record {
				p.record(b)
			}
			payload := frameOf(0x11, 160)
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				p.put(8, payload)
				start := time.Now()
				p.serve(&p.c.legs[Caller].rtp)
				spent += time.Since(start)
				p.receive()
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/forward")
		})
		b.Run(c.name+", in batches", func(b *testing.B) { benchmarkBatch(b, c.codecs, c.record, c.listen) })
	}
}

// benchmarkBatch is the same where as many packets wait as are received at once.
func benchmarkBatch(b *testing.B, codecs [2]Codec, record, listen bool) {
	p := newPath(b, codecs[0], codecs[1])
	p.c.legs[Caller].keys.listen(listen)
	if record {
		p.record(b)
	}
	payload := frameOf(0x11, 160)
	b.ReportAllocs()
	var spent time.Duration
	for b.Loop() {
		for i := range inBatch {
			p.put(8, payload)
			p.w.ready[i].Fd = int32(p.c.legs[Caller].rtp.sock.FD())
		}
		start := time.Now()
		p.w.serve(p.w.ready[:inBatch])
		spent += time.Since(start)
		for p.receive() {
		}
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*inBatch), "ns/forward")
}
