package media

import (
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"axgate/media/udp"
)

// reserve takes a pair for a call on the path's worker, which is the only one.
func (p *path) reserve(t testing.TB, port uint16) *pair {
	t.Helper()
	again, err := p.w.engine.sockets(p.w, port)
	require.NoError(t, err)
	t.Cleanup(func() { p.w.drop(again) })
	return again
}

// What the last call's phone sent and nobody read is gone before the sockets are another call's, and while they rest the
// phone is told that nobody is there.
func TestQueuedPacketsAreDroppedBeforeReuse(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	l := &p.c.legs[Caller]
	p.put(8, frameOf(0x11, 160))
	p.serve(&l.rtp)
	used := l.pair
	require.NoError(t, p.a.Connect(netip.AddrPortFrom(localhost, used.port)))
	p.put(8, frameOf(0x12, 160))
	p.put(8, frameOf(0x13, 160))
	p.c.end()
	require.Equal(t, unix.ECONNREFUSED, func() unix.Errno { p.a.Send([]byte("late")); return p.a.Send([]byte("later")) }())

	again := p.reserve(t, used.port)
	require.Same(t, used, again)
	for _, s := range []*udp.Socket{again.rtp, again.control} {
		_, errno := s.Receive(p.in[:])
		require.Equal(t, unix.EAGAIN, errno)
	}
	require.Zero(t, p.a.Send([]byte("from now on it is heard")))
	eventually(t, "it is heard", func() bool { _, errno := again.rtp.Receive(p.in[:]); return errno == 0 })
}

// A worker that is told of what lies in a resting socket drops it, and does not spin.
func TestRestingSocketsAreEmptied(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	used := p.c.legs[Caller].pair
	p.put(8, frameOf(0x12, 160))
	p.put(8, frameOf(0x13, 160))
	p.c.end()
	p.w.queue.commands = nil // that of newCall: the worker has carried it out
	rounds := 0
	for n := 1; n > 0; rounds++ {
		var err error
		n, err = unix.EpollWait(p.w.epoll, p.w.ready[:], 0)
		require.NoError(t, err)
		require.False(t, p.w.serve(p.w.ready[:n]))
		require.Less(t, rounds, 10)
	}
	_, errno := used.rtp.Receive(p.in[:])
	require.Equal(t, unix.EAGAIN, errno)
}

func TestPairsAreOpenedAheadAndStayOpen(t *testing.T) {
	e := openEngine(t, func(c *Config) { c.PortMin, c.PortMax, c.Ahead, c.Workers = 31100, 31111, 4, 2 })
	open := descriptors(t)
	held := func() int { return descriptors(t) - open }
	var calls []*Call
	for range 2 {
		c := e.NewCall()
		calls = append(calls, c)
		for _, side := range []Side{Caller, Callee} {
			_, err := c.Reserve(side)
			require.NoError(t, err)
		}
	}
	require.Zero(t, held(), "four legs with the sockets that were there")
	last := e.NewCall()
	_, err := last.Reserve(Callee)
	require.NoError(t, err)
	require.Equal(t, 2, held())
	e.stock.most = 4
	for _, c := range append(calls, last) {
		c.Close()
	}
	require.Zero(t, held(), "four pairs are kept")
	require.Len(t, e.stock.kept, 4)
}

// Pairs in use by another program are left out.
func TestOpenedAheadAsFarAsItGoes(t *testing.T) {
	s, err := udp.Open(netip.AddrPortFrom(localhost, 31123))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	e := openEngine(t, func(c *Config) { c.PortMin, c.PortMax, c.Ahead = 31120, 31127, 100 })
	require.Len(t, e.stock.kept, 3)
	require.NotContains(t, e.stock.kept, uint16(31122))
	_, err = Open(Config{IP: localhost, PortMin: 31120, PortMax: 31127, Ahead: -1}, e.workers[0].log)
	require.ErrorContains(t, err, "opened ahead")
}

// handover is calls over a few port pairs, and phones of ended calls that go on sending to the pairs they had.
type handover struct {
	testing.TB
	e       *Engine
	calls   []*handed
	phones  []*crowdPhone
	stopped []*crowdPhone
}

// handed is a call, its two phones, and how many packets each has sent.
type handed struct {
	call   *Call
	phones [2]*crowdPhone
	sent   uint64
}

const handoverPairs = 4

// begin has two phones talk over a new call.
func (h *handover) begin(*rapid.T) {
	if len(h.calls) == handoverPairs/2 {
		return
	}
	c := &handed{call: h.e.NewCall()}
	for side := range c.phones {
		p := h.phones[0]
		h.phones = h.phones[1:]
		port := uint16(0)
		eventually(h, "a pair has rested", func() bool {
			var err error
			port, err = c.call.Reserve(Side(side))
			return err == nil
		})
		p.to = udp.Addr(netip.AddrPortFrom(localhost, port))
		require.NoError(h, c.call.Point(Side(side), Stream{RTP: p.at, SendPT: 8, RecvPT: 8, Send: true, Receive: true}))
		c.phones[side] = p
	}
	c.call.Connect(true, true)
	settle(h, c.call)
	h.calls = append(h.calls, c)
	h.talk(c)
}

// talk sends a packet each way.
func (h *handover) talk(c *handed) {
	c.sent++
	for _, p := range c.phones {
		p.talk(make([]byte, headerSize+160))
	}
	settle(h, c.call)
	for side := range c.phones {
		received(h, c.call, Side(side), c.sent)
	}
}

// end hangs up while the phones still send. One of them never stops, the other is in another call some time.
func (h *handover) end(t *rapid.T) {
	if len(h.calls) == 0 {
		return
	}
	i := rapid.IntRange(0, len(h.calls)-1).Draw(t, "call")
	c := h.calls[i]
	h.calls = slices.Delete(h.calls, i, i+1)
	for _, p := range c.phones {
		p.talk(make([]byte, headerSize+160))
	}
	for _, s := range c.call.Close() {
		require.Zero(h, s.Foreign+s.Dropped, "packets of a phone that is none of the call's")
		require.LessOrEqual(h, s.Received, c.sent+1)
		require.GreaterOrEqual(h, s.Received, c.sent)
	}
	h.stopped = append(h.stopped[max(0, len(h.stopped)-2*handoverPairs):], c.phones[0])
	h.phones = append(h.phones, c.phones[:]...)
}

// late has those who never stop send to pairs that are in no call.
func (h *handover) late(*rapid.T) {
	for _, p := range h.stopped {
		if !slices.ContainsFunc(h.calls, func(c *handed) bool { return c.phones[0].to == p.to || c.phones[1].to == p.to }) {
			p.talk(make([]byte, headerSize+160))
		}
	}
}

// However calls follow each other on the same sockets, whichever worker has them: a call takes nothing that was sent before
// it had its ports, all that its own phones send, and no pair is lost.
func TestNothingIsHandedOver(t *testing.T) {
	phones := make([]*crowdPhone, 2*handoverPairs)
	for i := range phones {
		phones[i] = newCrowdPhone(t, uint32(i+1))
	}
	before := runtime.GOMAXPROCS(8) // workers keep theirs
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	rapid.Check(t, func(rt *rapid.T) {
		e, err := Open(Config{IP: localhost, PortMin: 31140, PortMax: 31140 + 2*handoverPairs - 1, Workers: rapid.IntRange(1, 3).Draw(rt, "workers"),
			Ahead: rapid.IntRange(0, handoverPairs).Draw(rt, "ahead"), OneByOne: rapid.Bool().Draw(rt, "one by one"), Quarantine: time.Microsecond}, zerolog.Nop())
		require.NoError(t, err)
		e.stock.most = rapid.IntRange(0, handoverPairs).Draw(rt, "kept")
		h := &handover{TB: t, e: e, phones: slices.Clone(phones)}
		rt.Repeat(map[string]func(*rapid.T){
			"begin": h.begin,
			"talk": func(*rapid.T) {
				for _, c := range h.calls {
					h.talk(c)
				}
			},
			"end":  h.end,
			"late": h.late,
			"": func(*rapid.T) {
				eventually(t, "all pairs are there", func() bool { return e.PortsFree()+2*len(h.calls) == handoverPairs })
			},
		})
		require.NoError(t, e.Close())
	})
}
