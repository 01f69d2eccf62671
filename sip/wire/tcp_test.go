package wire

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/certs/certtest"
)

// TestRoomForKnown: strangers who take all connections leave room for trunks,
// which have no more than as much again.
func TestRoomForKnown(t *testing.T) {
	trunk := netip.MustParseAddr("127.0.0.9")
	s := openWith(t, Config{MaxConnections: 2, Flood: Flood{Known: func(p Peer) bool { return p.Addr.Addr() == trunk }}})
	for range 2 {
		p := newStream(t, s)
		p.send("\r\n\r\n")
		p.until("\r\n")
	}
	refused := newStream(t, s)
	_, err := refused.c.Read(make([]byte, 1))
	require.Error(t, err)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: trunk.AsSlice()}}
	for i := range 2 {
		c, err := d.Dial("tcp", s.TCPAddr().String())
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		p := &stream{t, c}
		p.send(option(i, empty))
		require.Contains(t, p.until(fmt.Sprintf("Call-ID: c%d\r\n", i)), "SIP/2.0 200 OK")
	}
	c, err := d.Dial("tcp", s.TCPAddr().String())
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
}

// TestTwoConnectionsOfOneEnd: where a peer connects from the port that we
// connect to at the same time, both end with the stack.
func TestTwoConnectionsOfOneEnd(t *testing.T) {
	s, err := Open(Config{TCP: "127.0.0.1:0"}, zerolog.Nop())
	require.NoError(t, err)
	s.Serve(newCollector())
	end := Peer{Addr: netip.MustParseAddrPort("127.0.0.1:7777"), Transport: "TCP"}
	for _, accepted := range []bool{true, false} {
		ours, theirs := net.Pipe()
		defer func() { _ = theirs.Close() }()
		require.NotNil(t, s.tcp.admit(ours, end, accepted))
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		require.NoError(t, err)
	case <-time.After(15 * time.Second):
		t.Fatal("Close waits for a connection that it does not end")
	}
}

// TestCloseWhileConnecting: who does not answer does not hold up the end.
func TestCloseWhileConnecting(t *testing.T) {
	ca := certtest.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	to := Peer{Addr: l.Addr().(*net.TCPAddr).AddrPort(), Transport: "TLS"}
	s, err := Open(Config{UDP: "127.0.0.1:0", Secure: Secure{Client: trusting(to.Addr, &tls.Config{ServerName: "sbc.example", RootCAs: ca.Pool})}}, zerolog.Nop())
	require.NoError(t, err)
	s.Serve(newCollector())
	failed := make(chan error, 1)
	s.Send(invite(s, "x"), to, func(_ *sip.Response, err error) { failed <- err })
	silent, err := l.Accept()
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	require.NoError(t, s.Close())
	err = <-failed
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "canceled", "not that connecting took too long")
}

// TestMortal: connections of both directions end when their way is gone.
func TestMortal(t *testing.T) {
	s := open(t, newCollector())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	_, err = s.tcp.dial(t.Context(), Peer{Addr: l.Addr().(*net.TCPAddr).AddrPort(), Transport: "TCP"})
	require.NoError(t, err)
	newStream(t, s)
	var all []net.Conn
	require.Eventually(t, func() bool {
		s.tcp.mu.Lock()
		defer s.tcp.mu.Unlock()
		all = nil
		for c := range s.tcp.open {
			all = append(all, c.conn)
		}
		return len(all) == 2
	}, 15*time.Second, time.Millisecond)
	for _, c := range all {
		raw, err := c.(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		limit := 0
		require.NoError(t, raw.Control(func(fd uintptr) { limit, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT) }))
		require.NoError(t, err)
		require.EqualValues(t, deadTime.Milliseconds(), limit)
	}
}
