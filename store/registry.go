package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// View is what the ledger says of the cache at one instant.
type View struct {
	Mark    int64    // of this state of the ledger; any later one has a higher mark
	Epoch   int64    // X that were loaded in another one are missing
	Servers []string // terms of the servers that are believed
}

// Server is a Redis that was met as a master.
//
// Its term is the time in which it is that: the beginning of its replication id,
// which another process has not, and neither has the same one once it was
// restarted, or was a replica in between.
type Server struct {
	Term    string
	Home    string   // host:port; in a cluster the id of the node
	Masters []string // in a cluster: ids of all nodes that have slots, by its own account; nil: there is one server
}

// Registry is where the nodes of a system agree which servers are believed: the
// ledger. A server that nobody has met before may be a replica that took over and
// lacks the last changes, or was restarted with yesterday's keys; the one before
// it may still be there, and believe that it is the master.
type Registry interface {
	// View is what counts now.
	View(ctx context.Context) (View, error)
	// Fence notes that a server was met, and that those in whose place it is are
	// believed no more: the view that it returns has neither.
	Fence(ctx context.Context, s Server) (View, error)
	// Believe returns once no node goes by a view from before Fence, or is silent
	// for so long that it trusts none. The server is believed from then on.
	Believe(ctx context.Context, s Server) (View, error)
}

// alone is the registry of a process that shares its cache with none.
type alone struct {
	mu   sync.Mutex
	view View
	all  map[string]Server
	lost map[string]time.Time // their places
}

// heldOff is how long a server that lost its place is not taken for a new one
// again: who still sees it must not take turns with who sees the other one.
const heldOff = 10 * time.Second

var errSuperseded = errors.New("another Redis has its place")

func newAlone() *alone {
	return &alone{view: View{Mark: 1, Epoch: 1}, all: map[string]Server{}, lost: map[string]time.Time{}}
}

func (r *alone) View(context.Context) (View, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view, nil
}

func (r *alone) Fence(_ context.Context, s Server) (View, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.view.Servers, s.Term) {
		return r.view, nil
	}
	now := time.Now()
	if at, lost := r.lost[s.Term]; lost && now.Sub(at) < heldOff {
		return View{}, errSuperseded
	}
	mark := max(r.view.Mark+1, now.UnixMicro())
	var left []string
	for _, term := range r.view.Servers {
		if home := r.all[term].Home; home != s.Home && slices.Contains(s.Masters, home) {
			left = append(left, term)
			continue
		}
		r.lost[term] = now
	}
	_, again := r.all[s.Term]
	r.all[s.Term] = s
	r.view = View{mark, r.view.Epoch, left}
	if again || len(r.all) == 1 { // what it has may be older than its term is believed
		r.view.Epoch = mark
	}
	return r.view, nil
}

func (r *alone) Believe(_ context.Context, s Server) (View, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.view.Servers, s.Term) {
		r.view = View{r.view.Mark + 1, r.view.Epoch, append(slices.Clip(r.view.Servers), s.Term)}
	}
	return r.view, nil
}

// SetView tells the cache what the ledger says by now. One that is told late
// changes nothing.
func (c *Cache) SetView(v View) {
	c.viewing.Lock()
	defer c.viewing.Unlock()
	now := c.view.Load()
	if v.Mark <= now.Mark {
		return
	}
	v.Epoch = max(v.Epoch, now.Epoch)
	c.view.Store(&v)
}

// SetEpoch tells the cache the epoch in the ledger. What was loaded in another
// one is missing. The epoch only rises: one that is told late changes nothing.
// It says nothing of servers, so that the mark stays.
func (c *Cache) SetEpoch(epoch int64) {
	c.viewing.Lock()
	defer c.viewing.Unlock()
	if v := *c.view.Load(); epoch > v.Epoch {
		v.Epoch = epoch
		c.view.Store(&v)
	}
}

// Epoch is the epoch by which the cache goes.
func (c *Cache) Epoch() int64 { return c.view.Load().Epoch }

// Mark is that of the state of the ledger by which the cache goes.
func (c *Cache) Mark() int64 { return c.view.Load().Mark }

func (c *Cache) believes(term string) bool { return slices.Contains(c.view.Load().Servers, term) }
