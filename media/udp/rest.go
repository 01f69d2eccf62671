package udp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// mostLeft is how many datagrams Wake drops: more than a queue of the kernel's default size holds.
const mostLeft = 1024

// Rest makes the socket as deaf as a closed one while its port stays bound: it is connected to itself, so that whatever
// comes from elsewhere is answered by ICMP port unreachable and queued nowhere. What was queued before stays in the queue.
// A socket that was opened with port 0 cannot rest: the kernel takes the port that it chose back with the connection.
func (s *Socket) Rest() error {
	if s.own.raw.Port == 0 {
		return fmt.Errorf("rest on %v: %w", s.own.addrPort(), unix.EINVAL)
	}
	return s.connect(&s.own)
}

// Wake ends Rest: the socket is unconnected, its queue empty, and errors of earlier datagrams are forgotten. The queue is
// emptied while still nothing can enter it, so that all it ever gives was sent after Wake began.
func (s *Socket) Wake() error {
	if err := s.drop(); err != nil {
		return err
	}
	return s.Disconnect()
}

// drop empties the queue.
func (s *Socket) drop() error {
	var buf [1]byte
	for range mostLeft {
		if _, errno := s.Receive(buf[:]); errno == unix.EAGAIN {
			return nil
		}
	}
	return fmt.Errorf("wake the UDP socket of %v: its queue does not end", s.own.addrPort())
}
