package media

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/media/record"
	"axgate/media/udp"
	"axgate/media/wav"
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

// Two hundred recorded calls lose nothing, neither on the way nor on the disk, and leave no goroutine (TestMain), no
// descriptor and no port behind.
func TestTwoHundredCalls(t *testing.T) {
	const calls = 200
	seconds := 3
	if testing.Short() {
		seconds = 1
	}
	e := openEngine(t, func(c *Config) { c.Workers = 2 })
	writer := record.Open(record.WriterOptions{})
	t.Cleanup(func() { require.NoError(t, writer.Close()) })
	dir := t.TempDir()
	before := descriptors(t)
	all := make([]*Call, calls)
	tapes := make([]*record.Recording, calls)
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
		var err error
		tapes[i], err = writer.Create(record.Options{Dir: dir, Name: fmt.Sprintf("%d.wav", i), Stereo: i%2 == 1})
		require.NoError(t, err)
		all[i].Record(tapes[i])
		all[i].Connect(true, true)
	}
	settle(t, all[0])
	settle(t, all[1])
	require.Equal(t, before+7*calls, descriptors(t), "4 sockets for each call, its file, and the phones' sockets")
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
	for i, c := range all {
		c.Record(nil)
		checkTape(t, tapes[i], 1+i%2, rounds)
		for _, s := range c.Close() {
			require.EqualValues(t, rounds, s.Received)
			require.Zero(t, s.Lost+s.Dropped+s.Foreign+s.SendErrors)
			require.Greater(t, s.MOS, 1.0) // a busy machine is late, which it counts as jitter
		}
	}
	require.NoError(t, writer.Close())
	require.Equal(t, before+2*calls, descriptors(t), "only the phones' sockets are left")
	eventually(t, "all ports are free", func() bool { return e.PortsFree() == 5000 })
}

// checkTape finds every packet of a call in its recording; the mix of a mono one is checked by its length.
func checkTape(t *testing.T, tape *record.Recording, channels, packets int) {
	t.Helper()
	// A side whose first packet came late lies late as a whole: a recording that ends now would cut its end.
	r, err := tape.Close(time.Now().Add(time.Second))
	require.NoError(t, err)
	require.Zero(t, r.Lost)
	require.GreaterOrEqual(t, r.Duration, time.Duration(packets)*20*time.Millisecond)
	raw, err := os.ReadFile(r.Path)
	require.NoError(t, err)
	f, err := wav.Parse(raw)
	require.NoError(t, err)
	require.Equal(t, channels, f.Channels)
	require.Equal(t, r.Duration, f.Duration())
	if channels == 1 {
		return
	}
	for side := range 2 {
		audio := 0 // samples of packets; talk leaves zeros behind its numbers
		for i := side; i < len(f.Data); i += 2 {
			if f.Data[i] == 0 {
				audio++
			}
		}
		require.GreaterOrEqual(t, audio, packets*150, "packets of the %v in its channel", Side(side))
	}
}
