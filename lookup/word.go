package lookup

import (
	"context"
	"sync"
	"time"
)

// word is the last word about whether the ledger is there, which comes with each look at it.
type word struct {
	mu   sync.Mutex
	away bool
	next chan struct{} // closed with the next one; nil: nobody waits
}

// give has those hear who wait.
func (w *word) give(away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = away
	if w.next != nil {
		close(w.next)
		w.next = nil
	}
}

// hears tells whether the ledger is away. If it is, the next word is waited for, but no longer
// than it takes where the ledger is back: an X may be read anew as soon as it is.
func (w *word) hears(ctx context.Context) (away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.away {
		return false
	}
	if w.next == nil {
		w.next = make(chan struct{})
	}
	next := w.next
	w.mu.Unlock()
	late := time.NewTimer(pace + pace/5)
	defer late.Stop()
	select {
	case <-next:
	case <-late.C:
	case <-ctx.Done():
	}
	w.mu.Lock()
	return w.away
}
