// Package ports hands out pairs of neighbouring UDP ports from a range: an even one for RTP and the odd one above it for
// RTCP (RFC 3550 section 11).
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ErrExhausted says that the whole ring was walked and no pair could be had.
var ErrExhausted = errors.New("no free RTP port pair")

// Pool is a ring of port pairs. Pairs are used in order, from a random start, and come back at the end of the line, so
// that a pair rests as long as the range allows, and never less than the quarantine: what a phone of the last call still
// sends must not reach the next one. A Pool may be used from several goroutines.
type Pool struct {
	low, high  uint16 // of the first and the last pair
	quarantine time.Duration

	mu    sync.Mutex
	ring  []waiting // as long as there are pairs
	head  int
	count int // pairs that wait in ring, ordered by ready
}

type waiting struct {
	port  uint16
	ready time.Time
}

// New makes a pool of the pairs that lie wholly between min and max.
func New(min, max uint16, quarantine time.Duration) (*Pool, error) {
	low, high := int(min)+int(min)&1, int(max)-1
	high -= high & 1
	if min == 0 || high < low {
		return nil, fmt.Errorf("RTP port range %d-%d holds no pair: it needs an even port above 0 and the odd one after it", min, max)
	}
	p := &Pool{low: uint16(low), high: uint16(high), quarantine: quarantine, ring: make([]waiting, (high-low)/2+1)}
	start := rand.IntN(len(p.ring))
	for i := range p.ring {
		p.ring[i].port = uint16(low + 2*((start+i)%len(p.ring)))
	}
	p.count = len(p.ring)
	return p, nil
}

// Take finds the next pair for which open succeeds. A pair whose port is in use by another program is passed over; any
// other error of open is final. Open is called without a lock held.
func (p *Pool) Take(open func(port uint16) error) (uint16, error) {
	foreign := 0
	for range p.ring {
		port, ok := p.next()
		if !ok {
			break
		}
		err := open(port)
		if err == nil {
			return port, nil
		}
		p.Release(port)
		if !errors.Is(err, unix.EADDRINUSE) {
			return 0, err
		}
		foreign++
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return 0, fmt.Errorf("%w: of %d pairs in %d-%d, %d are in calls, %d rest after use, %d are taken by other programs",
		ErrExhausted, len(p.ring), p.low, p.high+1, len(p.ring)-p.count, max(p.count-foreign, 0), foreign)
}

func (p *Pool) next() (uint16, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 || p.ring[p.head].ready.After(time.Now()) {
		return 0, false
	}
	port := p.ring[p.head].port
	p.head = (p.head + 1) % len(p.ring)
	p.count--
	return port, true
}

// Release gives a pair back whose sockets are closed.
func (p *Pool) Release(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == len(p.ring) {
		return
	}
	p.ring[(p.head+p.count)%len(p.ring)] = waiting{port: port, ready: time.Now().Add(p.quarantine)}
	p.count++
}

// Pairs is how many there are.
func (p *Pool) Pairs() int { return len(p.ring) }

// Free is how many pairs could be taken now.
func (p *Pool) Free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return sort.Search(p.count, func(i int) bool { return p.ring[(p.head+i)%len(p.ring)].ready.After(now) })
}
