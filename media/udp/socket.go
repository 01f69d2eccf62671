// Package udp is a non-blocking UDP socket of Linux for loops that count their system calls: it allocates nothing per
// datagram, and its calls do not tell the scheduler that they are system calls, because they never wait.
package udp

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Socket is a bound datagram socket. It is used from one goroutine at a time.
type Socket struct {
	fd int
	v6 bool
}

// Open binds a non-blocking socket to addr. It never fragments what it sends (IP_MTU_DISCOVER=DO): audio packets are
// small, and the kernel then spends nothing on fragment identifiers. An address in use is unix.EADDRINUSE.
func Open(addr netip.AddrPort) (*Socket, error) {
	ip := addr.Addr().Unmap()
	s := &Socket{v6: ip.Is6()}
	family, level, option, value := unix.AF_INET, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO
	if s.v6 {
		family, level, option, value = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return nil, fmt.Errorf("make a UDP socket: %w", err)
	}
	s.fd = fd
	if err := unix.SetsockoptInt(fd, level, option, value); err != nil {
		return nil, s.abandon(fmt.Errorf("forbid fragments on %v: %w", addr, err))
	}
	if s.v6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return nil, s.abandon(fmt.Errorf("keep %v to IPv6: %w", addr, err))
		}
	}
	to := Addr(netip.AddrPortFrom(ip, addr.Port()))
	if _, _, errno := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&to.raw)), uintptr(to.length())); errno != 0 {
		return nil, s.abandon(fmt.Errorf("bind UDP %v: %w", addr, errno))
	}
	return s, nil
}

func (s *Socket) abandon(err error) error {
	_ = unix.Close(s.fd)
	return err
}

// FD is the descriptor, for an epoll set. The socket still owns it.
func (s *Socket) FD() int { return s.fd }

// Close closes the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }

// Receive reads one datagram of a connected socket. A datagram longer than buf gives a length above len(buf) and is cut;
// an empty queue gives EAGAIN.
func (s *Socket) Receive(buf []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))),
		uintptr(len(buf)), unix.MSG_TRUNC, 0, 0)
	return int(n), errno
}

// ReceiveFrom is Receive that also says where the datagram came from.
func (s *Socket) ReceiveFrom(buf []byte) (int, netip.AddrPort, unix.Errno) {
	var from Destination
	size := uint32(unsafe.Sizeof(from.raw))
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))),
		uintptr(len(buf)), unix.MSG_TRUNC, uintptr(unsafe.Pointer(&from.raw)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, netip.AddrPort{}, errno
	}
	return int(n), from.addrPort(), 0
}

// Send sends b to the address that the socket is connected to.
func (s *Socket) Send(b []byte) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	return errno
}

// SendTo sends b to an address, also from a connected socket.
func (s *Socket) SendTo(b []byte, to *Destination) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.raw)), uintptr(to.length()))
	return errno
}

// Connect makes the kernel drop what other sources send from now on. Datagrams queued before stay in the queue.
func (s *Socket) Connect(to netip.AddrPort) error {
	dest := Addr(to)
	if _, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&dest.raw)), uintptr(dest.length())); errno != 0 {
		return fmt.Errorf("connect UDP to %v: %w", to, errno)
	}
	return nil
}

// Disconnect undoes Connect; the socket stays bound.
func (s *Socket) Disconnect() error {
	nowhere := unix.RawSockaddrInet6{Family: unix.AF_UNSPEC}
	if _, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&nowhere)), unix.SizeofSockaddrInet4); errno != 0 {
		return fmt.Errorf("un-connect UDP: %w", errno)
	}
	return nil
}
