package wire

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// deadTime is how long the peer's host may leave what we sent unacknowledged.
// On its own the kernel repeats it for a quarter of an hour when the way is
// gone, or a firewall has forgotten it, and so long all requests would go there.
const deadTime = 30 * time.Second

// mortal has a connection end when its way is gone. Where the kernel does not
// take that, its own time counts.
func mortal(c net.Conn) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(deadTime.Milliseconds()))
	})
}
