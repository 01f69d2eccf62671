package udp_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

// poll reads until something comes or two seconds have passed.
func poll(t *testing.T, s *udp.Socket, buf []byte) (int, netip.AddrPort) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); {
		n, from, errno := s.ReceiveFrom(buf)
		if errno == 0 {
			return n, from
		}
		require.Equal(t, unix.EAGAIN, errno)
		time.Sleep(time.Millisecond)
	}
	t.Fatal("no datagram came")
	return 0, netip.AddrPort{}
}

func open(t *testing.T, ip string) (*udp.Socket, netip.AddrPort) {
	t.Helper()
	probe, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)))
	if err != nil && ip == "::1" {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	require.NoError(t, err)
	at := probe.LocalAddr().(*net.UDPAddr).AddrPort()
	require.NoError(t, probe.Close())
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	s, err := udp.Open(at)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, at
}

func TestSendAndReceive(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "::1"} {
		t.Run(ip, func(t *testing.T) {
			a, atA := open(t, ip)
			b, atB := open(t, ip)
			buf := make([]byte, 8)
			to := udp.Addr(atB)
			require.Zero(t, a.SendTo([]byte("one"), &to))
			n, from := poll(t, b, buf)
			require.Equal(t, "one", string(buf[:n]))
			require.Equal(t, atA, from)

			require.Zero(t, a.SendTo([]byte("longer than the buffer"), &to))
			n, _ = poll(t, b, buf)
			require.Equal(t, len("longer than the buffer"), n, "the true length, so that a cut datagram is seen")
		})
	}
}

func TestConnectFiltersAndDisconnectKeepsThePort(t *testing.T) {
	a, atA := open(t, "127.0.0.1")
	b, atB := open(t, "127.0.0.1")
	c, _ := open(t, "127.0.0.1")
	buf := make([]byte, 64)
	toA := udp.Addr(atA)
	require.NoError(t, a.Connect(atB))
	require.Zero(t, c.SendTo([]byte("stranger"), &toA))
	require.Zero(t, b.SendTo([]byte("peer"), &toA))
	n, from := poll(t, a, buf)
	require.Equal(t, "peer", string(buf[:n]))
	require.Equal(t, atB, from)
	require.Zero(t, a.Send([]byte("back")))
	n, _ = poll(t, b, buf)
	require.Equal(t, "back", string(buf[:n]))

	require.NoError(t, a.Disconnect())
	require.Zero(t, c.SendTo([]byte("stranger"), &toA))
	n, _ = poll(t, a, buf)
	require.Equal(t, "stranger", string(buf[:n]), "still bound to the same port")
}

func TestAddressInUse(t *testing.T) {
	_, at := open(t, "127.0.0.1")
	_, err := udp.Open(at)
	require.ErrorIs(t, err, unix.EADDRINUSE)
	require.ErrorContains(t, err, at.String())
}

func TestNothingIsAllocated(t *testing.T) {
	a, atA := open(t, "127.0.0.1")
	to := udp.Addr(atA)
	buf := make([]byte, 256)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		a.SendTo(buf[:172], &to)
		a.ReceiveFrom(buf)
		a.Receive(buf)
	}))
}
