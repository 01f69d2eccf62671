package wire

import (
	"sync"
	"time"
)

// lateAnswers remembers what a finished transaction said last, so that a
// retransmission that arrives after its end is answered, or absorbed, without
// keeping the transaction (RFC 3261 timers D, I, J; RFC 6026 timers L, M).
// Two generations are kept; the older is dropped whole, which costs nothing
// per entry: an entry lives for one to two spans, or shorter if a generation
// gets too large before.
type lateAnswers struct {
	mu       sync.Mutex
	span     time.Duration
	turned   time.Time
	new, old map[string]answer
	bytes    int // of the answers in new

	most, mostBytes int // of a generation
}

// The bounds of a generation: some 2,000 calls a second fill it in 64*T1. What a
// flood costs in memory is twice that.
const (
	maxLate      = 1 << 18
	maxLateBytes = 64 << 20
)

// answer is what a repetition gets; without bytes it is absorbed.
type answer struct {
	raw      []byte
	accepted bool   // a 2xx to an INVITE: an ACK with the same key is the dialog's
	tag      string // of To, if it was to an INVITE: a CANCEL gets the same
}

func (l *lateAnswers) init(span time.Duration) {
	l.span, l.turned, l.most, l.mostBytes = span, time.Now(), maxLate, maxLateBytes
	l.new, l.old = make(map[string]answer), nil
}

func (l *lateAnswers) put(key string, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.turned) > l.span || len(l.new) >= l.most || l.bytes >= l.mostBytes {
		l.old, l.new, l.turned, l.bytes = l.new, make(map[string]answer), now, 0
	}
	l.new[key] = a
	l.bytes += len(a.raw)
}

func (l *lateAnswers) get(key string) (answer, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a, ok := l.new[key]; ok {
		return a, true
	}
	a, ok := l.old[key]
	return a, ok
}
