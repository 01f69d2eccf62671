package roster

import (
	"context"
	"fmt"
	"sync"
)

// attendance is whether this node declares others dead and settles what they leave, and
// whether it is at it.
type attendance struct {
	mu   sync.Mutex
	on   bool
	busy int
	idle chan struct{} // closed when nobody is at it any more; nil: nobody waits
}

// enter tells whether the node attends; then leave follows.
func (a *attendance) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.on {
		a.busy++
	}
	return a.on
}

func (a *attendance) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy--; a.busy == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

func (a *attendance) is() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.on
}

func (a *attendance) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.on = true
}

// end gives a channel that is closed once nobody is at it.
func (a *attendance) end() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.on = false
	if a.busy > 0 && a.idle == nil {
		a.idle = make(chan struct{})
	}
	if a.busy > 0 {
		return a.idle
	}
	none := make(chan struct{})
	close(none)
	return none
}

// Attend begins to declare others dead and to settle what they leave; all Died
// functions are there.
func (r *Roster) Attend() {
	r.attends.begin()
	r.rouse(r.deaths)
}

// Abstain ends that, for a node that ends: calls that it took over would end with it. The
// death that is being settled is settled, unless ctx ends before; those that are left are
// anybody's, and a later life's of this node if there is nobody else.
func (r *Roster) Abstain(ctx context.Context) error {
	select {
	case <-r.attends.end():
	case <-ctx.Done():
	}
	if err := r.cfg.Ledger.LeaveDeaths(ctx, r.Life()); err != nil {
		return fmt.Errorf("leave what dead nodes left to others: %w", err)
	}
	return nil
}
