package media

import (
	"encoding/binary"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

// inTalk is how many packets a phone sends in ten seconds.
const inTalk = 500

// allocations are those of a whole run: an average per packet would be rounded down to none. The process may allocate
// beside it; of three runs the one with the fewest counts.
func allocations(run func()) float64 {
	least := testing.AllocsPerRun(1, run)
	for range 2 {
		least = min(least, testing.AllocsPerRun(1, run))
	}
	return least
}

// oneByOne has the kernel take packets one by one, as one without io_uring does.
func (p *path) oneByOne() { p.w.batch.abandon(p.w, ErrClosed) }

// burst is packets of the caller's audio that come at once and are served as one round of the worker. It gives how many the
// callee's phone is sent.
func (p *path) burst(payload []byte, packets int) (through int) {
	caller := &p.c.legs[Caller]
	for i := range packets {
		p.put(8, payload)
		p.w.ready[i].Fd = int32(caller.rtp.sock.FD())
	}
	p.w.serve(p.w.ready[:packets])
	for p.receive() {
		through++
	}
	return through
}

// The way of a packet through the engine allocates nothing: the source latched, either law, recorded or not, tones
// listened for; received and sent in batches and one by one.
func TestNothingIsAllocatedPerPacket(t *testing.T) {
	for name, c := range map[string]struct {
		codecs         [2]Codec
		listen, record bool
	}{
		"same law":            {codecs: [2]Codec{PCMA, PCMA}},
		"other law":           {codecs: [2]Codec{PCMU, PCMA}},
		"tones wanted":        {codecs: [2]Codec{PCMU, PCMU}, listen: true},
		"recorded":            {codecs: [2]Codec{PCMA, PCMA}, record: true},
		"recorded, other law": {codecs: [2]Codec{PCMU, PCMA}, record: true},
	} {
		talk := func(t *testing.T, p *path, together int) {
			p.c.legs[Caller].keys.listen(c.listen)
			if c.record {
				p.record(t)
			}
			payload, through := frameOf(0x11, 160), 0
			require.Zero(t, allocations(func() {
				through = 0
				for range inTalk / together {
					through += p.burst(payload, together)
				}
			}))
			require.Equal(t, inTalk, through)
		}
		t.Run(name, func(t *testing.T) {
			p := newPath(t, c.codecs[0], c.codecs[1])
			p.oneByOne()
			talk(t, p, 1)
		})
		t.Run(name+", in batches", func(t *testing.T) {
			p := newPath(t, c.codecs[0], c.codecs[1])
			if p.w.batch.ring == nil {
				t.Skip("no io_uring here")
			}
			talk(t, p, 50)
		})
	}
}

// Nor does what becomes a recording, at the pace of speech: its pieces, and the goroutine that writes them.
func TestNothingIsAllocatedPerPiece(t *testing.T) {
	p := newPath(t, PCMU, PCMA)
	file := p.record(t)
	payload, at := frameOf(0x11, 160), p.w.now()
	caller := &p.c.legs[Caller]
	p.burst(payload, 1) // latched
	require.Zero(t, allocations(func() {
		for i := range inTalk {
			p.put(8, payload)
			n, errno := caller.rtp.sock.Receive(p.w.in[:])
			for errno != 0 {
				n, errno = caller.rtp.sock.Receive(p.w.in[:])
			}
			at += 20 * ms
			caller.rtp.take(p.w, p.w.in[:], n, caller.rtp.source, at)
			for p.receive() {
			}
			if i%100 == 0 {
				time.Sleep(25 * time.Millisecond) // the writer rests 20 ms behind a piece
			}
		}
	}))
	info, err := os.Stat(file + ".part")
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(5*inTalk*160))
}

func TestNothingIsAllocatedPerKeyAndPrompt(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	clip := Clip{ALaw: frameOf(0x31, 1600)}
	caller, callee := &p.c.legs[Caller], &p.c.legs[Callee]
	key := []byte{5, 10, 0, 160}
	require.Zero(t, allocations(func() {
		for range inTalk {
			binary.BigEndian.PutUint16(key[2:], 160)
			p.put(101, key)
			p.serve(&caller.rtp)
			callee.play(clip, 1, p.w.now())
			for range 20 {
				if due := p.w.timers.due(p.w.now() + int64(time.Second)); due != nil && due.kind == tickTimer {
					due.leg.tick(due.when)
				}
			}
			for p.receive() {
			}
			for len(p.c.events) > 0 {
				<-p.c.events
			}
		}
	}))
}

// reportsOf is what a report of ours allocates: pion has a slice for each thing that it writes. There is one in five
// seconds, so that a talk has 0.06 for each packet.
const reportsOf = 14

func TestAllocationsOfReports(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	p.burst(frameOf(0x11, 160), 1) // latched
	caller := &p.c.legs[Caller]
	name, err := unix.Getsockname(caller.control.sock.FD())
	require.NoError(t, err)
	there := udp.Addr(netip.AddrPortFrom(localhost, uint16(name.(*unix.SockaddrInet4).Port)))
	p.w.take(&caller.control)
	report, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: 7, NTPTime: 1, Reports: []rtcp.ReceptionReport{{SSRC: caller.out.ssrc, Jitter: 33}}},
		&rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{{SSRC: caller.out.ssrc, Jitter: 34}}},
		rtcp.NewCNAMESourceDescription(7, "phone"),
	})
	require.NoError(t, err)
	require.Zero(t, allocations(func() {
		for range 2 {
			p.a.SendTo(report, &there)
			p.serve(&caller.control)
			for p.receive() {
			}
		}
	}), "of the peer's reports")
	require.EqualValues(t, 34, caller.reports.jitter)
	require.Zero(t, caller.count.dropped)
	require.LessOrEqual(t, allocations(func() { caller.report(p.w.now()) }), float64(reportsOf), "of a report of ours")
}
