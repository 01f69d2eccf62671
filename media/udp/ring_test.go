package udp_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

func openRing(t testing.TB, operations uint32) *udp.Ring {
	t.Helper()
	r, err := udp.OpenRing(operations)
	if err != nil {
		t.Skipf("no io_uring here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// pair is two sockets that are connected to each other.
func pair(t *testing.T) (a, b *udp.Socket) {
	t.Helper()
	a, atA := open(t, "127.0.0.1")
	b, atB := open(t, "127.0.0.1")
	require.NoError(t, a.Connect(atB))
	require.NoError(t, b.Connect(atA))
	return a, b
}

type outcome struct {
	tag   uint64
	n     int
	errno unix.Errno
}

func submit(t testing.TB, r *udp.Ring) (all []outcome) {
	t.Helper()
	require.NoError(t, r.Submit())
	for tag, n, errno, ok := r.Next(); ok; tag, n, errno, ok = r.Next() {
		all = append(all, outcome{tag, n, errno})
	}
	return all
}

func TestRingSendsAndReceivesOnManySockets(t *testing.T) {
	r := openRing(t, 8)
	var left, right [4]*udp.Socket
	for i := range left {
		left[i], right[i] = pair(t)
	}
	for range 5 { // more than the ring has places
		for i, s := range left {
			r.Send(s, []byte{byte(i), 7}, uint64(i))
		}
		require.Equal(t, 4, r.Room())
		require.ElementsMatch(t, []outcome{{0, 2, 0}, {1, 2, 0}, {2, 2, 0}, {3, 2, 0}}, submit(t, r))
		var bufs [4][8]byte
		for i, s := range right {
			r.Receive(s, bufs[i][:], uint64(10+i))
		}
		require.ElementsMatch(t, []outcome{{10, 2, 0}, {11, 2, 0}, {12, 2, 0}, {13, 2, 0}}, submit(t, r))
		for i := range bufs {
			require.Equal(t, []byte{byte(i), 7}, bufs[i][:2])
		}
	}
	require.Empty(t, submit(t, r))
}

// One that fails holds up no other, and none waits.
func TestRingTellsErrors(t *testing.T) {
	r := openRing(t, 8)
	a, b := pair(t)
	deaf, _ := pair(t)
	unconnected, _ := open(t, "127.0.0.1")
	buf, small := make([]byte, 64), make([]byte, 2)
	require.Zero(t, a.Send([]byte("longer")))
	r.Receive(deaf, buf, 1)
	r.Send(unconnected, []byte("nowhere"), 2)
	r.Receive(b, small, 3)
	require.ElementsMatch(t, []outcome{{1, 0, unix.EAGAIN}, {2, 0, unix.EDESTADDRREQ}, {3, 6, 0}}, submit(t, r),
		"a datagram that is cut tells its length")
	require.Equal(t, "lo", string(small))
}

func TestRingAllocatesNothing(t *testing.T) {
	r := openRing(t, 8)
	a, b := pair(t)
	packet, buf := make([]byte, 172), make([]byte, 2048)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.Send(a, packet, 1)
		_ = r.Submit()
		r.Receive(b, buf, 2)
		_ = r.Submit()
		for _, _, _, ok := r.Next(); ok; _, _, _, ok = r.Next() {
		}
	}))
}
