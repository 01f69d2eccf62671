package udp

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Destination is an address in the kernel's form, made once and used for many datagrams.
type Destination struct {
	// raw has room for either family; both begin with the family and the port in network order.
	raw unix.RawSockaddrInet6
}

// Addr converts an address. IPv6 zones are not carried: a link-local address cannot be sent to.
func Addr(a netip.AddrPort) Destination {
	var d Destination
	ip := a.Addr().Unmap()
	var port [2]byte
	binary.BigEndian.PutUint16(port[:], a.Port())
	d.raw.Port = binary.NativeEndian.Uint16(port[:])
	if ip.Is6() {
		d.raw.Family = unix.AF_INET6
		d.raw.Addr = ip.As16()
		return d
	}
	four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&d.raw))
	four.Family = unix.AF_INET
	four.Addr = ip.As4()
	return d
}

func (d *Destination) length() int {
	if d.raw.Family == unix.AF_INET6 {
		return unix.SizeofSockaddrInet6
	}
	return unix.SizeofSockaddrInet4
}

func (d *Destination) addrPort() netip.AddrPort {
	var port [2]byte
	binary.NativeEndian.PutUint16(port[:], d.raw.Port)
	p := binary.BigEndian.Uint16(port[:])
	if d.raw.Family == unix.AF_INET6 {
		return netip.AddrPortFrom(netip.AddrFrom16(d.raw.Addr).Unmap(), p)
	}
	four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&d.raw))
	return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), p)
}
