package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// Secure is what TLS needs. Both may give other certificates to each
// connection that begins.
type Secure struct {
	// Server is for connections that we accept. It is needed to listen.
	Server *tls.Config
	// Client is for connections that we make, by Peer.Proof; nil if none may be
	// made there, for nobody knows which certificate its host has.
	Client func(to Peer) *tls.Config
}

var errNoTrust = errors.New("nobody knows its certificate, so it has to connect to us")

func openTLS(s *Stack) (*tcpSide, error) {
	if s.cfg.TLS == "" {
		return newSide(s, "TLS", nil), nil
	}
	if s.cfg.Secure.Server == nil {
		return nil, errors.New("it has no certificate")
	}
	l, err := net.Listen("tcp", s.cfg.TLS)
	if err != nil {
		return nil, err
	}
	return newSide(s, "TLS", l), nil
}

// secure makes a connection that we opened one of TLS, and sees whose it is
// (RFC 5922 section 7).
func (t *tcpSide) secure(ctx context.Context, raw net.Conn, to Peer) (net.Conn, error) {
	if t.transport != "TLS" {
		return raw, nil
	}
	cfg := t.trust(to)
	if cfg == nil {
		return nil, errNoTrust
	}
	c := tls.Client(raw, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		t.stack.log.Warn().Stringer("to", to).Err(err).Msg("no TLS connection")
		return nil, fmt.Errorf("TLS with %s: %w", to.Addr, err)
	}
	return c, nil
}

// trust is how a host that we connect to has to prove itself; nil if we may not.
func (t *tcpSide) trust(to Peer) *tls.Config {
	if t.stack.cfg.Secure.Client == nil {
		return nil
	}
	return t.stack.cfg.Secure.Client(to)
}

// shake ends the handshake of a connection that we accepted.
func (c *tcpConn) shake() error {
	secure, ok := c.conn.(*tls.Conn)
	if !ok || !c.accepted {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.side.stack.cfg.MessageTime)
	defer cancel()
	err := secure.HandshakeContext(ctx)
	if err != nil {
		c.refused(err)
	}
	return err
}

// refused notes why TLS came to nothing. What strangers do is worth a line to
// those only who look for it, and counts against them.
func (c *tcpConn) refused(err error) {
	s, from := c.side.stack, c.peer
	line := s.log.Debug()
	if !errors.Is(err, io.EOF) && !s.closing.Load() {
		if s.guard.off(from) {
			line = s.log.Warn()
		}
		s.guard.refused(from, 1)
	}
	line.Stringer("with", from).Err(err).Msg("no TLS connection")
}

// alerted notes what the peer held against our certificate: with TLS 1.3 it
// says so after the handshake.
func (c *tcpConn) alerted(err error) {
	var alert *net.OpError
	if c.side.transport == "TLS" && errors.As(err, &alert) && alert.Op == "remote error" {
		c.refused(err)
	}
}
