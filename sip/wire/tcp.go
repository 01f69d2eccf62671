package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// tcpSide owns the listener and the connections of both directions. There is
// one connection for an address, whoever opened it: requests and responses to
// a peer share it (RFC 5923).
type tcpSide struct {
	stack    *Stack
	listener net.Listener

	mu     sync.Mutex
	conns  map[netip.AddrPort]*tcpConn
	taken  int                // accepted connections
	source map[netip.Addr]int // of these, by address
}

func openTCP(s *Stack) (*tcpSide, error) {
	l, err := net.Listen("tcp", s.cfg.TCP)
	if err != nil {
		return nil, err
	}
	return &tcpSide{stack: s, listener: l, conns: make(map[netip.AddrPort]*tcpConn), source: make(map[netip.Addr]int)}, nil
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
		from := Peer{Addr: addr, Transport: "TCP"}
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

// dial finds or opens the connection to an address.
func (t *tcpSide) dial(ctx context.Context, addr netip.AddrPort) (*tcpConn, error) {
	if c := t.find(addr); c != nil {
		return c, nil
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, err
	}
	if c := t.find(addr); c != nil { // another request was quicker
		_ = raw.Close()
		return c, nil
	}
	c := t.admit(raw, addr, false)
	if c == nil {
		_ = raw.Close()
		return nil, fmt.Errorf("connect to %s: %w", addr, net.ErrClosed)
	}
	return c, nil
}

func (t *tcpSide) close() error {
	err := t.listener.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		_ = c.conn.Close()
	}
	return err
}
