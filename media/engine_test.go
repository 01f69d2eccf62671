package media

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/media/tone"
)

func TestOpenRefuses(t *testing.T) {
	good := Config{IP: localhost, PortMin: 20000, PortMax: 20100}
	for name, c := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"no address":       {func(c *Config) { c.IP = netip.Addr{} }, "must be a local IP address"},
		"foreign address":  {func(c *Config) { c.IP = netip.MustParseAddr("192.0.2.1") }, "open media on 192.0.2.1"},
		"multicast":        {func(c *Config) { c.IP = netip.MustParseAddr("224.0.0.1") }, "must be a local IP address"},
		"no ports":         {func(c *Config) { c.PortMin, c.PortMax = 5, 5 }, "holds no pair"},
		"negative window":  {func(c *Config) { c.LatchWindow = -1 }, "latch window"},
		"too many workers": {func(c *Config) { c.Workers = 1000 }, "1000 media workers"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			_, err := Open(cfg, zerolog.Nop())
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestReserve(t *testing.T) {
	blocked, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(localhost, 31003)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = blocked.Close() })
	e := openEngine(t, func(c *Config) { c.PortMin, c.PortMax = 31000, 31007 })
	require.Equal(t, 4, e.PortsFree())
	one, two := e.NewCall(), e.NewCall()
	used := map[uint16]bool{}
	for _, leg := range []struct {
		c    *Call
		side Side
	}{{one, Caller}, {one, Callee}, {two, Caller}} {
		port, err := leg.c.Reserve(leg.side)
		require.NoError(t, err)
		require.Zero(t, port%2)
		require.NotEqual(t, uint16(31002), port, "its RTCP port is taken")
		require.False(t, used[port])
		used[port] = true
		again, err := leg.c.Reserve(leg.side)
		require.NoError(t, err)
		require.Equal(t, port, again)
	}
	_, err = two.Reserve(Callee)
	require.ErrorIs(t, err, ErrNoPorts)
	require.ErrorContains(t, err, "of 4 pairs in 31000-31007, 3 are in calls")
	one.Close()
	eventually(t, "ports come back", func() bool { return e.PortsFree() >= 2 })
	_, err = two.Reserve(Callee)
	require.NoError(t, err)
	_, err = one.Reserve(Caller)
	require.ErrorIs(t, err, ErrClosed)
}

func TestPointRefuses(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	good := Stream{RTP: netip.MustParseAddrPort("127.0.0.1:4000"), SendPT: 8, RecvPT: 8, Send: true, Receive: true}
	require.ErrorContains(t, c.Point(Caller, good), "not reserved")
	_, err := c.Reserve(Caller)
	require.NoError(t, err)
	require.NoError(t, c.Point(Caller, good))
	for name, change := range map[string]func(*Stream){
		"address family of ours":       func(s *Stream) { s.RTP = netip.MustParseAddrPort("[::1]:4000") },
		"not that of one host":         func(s *Stream) { s.RTCP = netip.MustParseAddrPort("224.0.0.9:4000") },
		"must be PCMA, PCMU or Passed": func(s *Stream) { s.Codec = 9 },
		"must be 0 to 127":             func(s *Stream) { s.SendPT = 200 },
		"both PCMA and telephone":      func(s *Stream) { s.RecvEventPT = 8 },
		"packet duration":              func(s *Stream) { s.PTime = -1 },
	} {
		s := good
		change(&s)
		require.ErrorContains(t, c.Point(Caller, s), name)
	}
	require.Error(t, c.Point(Side(7), good))
	c.Close()
	require.ErrorIs(t, c.Point(Caller, good), ErrClosed)
}

// A closed call, and the calls of a closed engine, take every command in silence.
func TestAfterClose(t *testing.T) {
	e := openEngine(t)
	open, closed := e.NewCall(), e.NewCall()
	for _, side := range []Side{Caller, Callee} {
		_, err := open.Reserve(side)
		require.NoError(t, err)
		_, err = closed.Reserve(side)
		require.NoError(t, err)
	}
	first := closed.Close()
	require.Equal(t, first, closed.Close())
	var closers sync.WaitGroup
	for range 4 {
		closers.Go(func() { require.NoError(t, e.Close()) })
		closers.Go(func() { open.Close() })
	}
	closers.Wait()
	for _, c := range []*Call{open, closed, e.NewCall()} {
		require.NotZero(t, c.Play(Caller, Clip{ALaw: frameOf(1, 800)}))
		c.Tone(Callee, tone.Ringback())
		c.Quiet(Caller)
		c.Connect(true, true)
		c.Listen(Caller, true)
		c.SendDigit(Callee, '5', time.Second)
		c.Record(nil)
		_, err := c.Reserve(Caller)
		require.Error(t, err)
		_, more := <-c.Events()
		require.False(t, more, "events are closed")
		c.Close()
	}
	eventually(t, "all ports are free", func() bool { return e.PortsFree() == 5000 })
}

// Commands, packets and closing from everywhere at once leave nothing behind (openEngine counts descriptors).
func TestCloseDuringEverything(t *testing.T) {
	e := openEngine(t, func(c *Config) { c.Workers = 2 })
	var group sync.WaitGroup
	for range 20 {
		c := e.NewCall()
		group.Go(func() {
			for _, side := range []Side{Caller, Callee} {
				if _, err := c.Reserve(side); err == nil {
					_ = c.Point(side, Stream{RTP: netip.MustParseAddrPort("127.0.0.1:9"), SendPT: 8, RecvPT: 8, Send: true, Receive: true})
				}
				c.Play(side, Clip{ALaw: frameOf(1, 1600)})
				c.SendDigit(side, '1', 0)
			}
			c.Connect(true, true)
		})
		group.Go(func() { c.Close() })
		group.Go(func() {
			for range c.Events() {
			}
		})
	}
	group.Wait()
}

func TestIPv6(t *testing.T) {
	local := netip.MustParseAddr("::1")
	phones := [2]*net.UDPConn{}
	for i := range phones {
		p, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
		if err != nil {
			t.Skipf("this machine has no IPv6: %v", err)
		}
		t.Cleanup(func() { _ = p.Close() })
		phones[i] = p
	}
	e := openEngine(t, func(c *Config) { c.IP = local })
	c := e.NewCall()
	var to [2]netip.AddrPort
	for side, p := range phones {
		port, err := c.Reserve(Side(side))
		require.NoError(t, err)
		to[side] = netip.AddrPortFrom(local, port)
		require.NoError(t, c.Point(Side(side), Stream{RTP: p.LocalAddr().(*net.UDPAddr).AddrPort(), SendPT: 8, RecvPT: 8, Send: true, Receive: true}))
	}
	c.Connect(true, true)
	settle(t, c)
	packet := make([]byte, headerSize+160)
	putHeader(packet, 8, true, 1, 1, 1)
	copy(packet[headerSize:], frameOf(0x11, 160))
	_, err := phones[0].WriteToUDPAddrPort(packet, to[0])
	require.NoError(t, err)
	require.NoError(t, phones[1].SetReadDeadline(time.Now().Add(patience)))
	for packet[headerSize] = 0; packet[headerSize] != 0x11; {
		_, from, err := phones[1].ReadFromUDPAddrPort(packet)
		require.NoError(t, err)
		require.Equal(t, to[1], from)
	}
}
