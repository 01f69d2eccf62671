package wire

import "sync"

// turns has requests leave over connections in the order in which they were
// sent: to connect takes time, so each waits in a goroutine of its own, and
// without turns a BYE would overtake the INFO before it, which is then refused
// for its CSeq (RFC 3261 section 12.2.2).
type turns struct {
	mu   sync.Mutex
	last map[Peer]chan struct{} // closed when the last one that has a turn has left
}

// take is the place behind all that wait to leave to a peer. It is one's turn
// when before is closed, or at once if that is nil; left ends it.
func (t *turns) take(to Peer) (before <-chan struct{}, left func()) {
	mine := make(chan struct{})
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = make(map[Peer]chan struct{})
	}
	if last, ok := t.last[to]; ok {
		before = last
	}
	t.last[to] = mine
	return before, func() {
		close(mine)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.last[to] == mine {
			delete(t.last, to)
		}
	}
}
