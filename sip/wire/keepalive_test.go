package wire

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

// TestKeepAlive: on an idle connection that we made CRLFs go out, and their
// answer is no question to us.
func TestKeepAlive(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	s := openWith(t, Config{KeepAlive: 100 * time.Millisecond})
	s.Send(invite(s, sip.GenerateBranch()), Peer{Addr: l.Addr().(*net.TCPAddr).AddrPort(), Transport: "TCP"}, func(*sip.Response, error) {})
	c, err := l.Accept()
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	require.NoError(t, c.SetDeadline(time.Now().Add(15*time.Second)))
	chunk := make([]byte, 4096)
	var got strings.Builder
	for !strings.HasSuffix(got.String(), "\r\n\r\n") {
		n, err := c.Read(chunk)
		require.NoError(t, err)
		got.Write(chunk[:n])
	}
	for range 4 {
		n, err := c.Read(chunk)
		require.NoError(t, err)
		require.Empty(t, strings.ReplaceAll(string(chunk[:n]), "\r\n\r\n", "")) // a late reader gets more than one
		_, err = io.WriteString(c, "\r\n")
		require.NoError(t, err)
	}
}
