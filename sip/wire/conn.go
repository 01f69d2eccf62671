package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const writeTime = 5 * time.Second

// keepAlive asks a peer whether it lives, and keeps firewalls on the way open.
var keepAlive = []byte("\r\n\r\n")

var errOutOfStep = errors.New("what it sent breaks the rules of a stream")

// tcpConn is one connection of TCP or TLS. Transactions write to it and never close it: it
// lives until its peer closes it, is silent for too long, or breaks the rules.
type tcpConn struct {
	side     *tcpSide
	conn     net.Conn
	peer     Peer // the other end
	accepted bool
	heard    bool // something of use came; for the reading goroutine

	mu sync.Mutex // one writer at a time
}

// read hands on the messages of a connection until it ends.
func (c *tcpConn) read() {
	err := c.hear()
	_ = c.conn.Close()
	c.side.left(c)
	if lost := c.side.stack.cfg.Lost; lost != nil {
		lost(c.peer)
	}
	if !c.accepted && !c.heard {
		c.side.mute(c, err)
	}
}

// hear reads until the connection ends, and tells why it did.
func (c *tcpConn) hear() error {
	s := c.side.stack
	if err := c.shake(); err != nil {
		return err
	}
	from := c.peer
	var f framer
	chunk := make([]byte, 8<<10)
	proved := !c.accepted // who connects to us has to say something soon
	began := time.Now()   // of the message that is not whole yet
	last := time.Now()    // a message came
	pinged := false
	for {
		deadline := last.Add(s.cfg.Idle)
		if f.begun() || !proved {
			deadline = began.Add(s.cfg.MessageTime)
		}
		ping := time.Now().Add(s.cfg.KeepAlive)
		pings := !c.accepted && !f.begun() && ping.Before(deadline)
		if pings {
			_ = c.conn.SetReadDeadline(ping)
		} else {
			_ = c.conn.SetReadDeadline(deadline)
		}
		n, err := c.conn.Read(chunk)
		switch {
		case err != nil && pings && errors.Is(err, os.ErrDeadlineExceeded):
			if pinged = true; c.write(keepAlive) != nil {
				return err
			}
			continue
		case pinged && !f.begun() && bytes.Equal(chunk[:n], crlf): // the pong
			pinged = false
			c.sound()
			continue
		}
		if err != nil {
			c.alerted(err)
			return err
		}
		if !f.begun() && proved {
			began = time.Now()
		}
		f.feed(chunk[:n])
		handled, ok := c.drain(&f, from)
		if handled {
			proved, began = true, time.Now()
			last = began
			c.sound()
		}
		if !ok {
			return errOutOfStep
		}
	}
}

// sound notes that the peer speaks SIP.
func (c *tcpConn) sound() {
	if !c.heard && !c.accepted {
		c.side.proven(c.peer)
	}
	c.heard = true
}

// drain handles what is whole. It tells whether anything was, and whether the
// connection may go on.
func (c *tcpConn) drain(f *framer, from Peer) (handled, ok bool) {
	s := c.side.stack
	for {
		msg, err := f.next()
		switch {
		case errors.Is(err, errPing):
			if handled = true; c.write(crlf) != nil {
				return handled, false
			}
		case err != nil:
			s.misframed(msg, err, from)
			c.linger()
			return handled, false
		case msg == nil:
			return handled, true
		case !s.guard.pass(from): // over a stream a sender can wait: who does not is let go
			s.dropped.Add(1)
			c.linger()
			return handled, false
		default:
			if s.take(msg, true, from) {
				handled = true
			}
		}
	}
}

// linger lets the peer read what was said last: a connection that is closed
// with bytes unread is reset, and the refusal lost.
func (c *tcpConn) linger() {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.CopyN(io.Discard, c.conn, maxDatagram)
	}
}

func (c *tcpConn) write(raw []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := c.conn.Write(raw); err != nil {
		_ = c.conn.Close() // a part may have been written: nothing may follow it
		return &sendError{len(raw), c.peer.Addr, err}
	}
	return nil
}
