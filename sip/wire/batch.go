package wire

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is how many datagrams are read at once. With fewer than that the
// queue was empty, which spares the read that finds it so.
const batchSize = 8

// batch has room for datagrams and for where they came from.
type batch struct {
	room []byte // what is never written takes no memory
	from [batchSize]sockaddr
	iov  [batchSize]unix.Iovec
	msgs [batchSize]mmsghdr
}

// mmsghdr is that of recvmmsg(2).
type mmsghdr struct {
	hdr    unix.Msghdr
	length uint32
	_      [unsafe.Sizeof(uintptr(0)) - 4]byte
}

func newBatch() *batch {
	b := &batch{room: make([]byte, batchSize*maxDatagram)}
	for i := range b.msgs {
		b.iov[i].Base = &b.room[i*maxDatagram]
		b.iov[i].SetLen(maxDatagram)
		h := &b.msgs[i].hdr
		h.Iov, h.Name = &b.iov[i], (*byte)(unsafe.Pointer(&b.from[i].raw))
		h.SetIovlen(1)
	}
	return b
}

// receive reads what is there, without waiting, and tells how many datagrams.
func (b *batch) receive(fd uintptr) int {
	for {
		for i := range b.msgs {
			b.msgs[i].hdr.Namelen = uint32(unsafe.Sizeof(b.from[i].raw))
		}
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.msgs[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n)
		case unix.EINTR:
		default: // nothing there, or a report on an earlier datagram
			return 0
		}
	}
}

func (b *batch) datagram(i int) ([]byte, netip.AddrPort) {
	at := i * maxDatagram
	return b.room[at : at+int(b.msgs[i].length)], b.from[i].addrPort()
}

// sockaddr is an address in the kernel's form: both families begin with the
// family and the port in network order.
type sockaddr struct{ raw unix.RawSockaddrInet6 }

// sockaddrOf converts an address without a zone, for a socket of IPv6 or IPv4.
func sockaddrOf(a netip.AddrPort, v6 bool) (s sockaddr) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&s.raw.Port))[:], a.Port())
	ip := a.Addr().Unmap()
	if v6 || ip.Is6() {
		s.raw.Family, s.raw.Addr = unix.AF_INET6, ip.As16()
		return s
	}
	four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
	four.Family, four.Addr = unix.AF_INET, ip.As4()
	return s
}

func (s *sockaddr) length() uintptr {
	if s.raw.Family == unix.AF_INET6 {
		return unix.SizeofSockaddrInet6
	}
	return unix.SizeofSockaddrInet4
}

func (s *sockaddr) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&s.raw.Port))[:])
	if s.raw.Family != unix.AF_INET6 {
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw)).Addr), port)
	}
	ip := netip.AddrFrom16(s.raw.Addr).Unmap()
	if s.raw.Scope_id != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(s.raw.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, port)
}
