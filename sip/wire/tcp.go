package wire

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// tcpSide owns the listener and the connections of both directions, either of
// TCP or of TLS. There is one connection for a peer, whoever opened it:
// requests and responses share it (RFC 5923).
type tcpSide struct {
	stack     *Stack
	transport string       // "TCP" or "TLS"
	listener  net.Listener // nil: nobody connects to us

	mu     sync.Mutex
	open   map[*tcpConn]struct{} // all connections
	conns  map[end]*tcpConn      // the last one of each end
	dials  map[end]*dialing
	taken  int                // accepted connections
	source map[netip.Addr]int // of these, by address
}

// end is the other end of a connection; proof is that of Peer, empty for one
// that connected to us.
type end struct {
	addr  netip.AddrPort
	proof string
}

func endOf(p Peer) end { return end{p.Addr, p.Proof} }

func openTCP(s *Stack) (*tcpSide, error) {
	l, err := net.Listen("tcp", s.cfg.TCP)
	if err != nil {
		return nil, err
	}
	return newSide(s, "TCP", l), nil
}

func newSide(s *Stack, transport string, l net.Listener) *tcpSide {
	return &tcpSide{stack: s, transport: transport, listener: l, open: make(map[*tcpConn]struct{}), conns: make(map[end]*tcpConn),
		dials: make(map[end]*dialing), source: make(map[netip.Addr]int)}
}

func (t *tcpSide) serve() {
	for {
		c, err := t.listener.Accept()
		if err != nil {
			if t.stack.closing.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			t.stack.log.Error().Err(err).Msg("accept a SIP connection")
			time.Sleep(50 * time.Millisecond) // out of file descriptors: others may end meanwhile
			continue
		}
		addr := c.RemoteAddr().(*net.TCPAddr).AddrPort()
		addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
		from := Peer{Addr: addr, Transport: t.transport}
		mortal(c)
		if t.transport == "TLS" {
			c = tls.Server(c, t.stack.cfg.Secure.Server)
		}
		if !t.stack.handler.Accept(from) || !t.stack.guard.pass(from) || t.admit(c, from, true) == nil {
			t.stack.dropped.Add(1)
			_ = c.Close()
		}
	}
}

// admit takes a connection over and has it read; nil if it is one too many.
func (t *tcpSide) admit(c net.Conn, peer Peer, accepted bool) *tcpConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stack.closing.Load() {
		return nil
	}
	if accepted {
		room := t.stack.cfg.MaxConnections
		if known := t.stack.cfg.Flood.Known; known != nil && known(peer) { // strangers do not take the room of trunks
			room *= 2
		}
		if t.taken >= room || t.source[peer.Addr.Addr()] >= t.stack.cfg.MaxPerSource {
			return nil
		}
		t.taken++
		t.source[peer.Addr.Addr()]++
	}
	conn := &tcpConn{side: t, conn: c, peer: peer, accepted: accepted}
	t.open[conn], t.conns[endOf(peer)] = struct{}{}, conn
	t.stack.wait.Add(1)
	go func() { defer t.stack.wait.Done(); conn.read() }()
	return conn
}

// left forgets a connection that ended.
func (t *tcpSide) left(c *tcpConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, c)
	if t.conns[endOf(c.peer)] == c {
		delete(t.conns, endOf(c.peer))
	}
	if !c.accepted {
		return
	}
	t.taken--
	if t.source[c.peer.Addr.Addr()]--; t.source[c.peer.Addr.Addr()] == 0 {
		delete(t.source, c.peer.Addr.Addr())
	}
}

func (t *tcpSide) find(peer Peer) *tcpConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conns[endOf(peer)]
}

// bound is the address that is listened on; invalid if none is.
func (t *tcpSide) bound() netip.AddrPort {
	if t == nil || t.listener == nil {
		return netip.AddrPort{}
	}
	return t.listener.Addr().(*net.TCPAddr).AddrPort()
}

// close ends the listener and all connections. TLS says good-bye, for which a
// peer that reads nothing may take a while: none waits for another.
func (t *tcpSide) close() error {
	var err error
	if t.listener != nil {
		err = t.listener.Close()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.open {
		t.stack.wait.Go(func() { _ = c.conn.Close() })
	}
	return err
}
