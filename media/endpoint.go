package media

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

// endpoint is one socket of a leg, for RTP or for RTCP, and the peer's address at its other end.
type endpoint struct {
	leg  *leg
	sock *udp.Socket

	dest    netip.AddrPort // where to send; invalid: nowhere yet
	kernel  udp.Destination
	control bool           // RTCP
	pinned  bool           // the socket is connected to source
	drained bool           // what was queued before it was connected is read
	source  netip.AddrPort // the only source that is believed; invalid: not latched
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
	e.leg.call.worker.flush() // what is queued goes to the peer that the socket is connected to
	return e.sock.Disconnect()
}

// afterConnect bounds how many datagrams queued before a connect are looked at in one go.
const afterConnect = 64

// ready reads what epoll announced. Level-triggered epoll comes back for more, so one datagram at a time is fair to the
// other sockets and saves the call that would find the queue empty.
func (e *endpoint) ready(w *worker, now int64) {
	if e.settled() {
		if n, errno := e.sock.Receive(w.in[:]); errno == 0 {
			e.take(w, w.in[:], n, e.source, now)
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
		e.take(w, w.in[:], n, from, now)
		if !e.pinned {
			return
		}
	}
}

// settled says that the kernel lets nobody through but the source that is believed.
func (e *endpoint) settled() bool { return e.pinned && e.drained }

// take handles a datagram of n bytes in buf.
func (e *endpoint) take(w *worker, buf []byte, n int, from netip.AddrPort, now int64) {
	l := e.leg
	switch {
	case e.source.IsValid() && from != e.source:
		l.count.foreign++
	case n > len(buf):
		l.count.dropped++
	case e.control:
		l.controlReceived(buf[:n], from, now)
	default:
		l.received(buf[:n], from, now)
	}
}

// send sends a datagram to the peer; false: it did not leave. One that waits in the worker's batch has left.
func (e *endpoint) send(b []byte) bool {
	if !e.dest.IsValid() {
		return false
	}
	if w := e.leg.call.worker; w.batch.ring != nil && e.pinned && e.dest == e.source {
		w.batch.send(w, e, b)
		return true
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
