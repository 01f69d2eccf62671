// Package wire is UDP of Linux for one thread that must cost little: many
// datagrams of a system call, the kernel's own time of each that comes, no
// allocation, and a wait for sockets and a clock together.
package wire

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batch   = 64   // datagrams of a system call
	longest = 4096 // bytes of a datagram; what is longer is cut
	notes   = 64   // bytes of what the kernel tells beside a datagram
)

// mmsghdr is struct mmsghdr of <sys/socket.h>.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// Socket is a bound, non-blocking UDP socket over IPv4. It is used by one
// goroutine at a time.
type Socket struct {
	fd      int
	local   netip.AddrPort
	in, out [batch]mmsghdr
	inVec   [batch]unix.Iovec
	outVec  [batch]unix.Iovec
	from    [batch]Address
	note    [batch][notes]byte
	buf     [batch][longest]byte
	queued  int
}

// Listen binds a socket; port 0 is any. The kernel keeps up to buffer bytes
// that were not read yet.
func Listen(at netip.AddrPort, buffer int) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return nil, fmt.Errorf("make a UDP socket: %w", err)
	}
	s := &Socket{fd: fd}
	if err := s.prepare(at, buffer); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("listen on %v: %w", at, err)
	}
	for i := range batch {
		s.inVec[i].Base = &s.buf[i][0]
		s.inVec[i].SetLen(longest)
		h := &s.in[i].hdr
		h.Name, h.Iov, h.Control = (*byte)(unsafe.Pointer(&s.from[i].raw)), &s.inVec[i], &s.note[i][0]
		h.SetIovlen(1)
		s.out[i].hdr.Iov = &s.outVec[i]
		s.out[i].hdr.SetIovlen(1)
	}
	return s, nil
}

func (s *Socket) prepare(at netip.AddrPort, buffer int) error {
	// Force needs a privilege; without it the kernel's limit holds.
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fmt.Errorf("ask for the kernel's time: %w", err)
	}
	if err := unix.Bind(s.fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		return err
	}
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	s.local = netip.AddrPortFrom(at.Addr(), uint16(name.(*unix.SockaddrInet4).Port))
	return nil
}

// Local is the address that the socket is bound to.
func (s *Socket) Local() netip.AddrPort { return s.local }

// FD is the descriptor, for a poll of somebody else.
func (s *Socket) FD() int { return s.fd }

// Close closes the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }

// Receive hands over what has come, at most 64 datagrams, with the sender and
// the kernel's time of arrival in ns since 1970. The bytes are good until take
// returns. more tells that there may be others.
func (s *Socket) Receive(take func(datagram []byte, from *Address, at int64)) (more bool, err error) {
	for i := range batch {
		s.in[i].hdr.Namelen = unix.SizeofSockaddrInet4
		s.in[i].hdr.SetControllen(notes)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.in[0])), batch, unix.MSG_DONTWAIT, 0, 0)
	switch errno {
	case 0:
	case unix.EAGAIN, unix.EINTR, unix.ECONNREFUSED:
		return false, nil
	default:
		return false, fmt.Errorf("receive on %v: %w", s.local, errno)
	}
	for i := range int(n) {
		take(s.buf[i][:min(s.in[i].n, longest)], &s.from[i], s.arrival(i))
	}
	return n == batch, nil
}

// arrival finds the kernel's time among its notes.
func (s *Socket) arrival(i int) int64 {
	note := s.note[i][:s.in[i].hdr.Controllen]
	for len(note) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&note[0]))
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS {
			t := (*unix.Timespec)(unsafe.Pointer(&note[unix.CmsgLen(0)]))
			return t.Nano()
		}
		step := unix.CmsgSpace(int(h.Len) - unix.CmsgLen(0))
		if step <= 0 || step > len(note) {
			break
		}
		note = note[step:]
	}
	return Now()
}

// Send sends a datagram. A queue that is full is an error too: unix.EAGAIN.
func (s *Socket) Send(datagram []byte, to *Address) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(datagram))), uintptr(len(datagram)),
		unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.raw)), unix.SizeofSockaddrInet4)
	if errno != 0 && errno != unix.ECONNREFUSED { // a port that is closed by now is the receiver's matter
		return errno
	}
	return nil
}

// Queue keeps a datagram for Flush; its bytes and its address have to stay
// as they are until then. It tells whether the queue is full.
func (s *Socket) Queue(datagram []byte, to *Address) (full bool) {
	h := &s.out[s.queued].hdr
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&to.raw)), unix.SizeofSockaddrInet4
	s.outVec[s.queued].Base = unsafe.SliceData(datagram)
	s.outVec[s.queued].SetLen(len(datagram))
	s.queued++
	return s.queued == batch
}

// Flush sends what is queued and tells how many datagrams the kernel refused.
func (s *Socket) Flush() (refused int) {
	for done := 0; done < s.queued; {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.out[done])), uintptr(s.queued-done), unix.MSG_NOSIGNAL, 0, 0)
		switch {
		case errno == 0:
			done += int(n)
		case errno == unix.EINTR || errno == unix.ECONNREFUSED: // the news of an earlier datagram: this one was not tried
		default:
			done++
			refused++
		}
	}
	s.queued = 0
	return refused
}

// Dropped is how many datagrams the kernel has thrown away because they were
// not read in time.
func (s *Socket) Dropped() (int, error) {
	const drops, words = 8, 9 // SK_MEMINFO_DROPS, SK_MEMINFO_VARS of <linux/sock_diag.h>
	var info [words]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO, uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, fmt.Errorf("ask what was dropped on %v: %w", s.local, errno)
	}
	return int(info[drops]), nil
}
