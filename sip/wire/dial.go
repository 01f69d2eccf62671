package wire

import (
	"context"
	"fmt"
	"net"
	"time"
)

// How long an address is let be after it could not be connected to: the first
// time, and at most. Each further failure doubles it.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
	maxPauses    = 1024 // addresses of which failures are remembered
)

// dialing is an end that is being connected to, or could not be.
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
func (t *tcpSide) dial(ctx context.Context, to Peer) (*tcpConn, error) {
	t.mu.Lock()
	if c := t.conns[endOf(to)]; c != nil {
		t.mu.Unlock()
		return c, nil
	}
	d := t.dials[endOf(to)]
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
	if t.transport == "TLS" && t.trust(to) == nil {
		t.mu.Unlock()
		return nil, errNoTrust
	}
	next := &dialing{done: make(chan struct{})}
	if d != nil {
		next.pause = d.pause
	}
	t.dials[endOf(to)] = next
	t.mu.Unlock()
	conn, err := t.connect(ctx, to)
	t.dialed(endOf(to), next, conn, err)
	return conn, err
}

// dialed tells all that wait what became of an attempt. How often an address
// failed is forgotten when something comes from there.
func (t *tcpSide) dialed(to end, d *dialing, conn *tcpConn, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.conn, d.err = conn, err
	close(d.done)
	delete(t.dials, to)
	switch {
	case err != nil:
		t.failed(to, d.pause, err)
	case d.pause > 0:
		t.dials[to] = &dialing{pause: d.pause}
	}
}

// failed has an address let be for longer than the last time.
func (t *tcpSide) failed(to end, last time.Duration, err error) {
	if len(t.dials) >= maxPauses {
		for a, d := range t.dials {
			if d.done == nil && time.Now().After(d.again) {
				delete(t.dials, a)
			}
		}
	}
	if len(t.dials) < maxPauses {
		pause := min(max(2*last, firstPause), longestPause)
		t.dials[to] = &dialing{err: err, pause: pause, again: time.Now().Add(pause)}
	}
}

// proven forgets the failures of an address.
func (t *tcpSide) proven(to Peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.dials[endOf(to)]; d != nil && d.done == nil {
		delete(t.dials, endOf(to))
	}
}

// mute ends what waits for a connection that we opened and that ended without
// a word: nobody is there who would answer over another one. With TLS 1.3 this
// is how a peer refuses our certificate.
func (t *tcpSide) mute(c *tcpConn, cause error) {
	if t.stack.closing.Load() {
		return
	}
	err := fmt.Errorf("%w: %s hung up without a word: %w", ErrUnreachable, c.peer, cause)
	t.mu.Lock()
	var last time.Duration
	d := t.dials[endOf(c.peer)]
	if d != nil {
		last = d.pause
	}
	if d == nil || d.done == nil {
		t.failed(endOf(c.peer), last, err)
	}
	t.mu.Unlock()
	for _, tx := range t.stack.clients.all() {
		if tx.link == c {
			tx.fail(err)
		}
	}
}

// connect leaves from the address that is listened on, if it is one: who knows
// us by it does not know another one of this host.
func (t *tcpSide) connect(ctx context.Context, to Peer) (*tcpConn, error) {
	var d net.Dialer
	if own := t.bound().Addr(); own.IsValid() && !own.IsUnspecified() && own.Is4() == to.Addr.Addr().Is4() {
		d.LocalAddr = &net.TCPAddr{IP: own.AsSlice(), Zone: own.Zone()}
	}
	raw, err := d.DialContext(ctx, "tcp", to.Addr.String())
	if err != nil {
		return nil, err
	}
	mortal(raw)
	c, err := t.secure(ctx, raw, to)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	conn := t.admit(c, to, false)
	if conn == nil {
		_ = raw.Close()
		return nil, fmt.Errorf("connect to %s: %w", to.Addr, net.ErrClosed)
	}
	return conn, nil
}
