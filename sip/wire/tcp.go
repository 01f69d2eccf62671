package wire

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// tcpSide is sipgo's stream transport behind a guarded listener.
type tcpSide struct {
	layer    *sip.TransportLayer
	listener *guarded
}

func openTCP(cfg Config, parser *sip.Parser) (*tcpSide, error) {
	l, err := net.Listen("tcp", cfg.TCP)
	if err != nil {
		return nil, err
	}
	layer := sip.NewTransportLayer(net.DefaultResolver, parser, nil,
		sip.WithTransportLayerLogger(quiet),
		sip.WithTransportLayerTransports(sip.TransportsConfig{
			TCP: &sip.TransportTCP{ReadTimeout: cfg.Idle, WriteTimeout: 5 * time.Second},
		}))
	return &tcpSide{layer: layer, listener: &guarded{Listener: l, max: int64(cfg.MaxConnections)}}, nil
}

func (t *tcpSide) serve(s *Stack) {
	t.listener.accept = func(addr netip.AddrPort) bool {
		return s.handler.Accept(Peer{Addr: addr, Transport: "TCP"})
	}
	if err := t.layer.ServeTCP(t.listener); !errors.Is(err, net.ErrClosed) && !s.closing.Load() {
		s.log.Error().Err(err).Msg("accept SIP connections")
	}
}

func (t *tcpSide) close() error {
	return errors.Join(t.listener.Close(), t.layer.Close())
}

func (s *Stack) fromTCP(msg sip.Message) {
	addr, err := netip.ParseAddrPort(msg.Source())
	if err != nil {
		return
	}
	s.receive(msg, Peer{Addr: netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), Transport: "TCP"})
}

// guarded refuses connections from strangers and beyond the limit before
// anything is read from them.
type guarded struct {
	net.Listener
	max    int64
	open   atomic.Int64
	accept func(netip.AddrPort) bool
}

func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() {
				continue
			}
			return nil, err
		}
		addr := c.RemoteAddr().(*net.TCPAddr).AddrPort()
		addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
		if g.open.Load() >= g.max || !g.accept(addr) {
			_ = c.Close()
			continue
		}
		g.open.Add(1)
		return &counted{Conn: c, open: &g.open}, nil
	}
}

// counted gives its place back once, however often it is closed.
type counted struct {
	net.Conn
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *counted) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}
