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
// TCP or of TLS. There is one connection for an address, whoever opened it:
// requests and responses to a peer share it (RFC 5923).
type tcpSide struct {
	stack     *Stack
	transport string       // "TCP" or "TLS"
	listener  net.Listener // nil: nobody connects to us

	mu     sync.Mutex
	conns  map[netip.AddrPort]*tcpConn
	dials  map[netip.AddrPort]*dialing
	taken  int                // accepted connections
	source map[netip.Addr]int // of these, by address
}

func openTCP(s *Stack) (*tcpSide, error) {
	l, err := net.Listen("tcp", s.cfg.TCP)
	if err != nil {
		return nil, err
	}
	return newSide(s, "TCP", l), nil
}

func newSide(s *Stack, transport string, l net.Listener) *tcpSide {
	return &tcpSide{stack: s, transport: transport, listener: l, conns: make(map[netip.AddrPort]*tcpConn),
		dials: make(map[netip.AddrPort]*dialing), source: make(map[netip.Addr]int)}
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
		if t.transport == "TLS" {
			c = tls.Server(c, t.stack.cfg.Secure.Server)
		}
		if !t.stack.handler.Accept(from) || !t.stack.guard.pass(from) || t.admit(c, addr, true) == nil {
			t.stack.dropped.Add(1)
			_ = c.Close()
		}
	}
}

// admit takes a connection over and has it read; nil if it is one too many.
func (t *tcpSide) admit(c net.Conn, addr netip.AddrPort, accepted bool) *tcpConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stack.closing.Load() {
		return nil
	}
	if accepted {
		if t.taken >= t.stack.cfg.MaxConnections || t.source[addr.Addr()] >= t.stack.cfg.MaxPerSource {
			return nil
		}
		t.taken++
		t.source[addr.Addr()]++
	}
	conn := &tcpConn{side: t, conn: c, addr: addr, accepted: accepted}
	t.conns[addr] = conn
	t.stack.wait.Add(1)
	go func() { defer t.stack.wait.Done(); conn.read() }()
	return conn
}

// left forgets a connection that ended.
func (t *tcpSide) left(c *tcpConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conns[c.addr] == c {
		delete(t.conns, c.addr)
	}
	if !c.accepted {
		return
	}
	t.taken--
	if t.source[c.addr.Addr()]--; t.source[c.addr.Addr()] == 0 {
		delete(t.source, c.addr.Addr())
	}
}

func (t *tcpSide) find(addr netip.AddrPort) *tcpConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conns[addr]
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
	for _, c := range t.conns {
		t.stack.wait.Go(func() { _ = c.conn.Close() })
	}
	return err
}
