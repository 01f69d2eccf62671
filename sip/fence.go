package sip

import (
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/sys/unix"

	"axgate/sip/wire"
)

const (
	// fenceStep is the pause between two looks at whether this node is itself, and
	// between those of a call that waits for it.
	fenceStep = 50 * time.Millisecond
	// fenceGap is a pause so long that the process stood still.
	fenceGap = 500 * time.Millisecond
	// fencePatience is how long calls wait after the process stood still, or was not
	// heard of any more: by then it knows if others have declared it dead. If the
	// ledger is away it does not, and nobody has.
	fencePatience = 3 * time.Second
	// staleGap is a pause after which whoever called, and was not answered, has called another
	// node: a proxy that asks every second and waits two for answers has sent nothing for
	// two seconds by then. staleTime is how long what waited in the sockets is read.
	staleGap  = 5 * time.Second
	staleTime = 500 * time.Millisecond
)

// Others is where other nodes take calls and texts.
type Others uint8

// Whether others may have had what waited for this node while it stood still.
const (
	NoOthers      Others = iota // nobody takes anything but this node
	OthersApart                 // at addresses of their own: who goes to one of them begins anew
	OthersInPlace               // at this node's too, as far as is known: what is repeated may come to them
)

// fence keeps a process that stood still from acting for its calls before it knows
// whether others do.
type fence struct {
	holds func() bool
	// stands: only one that stood still waits. Where calls do not survive their node, nobody
	// goes on with them, and a ledger that is away is to hold up none.
	stands bool

	mu     sync.Mutex
	looked instant
	woke   time.Duration // by the machine's age, after a pause of staleGap or more; 0: it never did
	unsure time.Time     // since when; zero: it is sure
}

// instant is one by the clock and by the machine's age.
type instant struct {
	at  time.Time
	age time.Duration // its sleep counts; nobody sets it
}

func present() instant {
	var up unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) // every Linux that we run on has it
	return instant{time.Now(), time.Duration(up.Nano())}
}

// look notes an instant, and whether the process stood still before it. The lock is held.
func (f *fence) look(now instant) {
	if now.age < f.looked.age { // somebody was faster
		return
	}
	if !f.looked.at.IsZero() {
		if since(f.looked.at, now.at) > fenceGap {
			f.unsure = now.at
		}
		if now.age-f.looked.age > staleGap {
			f.woke = now.age
		}
	}
	f.looked = now
}

// passes tells whether calls may go on at an instant.
func (f *fence) passes(now instant) bool {
	if f.holds == nil {
		return true
	}
	sure := f.holds()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look(now)
	switch {
	case sure:
		f.unsure = time.Time{}
		return true
	case f.unsure.IsZero() && f.stands:
		return true
	case f.unsure.IsZero():
		f.unsure = now.at
	}
	return now.at.Sub(f.unsure) > fencePatience
}

// stale tells of what is read at an instant whether it may have waited for as long as the
// process stood still.
func (f *fence) stale(now instant) bool {
	if f.holds == nil { // nobody looks
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look(now)
	return f.woke > 0 && now.age-f.woke < staleTime
}

// since is the time between two looks: the longer by the machine's clock, which goes on
// while the machine sleeps, and by how long the process has run, which nobody sets.
func since(before, now time.Time) time.Duration {
	return max(now.Sub(before), now.Round(0).Sub(before.Round(0)))
}

// holds waits until this node may act for the call; false: the call was let go of.
func (c *call) holds() bool {
	for !c.letGo.Load() {
		if f := &c.srv.fence; f.holds == nil || f.holds() || f.passes(present()) {
			return !c.letGo.Load()
		}
		time.Sleep(fenceStep / 5)
	}
	return false
}

// outdated refuses a new call or text that may have waited for long, and that another node
// may have had since: it would ring somebody for a caller who is gone. Where others have this
// node's address it is passed over: they may have answered what was repeated, and a
// refusal from here would end the call with them. It tells whether it did so.
func (s *Server) outdated(tx *wire.ServerTx) bool {
	req := tx.Request
	if req.Method != sip.INVITE && req.Method != sip.MESSAGE || s.cfg.Others == nil {
		return false
	}
	others := s.cfg.Others()
	if others == NoOthers || !s.fence.stale(present()) || req.Method == sip.MESSAGE && formOf(req).name == type3GPP { // a report is still waited for
		return false
	}
	if req.Method == sip.INVITE {
		s.cfg.Watch.Refused(RefusedStale)
	}
	if others == OthersInPlace && tx.From.Transport == "UDP" {
		tx.Ignore()
		return true
	}
	s.reply(tx, sip.StatusServiceUnavailable, "Service Unavailable", s.retryAfter())
	return true
}
