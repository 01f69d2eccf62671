package wire

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
)

// maxDatagram is the largest SIP message read: all that UDP can carry.
const maxDatagram = 65535

// socketBuffer is the kernel's receive buffer: bursts wait there, not lost.
const socketBuffer = 4 << 20

// udpSocket is the one socket all SIP over UDP leaves from and arrives at.
type udpSocket struct{ conn *net.UDPConn }

func openUDP(addr string) (*udpSocket, error) {
	ua, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp", ua)
	if err != nil {
		return nil, err
	}
	_ = c.SetReadBuffer(socketBuffer) // the kernel's limit may be lower: then that is what we get
	_ = c.SetWriteBuffer(socketBuffer)
	return &udpSocket{conn: c}, nil
}

func (u *udpSocket) write(raw []byte, to netip.AddrPort) error {
	if _, err := u.conn.WriteToUDPAddrPort(raw, to); err != nil {
		return &sendError{len(raw), to, err}
	}
	return nil
}

func (s *Stack) readUDP() {
	buf := make([]byte, maxDatagram)
	for {
		n, src, err := s.udp.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // a connection-refused report of an earlier datagram
		}
		from := Peer{Addr: netip.AddrPortFrom(src.Addr().Unmap(), src.Port()), Transport: "UDP"}
		data := buf[:n]
		if len(bytes.Trim(data, "\r\n\x00")) == 0 {
			continue // a keep-alive
		}
		if !s.handler.Accept(from) || !s.guard.pass(from) {
			s.dropped.Add(1)
			continue
		}
		s.take(data, false, from)
	}
}

// udpLink is the socket seen from one transaction: whatever it sends goes to
// the address the transaction was made for (RFC 3261 17.1.1.2: the ACK too).
type udpLink struct {
	socket *udpSocket
	to     netip.AddrPort
}

func (l *udpLink) write(raw []byte) error { return l.socket.write(raw, l.to) }
