package udp_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

// refused sends twice; the second time the kernel tells that nobody is there.
func refused(t *testing.T, s *udp.Socket) {
	t.Helper()
	require.Zero(t, s.Send([]byte("anybody")))
	require.Equal(t, unix.ECONNREFUSED, s.Send([]byte("again")), "ICMP port unreachable came back")
}

func TestRest(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "::1"} {
		t.Run(ip, func(t *testing.T) {
			s, at := open(t, ip)
			old, atOld := open(t, ip)
			peer, _ := open(t, ip)
			buf := make([]byte, 64)
			require.NoError(t, old.Connect(at))
			require.NoError(t, peer.Connect(at))
			require.NoError(t, s.Connect(atOld))
			require.Zero(t, old.Send([]byte("late")))
			require.Zero(t, old.Send([]byte("later")))

			require.NoError(t, s.Rest())
			refused(t, old)
			refused(t, peer)
			require.NoError(t, s.Wake())
			_, errno := s.Receive(buf)
			require.Equal(t, unix.EAGAIN, errno, "what was queued before is gone")
			require.Zero(t, peer.Send([]byte("new")))
			n, _ := poll(t, s, buf)
			require.Equal(t, "new", string(buf[:n]))

			_, err := udp.Open(at)
			require.ErrorIs(t, err, unix.EADDRINUSE, "the port was its own all the time")
		})
	}
}

// An error that an earlier peer caused is none of the next one's.
func TestWakeForgetsErrors(t *testing.T) {
	s, at := open(t, "127.0.0.1")
	gone, atGone := open(t, "127.0.0.1")
	require.NoError(t, gone.Close())
	require.NoError(t, s.Connect(atGone))
	require.Zero(t, s.Send([]byte("nobody")))
	require.NoError(t, s.Rest())
	require.NoError(t, s.Wake())
	peer, atPeer := open(t, "127.0.0.1")
	to := udp.Addr(atPeer)
	require.Zero(t, s.SendTo([]byte("hello"), &to))
	n, from := poll(t, peer, make([]byte, 8))
	require.Equal(t, 5, n)
	require.Equal(t, at, from)
}

func TestOnlyAFixedPortRests(t *testing.T) {
	s, err := udp.Open(netip.MustParseAddrPort("127.0.0.1:0"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	require.ErrorIs(t, s.Rest(), unix.EINVAL)
}

// A queue that is full is emptied.
func TestWakeEmptiesAFullQueue(t *testing.T) {
	s, at := open(t, "127.0.0.1")
	peer, _ := open(t, "127.0.0.1")
	require.NoError(t, peer.Connect(at))
	for range 2000 {
		require.Zero(t, peer.Send([]byte("more")))
	}
	require.NoError(t, s.Rest())
	require.NoError(t, s.Wake())
	_, errno := s.Receive(make([]byte, 8))
	require.Equal(t, unix.EAGAIN, errno)
}

func BenchmarkRestAndWake(b *testing.B) {
	s, _ := open(b, "127.0.0.1")
	for b.Loop() {
		if s.Rest() != nil || s.Wake() != nil {
			b.Fatal("it does not")
		}
	}
}
