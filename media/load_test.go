package media

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

// crowdPhone is a peer that only counts, so that a test can hold hundreds of them.
type crowdPhone struct {
	sock       *udp.Socket
	at         netip.AddrPort
	to         udp.Destination
	ssrc       uint32
	seq        uint16
	got, wrong int
	next       uint16
}

func newCrowdPhone(t testing.TB, ssrc uint32) *crowdPhone {
	t.Helper()
	s, err := udp.Open(netip.AddrPortFrom(localhost, 0))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	name, err := unix.Getsockname(s.FD())
	require.NoError(t, err)
	return &crowdPhone{sock: s, at: netip.AddrPortFrom(localhost, uint16(name.(*unix.SockaddrInet4).Port)), ssrc: ssrc}
}

// talk sends one packet that says who speaks and how often they have.
func (p *crowdPhone) talk(b []byte) {
	putHeader(b, 8, p.seq == 0, p.seq, uint32(p.seq)*160, p.ssrc)
	binary.BigEndian.PutUint32(b[headerSize:], p.ssrc)
	binary.BigEndian.PutUint16(b[headerSize+4:], p.seq)
	p.seq++
	p.sock.SendTo(b, &p.to)
}

// listen reads what came: packets of the partner have to come in order and once.
func (p *crowdPhone) listen(b []byte, partner uint32) {
	for {
		n, errno := p.sock.Receive(b)
		if errno != 0 {
			return
		}
		if n < headerSize+160 || b[headerSize] == 0xD5 {
			continue // the engine's silence
		}
		if binary.BigEndian.Uint32(b[headerSize:]) != partner || binary.BigEndian.Uint16(b[headerSize+4:]) != p.next {
			p.wrong++
		}
		p.next = binary.BigEndian.Uint16(b[headerSize+4:]) + 1
		p.got++
	}
}

func TestTwoHundredCalls(t *testing.T) {
	const calls = 200
	seconds := 3
	if testing.Short() {
		seconds = 1
	}
	e := openEngine(t, func(c *Config) { c.Workers = 2 })
	before := descriptors(t)
	all := make([]*Call, calls)
	phones := make([]*crowdPhone, 2*calls)
	for i := range all {
		all[i] = e.NewCall()
		for side := range 2 {
			p := newCrowdPhone(t, 0xA000_0000+uint32(2*i+side))
			port, err := all[i].Reserve(Side(side))
			require.NoError(t, err)
			p.to = udp.Addr(netip.AddrPortFrom(localhost, port))
			require.NoError(t, all[i].Point(Side(side), Stream{RTP: p.at, SendPT: 8, RecvPT: 8, Send: true, Receive: true}))
			phones[2*i+side] = p
		}
		all[i].Connect(true, true)
	}
	settle(t, all[0])
	settle(t, all[1])
	require.Equal(t, before+6*calls, descriptors(t), "4 sockets for each call, and the phones'")
	buf := make([]byte, 512)
	packet := make([]byte, headerSize+160)
	rounds := 50 * seconds
	next := time.Now()
	for range rounds {
		// Spread over the 20 ms as phones are, in ten groups.
		for group := range 10 {
			for i := group; i < len(phones); i += 10 {
				phones[i].talk(packet)
				phones[i].listen(buf, phones[i^1].ssrc)
			}
			next = next.Add(2 * time.Millisecond)
			time.Sleep(time.Until(next))
		}
	}
	eventually(t, "the last packets", func() bool {
		got := 0
		for i, p := range phones {
			p.listen(buf, phones[i^1].ssrc)
			got += p.got
		}
		return got == rounds*len(phones)
	})
	for i, p := range phones {
		require.Equal(t, rounds, p.got, "phone %d", i)
		require.Zero(t, p.wrong, "phone %d heard another call, or packets out of order", i)
	}
	for _, c := range all {
		for _, s := range c.Close() {
			require.EqualValues(t, rounds, s.Received)
			require.Zero(t, s.Lost+s.Dropped+s.Foreign+s.SendErrors)
			require.Greater(t, s.MOS, 4.0)
		}
	}
	require.Equal(t, before+2*calls, descriptors(t), "only the phones' sockets are left")
	eventually(t, "all ports are free", func() bool { return e.PortsFree() == 5000 })
}
