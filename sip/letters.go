package sip

import (
	"sync"
	"time"
)

// letters is what the node remembers of the texts that go out. What a restart
// forgets costs a try that gets the answer of the one before.
type letters struct {
	rests limits // which trunks asked for a rest; calls have their own

	mu       sync.Mutex
	turned   time.Time
	new, old map[string]int // rounds by id, of the texts that failed last
}

// Bounds of the memory of rounds: an entry lives for one to two spans, which is
// longer than a text is tried.
const (
	roundSpan = 30 * time.Minute
	maxRounds = 50_000
)

// round is how many requests of a letter have ended, as far as this node knows.
func (l *letters) round(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, ok := l.new[id]; ok {
		return n
	}
	return l.old[id]
}

// ended notes that the request of a round has.
func (l *letters) ended(id string, round int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.new == nil || now.Sub(l.turned) > roundSpan || len(l.new) >= maxRounds {
		l.old, l.new, l.turned = l.new, make(map[string]int), now
	}
	l.new[id] = round + 1
}
