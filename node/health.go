package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	"axgate/health"
)

// checks are what is looked at once a second. None of them waits: they go by
// what the parts know of themselves, and by the survey.
func (n *Node) checks() []health.Check {
	media := health.NewPulse(stuckAfter, func() { _ = n.engine.Moves(context.Background()) })
	tables := health.NewPulse(stuckAfter, n.server.Moves)
	return []health.Check{
		{Name: "sip", Look: func() (health.Level, string) { return n.sipHealth(tables) }},
		{Name: "media", Look: func() (health.Level, string) { return n.mediaHealth(media) }},
		{Name: "drain", Look: n.drainHealth},
		{Name: "calls", Look: n.callsHealth},
		{Name: "redis", Look: n.redisHealth},
		{Name: "ledger", Look: n.ledgerHealth},
		{Name: "decisions", Look: n.decisionHealth},
		{Name: "cache", Look: n.cacheHealth()},
		{Name: "journal", Look: n.journalHealth},
		{Name: "refused", Look: n.refusedHealth},
		{Name: "recordings", Look: n.recordingHealth},
		{Name: "shared", Look: n.sharedHealth},
		{Name: "store", Look: n.storeHealth},
		{Name: "trunks", Look: n.trunkHealth},
		{Name: "disk", Look: n.diskHealth},
		{Name: "clock", Look: n.clockHealth},
		{Name: "outbox", Look: n.outboxHealth},
		{Name: "certificates", Look: n.certificateHealth},
	}
}

const (
	stuckAfter   = 15 * time.Second // of a worker that obeys nobody
	ledgerSilent = 3 * time.Second  // a node asks it twice a second
	storeFailing = 5 * time.Minute
	manyPieces   = 800 // of recordings, half a second each, that wait for the disk
	fewPorts     = 20  // one of so many is free
)

func fine() (health.Level, string) { return health.OK, "" }

func degraded(format string, args ...any) (health.Level, string) {
	return health.Degraded, fmt.Sprintf(format, args...)
}

func (n *Node) sipHealth(tables *health.Pulse) (health.Level, string) {
	if waits, still := tables.Still(); still {
		return health.Stuck, fmt.Sprintf("the tables of calls have been held for %v", waits.Round(time.Second))
	}
	if !n.server.Open() {
		return health.Down, "the SIP sockets are closed"
	}
	return fine()
}

func (n *Node) mediaHealth(workers *health.Pulse) (health.Level, string) {
	if waits, still := workers.Still(); still {
		return health.Stuck, fmt.Sprintf("a media worker has not moved for %v", waits.Round(time.Second))
	}
	switch free, all := n.engine.PortsFree(), n.engine.Ports(); {
	case free < 2:
		return health.Down, "no RTP ports are free: each call needs those of two legs"
	case free*fewPorts < all:
		return degraded("of the RTP ports of %d legs only those of %d are free", all, free)
	}
	return fine()
}

func (n *Node) drainHealth() (health.Level, string) {
	if n.server.Draining() || n.roster.Draining() {
		return health.Down, fmt.Sprintf("no new calls are taken, so that the node can end: %d calls are up", n.server.Calls())
	}
	return fine()
}

func (n *Node) callsHealth() (health.Level, string) {
	if most := n.cfg.SIP.MaxCalls; most > 0 && n.server.Calls() >= most {
		return degraded("%d calls are up, as many as sip.max_calls allows: more get 503", most)
	}
	return fine()
}

func (n *Node) redisHealth() (health.Level, string) {
	if away := n.router.State().Away; len(away) > 0 {
		return degraded("Redis does not answer, or is slow, at %s: the ledger answers", strings.Join(away, ", "))
	}
	return fine()
}

func (n *Node) ledgerHealth() (health.Level, string) {
	if s := n.router.State(); s.Heard > ledgerSilent {
		return degraded("the ledger has not answered for %v: what calls were is kept in the journal, and nothing can be bound", s.Heard.Round(time.Second))
	}
	return fine()
}

// decisionHealth tells that neither ledger nor cache would answer a call.
func (n *Node) decisionHealth() (health.Level, string) {
	s := n.router.State()
	away := len(s.Away) > 0 && s.Away[0] == n.cache.Address()
	if s.Heard > ledgerSilent && (away || !s.Believed) {
		return health.Down, "neither the cache nor the ledger answers: calls cannot be decided"
	}
	return fine()
}

// cacheHealth tells that cache and ledger differed lately, which is no matter of course.
func (n *Node) cacheHealth() func() (health.Level, string) {
	const lately = 10 * time.Minute
	seen, at := uint64(0), time.Time{}
	return func() (health.Level, string) {
		if d := n.office.Compared().Differed; d != seen {
			seen, at = d, time.Now()
		}
		if !at.IsZero() && time.Since(at) < lately {
			return degraded("%d decisions by cache and ledger have differed since the start, the last within %v; they were repaired", seen, lately)
		}
		return fine()
	}
}

func (n *Node) journalHealth() (health.Level, string) {
	switch s := n.journal.State(); {
	case s.Full != nil:
		return health.Down, "the journal has no room, and no call may begin: " + s.Full.Error()
	case s.Oldest > n.cfg.Health.JournalAge:
		return degraded("entries of the journal have waited for the ledger for %v, %d KiB of them", s.Oldest.Round(time.Second), s.Behind>>10)
	}
	return fine()
}

func (n *Node) refusedHealth() (health.Level, string) {
	if s := n.journal.State(); s.Kept > 0 {
		return degraded("the ledger refused entries of the journal: look at refused.jsonl in %s, and move it away", JournalDir(&n.cfg))
	}
	return fine()
}

func (n *Node) recordingHealth() (health.Level, string) {
	if p := n.tapes.Pieces(); p > manyPieces {
		return degraded("%d pieces of recordings wait for the disk: it is too slow", p)
	}
	return fine()
}

func (n *Node) storeHealth() (health.Level, string) {
	if n.uploads == nil {
		return fine()
	}
	if u := n.uploads.Uploads(); !u.Since.IsZero() && time.Since(u.Since) > storeFailing {
		return degraded("the store takes no recordings, %d wait on this disk: %s", u.Waiting, u.Failure)
	} else if u.Unread > 0 {
		return degraded("%d recordings cannot be read or deleted on this disk, and the store does not get them: %s", u.Unread, u.Reason)
	}
	return fine()
}

func (n *Node) trunkHealth() (health.Level, string) {
	var down []string
	for _, t := range n.server.Trunks() {
		switch {
		case !t.Up:
			down = append(down, t.Name+" is down")
		case t.Registration != nil && t.Registration.Failures > 0:
			down = append(down, t.Name+" does not let us register")
		}
	}
	if len(down) > 0 {
		return degraded("%s", strings.Join(down, ", "))
	}
	return fine()
}
