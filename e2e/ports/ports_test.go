package ports

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTake(t *testing.T) {
	a, err := Take(4)
	require.NoError(t, err)
	require.Zero(t, a%2)
	b, err := Take(2)
	require.NoError(t, err)
	require.GreaterOrEqual(t, b, a+4)

	next = a // as if it had come round
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: a + 1})
	require.NoError(t, err)
	defer l.Close()
	c, err := Take(4)
	require.NoError(t, err)
	require.Greater(t, c, a+1, "a port in use is passed by")

	_, err = Take(last)
	require.ErrorContains(t, err, "no")
}
