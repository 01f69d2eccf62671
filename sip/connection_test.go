package sip

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// drops ends a connection of a peer's, and waits until the server has seen it.
func (p *peer) drops(c net.Conn) {
	p.t.Helper()
	before := p.gone.Load()
	require.NoError(p.t, c.(*net.TCPConn).CloseWrite())
	eventually(p.t, "the connection has ended", func() bool { return p.gone.Load() > before })
	require.NoError(p.t, c.Close())
}

// swaps makes a connection the one that the peer writes to; it returns the one
// before.
func (p *peer) swaps(c net.Conn) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.tcp
	p.tcp = c
	return was
}

// TestConnectionThatEnds: a side whose connection to us is gone is connected to
// where its Contact says.
func TestConnectionThatEnds(t *testing.T) {
	t.Parallel()
	t.Run("the caller's", func(t *testing.T) {
		w := open(t, func(s *settings) { s.tcpA = true })
		a, b := w.talk()
		ln, err := net.Listen("tcp", "127.0.0.2:0")
		require.NoError(t, err)
		a.contact = "<sip:a@" + ln.Addr().String() + ";transport=tcp>"
		a.request("UPDATE", "")
		a.response(200, "UPDATE")
		w.a.drops(w.a.swaps(nil))
		w.a.listens(ln)
		b.bye()
		a.hungUp()
		w.ends(0, 0)
	})
	t.Run("one that the callee's side made", func(t *testing.T) {
		w := open(t, func(s *settings) { s.tcpB = true })
		a, b := w.talk()
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: w.b.addr.Addr().AsSlice()}}).Dial("tcp", w.srv.TCPAddr().String())
		require.NoError(t, err)
		ours := w.b.swaps(c)
		w.b.done.Go(func() { w.b.readTCP(c) })
		b.request("UPDATE", "")
		b.response(200, "UPDATE")
		w.b.swaps(ours)
		w.b.drops(c)
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
}
