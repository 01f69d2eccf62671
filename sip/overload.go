package sip

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/identity"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// Bounds of calls that have only come: what is more is refused without a trace
// but a count, so that a flood costs no memory and no write.
const (
	maxArriving  = 2000 // calls of which nothing is decided yet
	overflow     = 100  // calls above sip.max_calls that still get a record of their refusal
	causeTooMuch = 42   // Q.850: switching equipment congestion
	shedStep     = 10 * time.Second
)

// overload keeps the rates of new calls, and says which are too many.
type overload struct {
	arriving atomic.Int64

	mu       sync.Mutex
	node     bucket
	incoming map[*trunk.Trunk]*bucket
	outgoing map[*trunk.Trunk]*bucket
	dropped  uint64 // calls since the start
	unsaid   uint64 // of these, not in the log yet
	said     time.Time
}

// bucket lets calls through at a rate, and those of one second at once.
type bucket struct {
	tokens float64
	filled time.Time
}

func (b *bucket) take(rate int, now time.Time) bool {
	if rate <= 0 {
		return true
	}
	if b.filled.IsZero() {
		b.tokens = float64(rate)
	} else {
		b.tokens = min(float64(rate), b.tokens+float64(rate)*now.Sub(b.filled).Seconds())
	}
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// takeOf takes from the bucket of a trunk; one without a limit has none.
func takeOf(all *map[*trunk.Trunk]*bucket, t *trunk.Trunk, now time.Time) bool {
	if t == nil || t.Way.MaxCPS == 0 {
		return true
	}
	if *all == nil {
		*all = make(map[*trunk.Trunk]*bucket)
	}
	b := (*all)[t]
	if b == nil {
		b = new(bucket)
		(*all)[t] = b
	}
	return b.take(t.Way.MaxCPS, now)
}

// in tells whether one more call from a trunk or a phone (nil) may begin.
func (o *overload) in(t *trunk.Trunk, most int, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return takeOf(&o.incoming, t, now) && o.node.take(most, now)
}

// out tells whether one more call may go out over a trunk now.
func (o *overload) out(t *trunk.Trunk, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return takeOf(&o.outgoing, t, now)
}

// count notes a call that was refused; it returns how many there were since the
// log was told, 0 if it is not time to tell it again.
func (o *overload) count(now time.Time) uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dropped++
	o.unsaid++
	if now.Sub(o.said) < shedStep {
		return 0
	}
	n := o.unsaid
	o.unsaid, o.said = 0, now
	return n
}

// shed refuses a new call that is one too many, before anything is done for it;
// it tells whether it did. What belongs to a dialog is never refused so.
func (s *Server) shed(tx *wire.ServerTx, who origin) bool {
	now := time.Now()
	crowded := s.overload.arriving.Load() >= maxArriving || s.cfg.MaxCalls > 0 && s.Calls() >= s.cfg.MaxCalls+overflow
	if !crowded && s.overload.in(who.trunk, s.cfg.MaxCPS, now) {
		return false
	}
	why := RefusedRate
	if crowded {
		why = RefusedCrowded
	}
	s.cfg.Watch.Refused(why)
	if n := s.overload.count(now); n > 0 {
		s.log.Warn().Uint64("calls", n).Str("last_from", originName(who)).Msg("more calls than are taken: they are refused")
	}
	s.reply(tx, sip.StatusServiceUnavailable, "Service Unavailable", s.retryAfter(), sip.NewHeader("Reason", identity.Reason(causeTooMuch)))
	return true
}

func originName(who origin) string {
	if who.trunk == nil {
		return "a phone"
	}
	return who.trunk.Name
}

// Shed counts the new calls that were refused because there were too many.
func (s *Server) Shed() uint64 {
	s.overload.mu.Lock()
	defer s.overload.mu.Unlock()
	return s.overload.dropped
}
