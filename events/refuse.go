package events

import (
	"errors"
	"net/netip"
	"syscall"
)

var errRefused = errors.New("the address is in a refused network")

// refuse keeps a dialer out of networks. It looks at the address that is dialed,
// after DNS, so that no name can lead there.
func refuse(networks []netip.Prefix) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errRefused
		}
		ip := at.Addr().Unmap().WithZone("")
		for _, n := range networks {
			if n.Contains(ip) {
				return errRefused
			}
		}
		return nil
	}
}
