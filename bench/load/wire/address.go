package wire

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Address is an IPv4 address and port in the kernel's form.
type Address struct{ raw unix.RawSockaddrInet4 }

// To converts an address; IPv6 ones are not carried.
func To(a netip.AddrPort) Address {
	var to Address
	to.raw.Family, to.raw.Addr = unix.AF_INET, a.Addr().As4()
	binary.BigEndian.PutUint16(to.port()[:], a.Port())
	return to
}

// AddrPort converts it back.
func (a *Address) AddrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(a.raw.Addr), binary.BigEndian.Uint16(a.port()[:]))
}

// Next is the same host's next port.
func (a *Address) Next() Address {
	at := a.AddrPort()
	return To(netip.AddrPortFrom(at.Addr(), at.Port()+1))
}

func (a *Address) port() *[2]byte { return (*[2]byte)(unsafe.Pointer(&a.raw.Port)) }
