package wire

import (
	"bytes"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxDatagram is the largest SIP message read: all that UDP can carry.
const maxDatagram = 65535

// socketBuffer is the kernel's receive buffer: bursts wait there, not lost.
const socketBuffer = 4 << 20

// udpSocket is the one socket all SIP over UDP leaves from and arrives at. Its
// system calls never wait, so the scheduler is not told of them: that costs more
// than they do, and wakes its watchman each time.
type udpSocket struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	v6   bool // the socket is of IPv6, and IPv4 addresses are mapped
}

func openUDP(addr string) (*udpSocket, error) {
	ua, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp", ua)
	if err != nil {
		return nil, err
	}
	u := &udpSocket{conn: c}
	if u.raw, err = c.SyscallConn(); err == nil {
		err = u.raw.Control(func(fd uintptr) {
			name, fault := unix.Getsockname(int(fd))
			_, u.v6 = name.(*unix.SockaddrInet6)
			if err = fault; err != nil {
				return
			}
			for force, plain := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
				if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, force, socketBuffer) != nil { // only root may exceed the kernel's limit
					_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, plain, socketBuffer)
				}
			}
		})
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return u, nil
}

// buffer is what the kernel gives to what arrives.
func (u *udpSocket) buffer() (size int) {
	_ = u.raw.Control(func(fd uintptr) { size, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	return size
}

// sending is one datagram on its way.
type sending struct {
	raw   []byte
	to    sockaddr
	errno syscall.Errno
	try   func(fd uintptr) bool
	once  func(fd uintptr) // try without the lock that writers take turns by
}

var sendings = sync.Pool{New: func() any {
	s := new(sending)
	s.try = s.send
	s.once = func(fd uintptr) { s.send(fd) }
	return s
}}

func (s *sending) send(fd uintptr) bool {
	for {
		_, _, s.errno = syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(s.raw))), uintptr(len(s.raw)),
			unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&s.to.raw)), s.to.length())
		if s.errno != unix.EINTR {
			return s.errno != unix.EAGAIN
		}
	}
}

func (u *udpSocket) write(raw []byte, to netip.AddrPort) error {
	var err error
	if to.Addr().Zone() != "" {
		_, err = u.conn.WriteToUDPAddrPort(raw, to)
	} else {
		s := sendings.Get().(*sending)
		s.raw, s.to = raw, sockaddrOf(to, u.v6)
		if err = u.raw.Control(s.once); err == nil && s.errno == unix.EAGAIN {
			err = u.raw.Write(s.try)
		}
		if err == nil && s.errno != 0 {
			err = s.errno
		}
		s.raw = nil
		sendings.Put(s)
	}
	if err != nil {
		return &sendError{len(raw), to, err}
	}
	return nil
}

// readUDP hands on what arrives until the socket is closed.
func (s *Stack) readUDP() {
	b := newBatch()
	_ = s.udp.raw.Read(func(fd uintptr) bool {
		for {
			n := b.receive(fd)
			for i := range n {
				s.datagram(b.datagram(i))
			}
			if n < batchSize { // what comes later is told of
				return false
			}
		}
	})
}

func (s *Stack) datagram(data []byte, src netip.AddrPort) {
	from := Peer{Addr: src, Transport: "UDP"}
	if len(bytes.Trim(data, "\r\n\x00")) == 0 {
		return // a keep-alive
	}
	if !s.handler.Accept(from) || !s.guard.pass(from) {
		s.dropped.Add(1)
		return
	}
	s.take(data, false, from)
}

// udpLink is the socket seen from one transaction: whatever it sends goes to
// the address the transaction was made for (RFC 3261 17.1.1.2: the ACK too).
type udpLink struct {
	socket *udpSocket
	to     netip.AddrPort
}

func (l *udpLink) write(raw []byte) error { return l.socket.write(raw, l.to) }
