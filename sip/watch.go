package sip

import (
	"time"

	"axgate/events"
	"axgate/media"
	"axgate/routing"
)

// Watch is told of calls, for figures and traces. It must not block, and keeps
// nothing that it is given but copies.
type Watch interface {
	// Refused tells of an INVITE that was answered 503, or passed over, before it was a call.
	Refused(why Refusal)
	// Ended tells of every call at its tear-down: once its legs are hung up.
	Ended(e *Ended)
	// Settled tells of it again once nothing of it is open: its record is durable.
	Settled(e *Ended)
}

// Refusal is why one more call is not taken, in a word.
type Refusal string

// The refusals of calls that have only come.
const (
	RefusedDraining Refusal = "draining" // the node is about to end
	RefusedCrowded  Refusal = "crowded"  // too many calls are up, or not decided yet
	RefusedRate     Refusal = "rate"     // too many new ones a second
	RefusedStale    Refusal = "stale"    // it came while the process stood still, and others could have had it
)

// Ended is a call that has ended.
type Ended struct {
	Call    *events.Call
	End     routing.End
	Decided time.Time      // when the rules had decided; zero: they were not asked
	Stats   [2]media.Stats // of the caller's and the callee's audio
	Tried   int            // INVITEs to callees, one after the other
	Settled time.Time      // when nothing was open any more; zero: something is
}

// unwatched is who watches if nobody does.
type unwatched struct{}

func (unwatched) Refused(Refusal) {}
func (unwatched) Ended(*Ended)    {}
func (unwatched) Settled(*Ended)  {}

// watched notes how the call ended, for who watches.
func (c *call) watched(end routing.End, stats [2]media.Stats) {
	if c.srv.cfg.Watch == Watch(unwatched{}) {
		return
	}
	c.ended = &Ended{Call: &c.rec, End: end, Decided: c.decided, Stats: stats, Tried: len(c.tried)}
	c.srv.cfg.Watch.Ended(c.ended)
}

func (c *call) settled() {
	if c.ended != nil {
		c.ended.Settled = time.Now()
		c.srv.cfg.Watch.Settled(c.ended)
	}
}

// Begun counts the calls that were begun.
func (s *Server) Begun() uint64 { return s.count.Load() }

// Draining tells that no new calls are taken.
func (s *Server) Draining() bool { return s.closedDoor() }

// Open tells that the sockets are.
func (s *Server) Open() bool { return !s.stack.Closed() }

// Moves tells that the tables of calls can be had: nobody holds them for ever.
// It waits for as long as somebody does.
func (s *Server) Moves() {
	s.mu.Lock()
	defer s.mu.Unlock()
}
