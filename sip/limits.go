package sip

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/trunk"
)

// longestRest is the most that a server's Retry-After is obeyed.
const longestRest = 5 * time.Minute

// limits is what the trunks carry now, and which of their servers asked for a
// rest.
type limits struct {
	mu    sync.Mutex
	calls map[*trunk.Trunk]int
	rests map[place]time.Time
}

// enter counts one more leg on a trunk, unless it carries all that it may. A
// phone (nil) always may.
func (l *limits) enter(t *trunk.Trunk) bool {
	if t == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.MaxCalls > 0 && l.calls[t] >= t.MaxCalls {
		return false
	}
	if l.calls == nil {
		l.calls = make(map[*trunk.Trunk]int)
	}
	l.calls[t]++
	return true
}

// carry counts a leg of a call that is up already, whatever its trunk may carry.
func (l *limits) carry(t *trunk.Trunk) {
	if t == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls == nil {
		l.calls = make(map[*trunk.Trunk]int)
	}
	l.calls[t]++
}

func (l *limits) leave(t *trunk.Trunk) {
	if t == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[t]--
}

// rest obeys the Retry-After of a 503 or 500: the server gets no call before it
// is over (RFC 3261 sections 21.5.1 and 21.5.4).
func (l *limits) rest(r route, res *sip.Response, now time.Time) {
	h := res.GetHeader("Retry-After")
	if r.trunk == nil || h == nil || res.StatusCode != sip.StatusServiceUnavailable && res.StatusCode != sip.StatusInternalServerError {
		return
	}
	text := strings.TrimSpace(h.Value())
	if i := strings.IndexAny(text, " ;("); i >= 0 {
		text = text[:i]
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rests == nil {
		l.rests = make(map[place]time.Time)
	}
	for p, until := range l.rests { // servers of names come and go
		if now.After(until) {
			delete(l.rests, p)
		}
	}
	l.rests[placeOf(r)] = now.Add(min(time.Duration(n)*time.Second, longestRest))
}

// count is how many legs a trunk carries now.
func (l *limits) count(t *trunk.Trunk) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[t]
}

// restsUntil is when the rest of a server is over; zero if it has none.
func (l *limits) restsUntil(r route, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := l.rests[placeOf(r)]; now.Before(until) {
		return until
	}
	return time.Time{}
}

func (l *limits) resting(r route, now time.Time) bool {
	if r.trunk == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Before(l.rests[placeOf(r)])
}

// full tells whether this call is one more than the node may carry.
func (s *Server) full() bool { return s.cfg.MaxCalls > 0 && s.Calls() > s.cfg.MaxCalls }
