package sms

import (
	"context"
	"sync"
	"time"
)

// gates bound what is under way at once towards each carrier, phone and app's
// server. One that fails is let fewer at once, so that it costs others nothing.
type gates struct {
	mu  sync.Mutex
	all map[string]*gate
}

type gate struct {
	busy, limit int
	failing     bool
	free        chan struct{} // closed when there may be room
	left        time.Time     // when the last one did
}

// bound is how many may pass a gate at once: usually, and while what is behind
// it fails.
type bound struct{ most, least int }

var (
	ofCarrier = bound{128, 4}
	ofSharing = bound{64, 64} // of an app with a carrier
	ofPhone   = bound{2, 1}
	ofServer  = bound{16, 4} // questions to an app's server
)

func newGates() *gates { return &gates{all: map[string]*gate{}} }

// passage is how somebody stands with a gate.
type passage int

const (
	passed  passage = iota
	crowded         // too many are under way
	failing         // and it fails
)

// enter lets somebody pass, who calls leave then. It waits a moment for room,
// but not where what is behind the gate fails.
func (g *gates) enter(ctx context.Context, name string, b bound) passage {
	const patience = 2 * time.Second
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		g.mu.Lock()
		at := g.all[name]
		if at == nil {
			at = &gate{limit: b.most, free: make(chan struct{})}
			g.all[name] = at
		}
		if at.busy < at.limit {
			at.busy++
			g.mu.Unlock()
			return passed
		}
		fails, free := at.failing, at.free
		g.mu.Unlock()
		if fails {
			return failing
		}
		select {
		case <-free:
		case <-limit.C:
			return crowded
		case <-ctx.Done():
			return crowded
		}
	}
}

// verdict is what somebody found behind a gate.
type verdict int

const (
	unclear verdict = iota
	well
	ill
)

func (g *gates) leave(name string, b bound, v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.all[name]
	at.busy--
	switch v {
	case well:
		at.limit, at.failing = min(b.most, 2*at.limit), false
	case ill:
		at.limit, at.failing = max(b.least, at.limit/2), true
	}
	close(at.free)
	at.free = make(chan struct{})
	at.left = time.Now()
	if at.busy == 0 && !at.failing {
		delete(g.all, name)
	}
}

// forget forgets what failed and was not tried since an instant.
func (g *gates) forget(since time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, at := range g.all {
		if at.busy == 0 && at.left.Before(since) {
			delete(g.all, name)
		}
	}
}
