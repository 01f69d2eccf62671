package main

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// audio forwards datagrams between connected sockets.
type audio struct {
	epoll  int
	peer   []int32 // by descriptor: to which what comes is sent; 0: to nobody
	events [128]unix.EpollEvent
	packet [2048]byte
}

const most = 1 << 16 // descriptors

func (a *audio) open() (err error) {
	a.peer = make([]int32, most)
	a.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return err
}

func (a *audio) watch(fd int) error {
	return unix.EpollCtl(a.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// connect opens a socket whose only partner is at an address.
func (a *audio) connect(local, at netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return 0, fmt.Errorf("make a socket of a leg: %w", err)
	}
	for _, do := range []func() error{
		func() error {
			return unix.Bind(fd, &unix.SockaddrInet4{Port: int(local.Port()), Addr: local.Addr().As4()})
		},
		func() error {
			return unix.Connect(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
		},
		// Without it the kernel finds a number for each packet's fragments.
		func() error {
			return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
		},
		func() error { return a.watch(fd) },
	} {
		if err := do(); err != nil {
			_ = unix.Close(fd)
			return 0, fmt.Errorf("connect a leg %v with %v: %w", local, at, err)
		}
	}
	return fd, nil
}

// end closes a call's sockets.
func (a *audio) end(c *call) {
	for _, leg := range c.legs {
		for _, fd := range leg {
			if fd > 0 {
				a.peer[fd] = 0
				_ = unix.Close(fd)
			}
		}
	}
}

// serve forwards for ever, and gives way to signalling when its socket has
// something. A call to the kernel that does not wait need not be told to the
// scheduler, and the one that waits has no other goroutine to make room for.
func (a *audio) serve(sip int, signal func() error) error {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(a.epoll), uintptr(unsafe.Pointer(&a.events[0])), uintptr(len(a.events)), ^uintptr(0), 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return fmt.Errorf("wait for packets: %w", errno)
		}
		for i := range n {
			fd := int(a.events[i].Fd)
			if fd == sip {
				if err := signal(); err != nil {
					return err
				}
				continue
			}
			a.forward(fd)
		}
	}
}

func (a *audio) forward(fd int) {
	at := uintptr(unsafe.Pointer(&a.packet[0]))
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), at, uintptr(len(a.packet)), 0, 0, 0)
	if peer := a.peer[fd]; errno == 0 && peer > 0 {
		_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(peer), at, n, unix.MSG_NOSIGNAL, 0, 0)
	}
}
