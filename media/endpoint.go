package media

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

// endpoint is one socket of a leg, for RTP or for RTCP, and the peer's address at its other end.
type endpoint struct {
	leg     *leg
	sock    *udp.Socket
	control bool // RTCP

	dest    netip.AddrPort // where to send; invalid: nowhere yet
	kernel  udp.Destination
	source  netip.AddrPort // the only source that is believed; invalid: not latched
	pinned  bool           // the socket is connected to source
	drained bool           // what was queued before it was connected is read
}

// aim sets where packets go.
func (e *endpoint) aim(to netip.AddrPort) {
	e.dest = to
	if to.IsValid() {
		e.kernel = udp.Addr(to)
	}
}

// latch believes from alone from now on. If the kernel refuses to filter, the source is compared here instead.
func (e *endpoint) latch(from netip.AddrPort) {
	e.source, e.drained = from, false
	e.pinned = e.sock.Connect(from) == nil
}

// release forgets the latched source. A socket that cannot be un-connected keeps hearing only the old one.
func (e *endpoint) release() error {
	e.source, e.drained = netip.AddrPort{}, false
	if !e.pinned {
		return nil
	}
	e.pinned = false
	return e.sock.Disconnect()
}

// afterConnect bounds how many datagrams queued before a connect are looked at in one go.
const afterConnect = 64

// ready reads what epoll announced. Level-triggered epoll comes back for more, so one datagram at a time is fair to the
// other sockets and saves the call that would find the queue empty.
func (e *endpoint) ready(w *worker) {
	if e.pinned && e.drained {
		if n, errno := e.sock.Receive(w.in[:]); errno == 0 {
			e.take(w, n, e.source)
		}
		return // an error was that of an earlier send, such as ECONNREFUSED: the peer may listen yet
	}
	for range afterConnect {
		n, from, errno := e.sock.ReceiveFrom(w.in[:])
		if errno == unix.EAGAIN && e.pinned {
			e.drained = true
		}
		if errno != 0 {
			return
		}
		e.take(w, n, from)
		if !e.pinned {
			return
		}
	}
}

func (e *endpoint) take(w *worker, n int, from netip.AddrPort) {
	l := e.leg
	switch {
	case e.source.IsValid() && from != e.source:
		l.count.foreign++
	case n > len(w.in):
		l.count.dropped++
	case e.control:
		l.controlReceived(w.in[:n], from, w.now())
	default:
		l.received(w.in[:n], from, w.now())
	}
}

// send sends a datagram to the peer; false: it did not leave.
func (e *endpoint) send(b []byte) bool {
	if !e.dest.IsValid() {
		return false
	}
	errno := e.write(b)
	if errno == unix.ECONNREFUSED { // tells of an earlier packet; this one was not sent
		errno = e.write(b)
	}
	if errno != 0 {
		e.leg.count.sendErrors++
	}
	return errno == 0
}

func (e *endpoint) write(b []byte) unix.Errno {
	if e.pinned && e.dest == e.source {
		return e.sock.Send(b)
	}
	return e.sock.SendTo(b, &e.kernel)
}
