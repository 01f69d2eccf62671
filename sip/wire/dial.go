package wire

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// How long an address is let be after it could not be connected to: the first
// time, and at most. Each further failure doubles it.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
	maxPauses    = 1024 // addresses of which failures are remembered
)

// dialing is an address that is being connected to, or could not be.
type dialing struct {
	done  chan struct{} // closed when the attempt is over; nil: none is under way
	conn  *tcpConn
	err   error
	pause time.Duration
	again time.Time // no attempt before
}

// dial finds or opens the connection to an address. Who asks while one is
// being opened waits for it; after a failure all are refused for a while, so
// that a call goes on to the next trunk at once.
func (t *tcpSide) dial(ctx context.Context, addr netip.AddrPort) (*tcpConn, error) {
	t.mu.Lock()
	if c := t.conns[addr]; c != nil {
		t.mu.Unlock()
		return c, nil
	}
	d := t.dials[addr]
	switch {
	case d != nil && d.done != nil:
		t.mu.Unlock()
		select {
		case <-d.done:
			return d.conn, d.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case d != nil && time.Now().Before(d.again):
		t.mu.Unlock()
		return nil, fmt.Errorf("not tried again yet: %w", d.err)
	}
	if t.transport == "TLS" && t.trust(addr) == nil {
		t.mu.Unlock()
		return nil, errNoTrust
	}
	next := &dialing{done: make(chan struct{})}
	if d != nil {
		next.pause = d.pause
	}
	t.dials[addr] = next
	t.mu.Unlock()
	conn, err := t.connect(ctx, addr)
	t.dialed(addr, next, conn, err)
	return conn, err
}

// dialed tells all that wait what became of an attempt. How often an address
// failed is forgotten when something comes from there.
func (t *tcpSide) dialed(addr netip.AddrPort, d *dialing, conn *tcpConn, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.conn, d.err = conn, err
	close(d.done)
	delete(t.dials, addr)
	switch {
	case err != nil:
		t.failed(addr, d.pause, err)
	case d.pause > 0:
		t.dials[addr] = &dialing{pause: d.pause}
	}
}

// failed has an address let be for longer than the last time.
func (t *tcpSide) failed(addr netip.AddrPort, last time.Duration, err error) {
	if len(t.dials) >= maxPauses {
		for a, d := range t.dials {
			if d.done == nil && time.Now().After(d.again) {
				delete(t.dials, a)
			}
		}
	}
	if len(t.dials) < maxPauses {
		pause := min(max(2*last, firstPause), longestPause)
		t.dials[addr] = &dialing{err: err, pause: pause, again: time.Now().Add(pause)}
	}
}

// proven forgets the failures of an address.
func (t *tcpSide) proven(addr netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.dials[addr]; d != nil && d.done == nil {
		delete(t.dials, addr)
	}
}

// mute ends what waits for a connection that we opened and that ended without
// a word: nobody is there who would answer over another one. With TLS 1.3 this
// is how a peer refuses our certificate.
func (t *tcpSide) mute(c *tcpConn, cause error) {
	if t.stack.closing.Load() {
		return
	}
	err := fmt.Errorf("%w: %s hung up without a word: %w", ErrUnreachable, c.peer(), cause)
	t.mu.Lock()
	var last time.Duration
	d := t.dials[c.addr]
	if d != nil {
		last = d.pause
	}
	if d == nil || d.done == nil {
		t.failed(c.addr, last, err)
	}
	t.mu.Unlock()
	for _, tx := range t.stack.clients.all() {
		if tx.conn.Connection == c {
			tx.fail(err)
			tx.End()
		}
	}
}

func (t *tcpSide) connect(ctx context.Context, addr netip.AddrPort) (*tcpConn, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, err
	}
	c, err := t.secure(ctx, raw, addr)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	conn := t.admit(c, addr, false)
	if conn == nil {
		_ = raw.Close()
		return nil, fmt.Errorf("connect to %s: %w", addr, net.ErrClosed)
	}
	return conn, nil
}
