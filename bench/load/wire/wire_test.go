package wire_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/bench/load/wire"
)

func listen(t *testing.T, buffer int) *wire.Socket {
	t.Helper()
	s, err := wire.Listen(netip.MustParseAddrPort("127.0.0.1:0"), buffer)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestDatagramsComeWithTheirTimes(t *testing.T) {
	t.Parallel()
	a, b := listen(t, 1<<20), listen(t, 1<<20)
	p, err := wire.NewPoll(time.Millisecond, a, b)
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	to := wire.To(b.Local())
	before := wire.Now()
	require.NoError(t, a.Send([]byte("one"), &to))
	a.Queue([]byte("two"), &to)
	a.Queue([]byte("three"), &to)
	require.Zero(t, a.Flush())
	after := wire.Now()
	var got []string
	for deadline := time.Now().Add(10 * time.Second); len(got) < 3 && time.Now().Before(deadline); {
		require.NoError(t, p.Wait(func(i int) error {
			require.Equal(t, 1, i)
			_, err := b.Receive(func(d []byte, from *wire.Address, at int64) {
				got = append(got, string(d))
				require.Equal(t, a.Local(), from.AddrPort())
				require.GreaterOrEqual(t, at, before)
				require.LessOrEqual(t, at, after, "the kernel's time is that of the arrival, not of the reading")
			})
			return err
		}))
	}
	require.Equal(t, []string{"one", "two", "three"}, got)
}

func TestTicksWake(t *testing.T) {
	t.Parallel()
	p, err := wire.NewPoll(time.Millisecond)
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	for range 5 { // each is a tick of its own, or Wait would not return
		require.NoError(t, p.Wait(func(int) error { return nil }))
	}
}

func TestDropsAreCounted(t *testing.T) {
	t.Parallel()
	a, b := listen(t, 1<<20), listen(t, 1)
	to := wire.To(b.Local())
	for range 100 {
		require.NoError(t, a.Send(make([]byte, 1000), &to))
	}
	dropped, err := b.Dropped()
	require.NoError(t, err)
	read := 0
	for more := true; more; {
		more, err = b.Receive(func([]byte, *wire.Address, int64) { read++ })
		require.NoError(t, err)
	}
	require.Positive(t, dropped)
	require.Equal(t, 100, read+dropped)
}
