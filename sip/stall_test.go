package sip

import (
	"sync"
	"testing"
	"time"
)

// stalls are the times at which the machine let nobody of this process run who was
// due: by so much a timer may be late, and who notes what it sends.
type stalls struct {
	mu   sync.Mutex
	seen []stall
}

type stall struct {
	from, to time.Time
	late     time.Duration
}

// watchStalls watches until the end of the test.
func watchStalls(t *testing.T) *stalls {
	const step, usual = 5 * time.Millisecond, 5 * time.Millisecond
	s := &stalls{}
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			from := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(step):
			}
			to := time.Now()
			if late := to.Sub(from) - step; late > usual {
				s.mu.Lock()
				s.seen = append(s.seen, stall{from, to, late})
				s.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() { close(stop); done.Wait() })
	return s
}

// between is how long they were altogether between two instants.
func (s *stalls) between(from, to time.Time) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.seen {
		if one.to.After(from) && one.from.Before(to) {
			sum += one.late
		}
	}
	return sum
}
