package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// attendance is whether this node declares others dead and settles what they leave, and
// whether it is at it.
type attendance struct {
	mu   sync.Mutex
	on   bool
	busy int
	left chan struct{} // closed when the rest is left to others; nil: it is not to be
	owed bool          // it is not yet
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
	a.busy--
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

// end gives a channel that is closed once the rest is left to others.
func (a *attendance) end() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.on = false
	if a.left == nil {
		a.left, a.owed = make(chan struct{}), true
	}
	return a.left
}

// owes tells whether the rest is to be left to others now: nobody is at it any more.
func (a *attendance) owes() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.owed && a.busy == 0
}

// paid notes that the rest is left to others.
func (a *attendance) paid() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owed = false
	close(a.left)
}

// Attend begins to declare others dead and to settle what they leave; all Died
// functions are there.
func (r *Roster) Attend() {
	r.attends.begin()
	r.rouse(r.deaths)
}

// Leaving adds a function that ends, before deaths are left to others, what was begun of
// them and not finished. It is called as Died functions are, and again after an error.
func (r *Roster) Leaving(f func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaving = append(r.leaving, f)
}

// Abstain ends that, for a node that ends: calls that it took over would end with it. The
// death that is being settled is settled; those that are left are anybody's then, and a later
// life's of this node if there is nobody else. Once ctx has ended it is not waited for, but
// comes to it all the same while Run runs.
func (r *Roster) Abstain(ctx context.Context) error {
	left := r.attends.end()
	r.rouse(r.deaths)
	select {
	case <-left:
	case <-r.ran:
	case <-ctx.Done():
		return fmt.Errorf("leave what dead nodes left to others: %w", ctx.Err())
	}
	return nil
}

// leaveOnce is how long the ledger may take to note that deaths are left to others.
const leaveOnce = 5 * time.Second

// leaveDeaths leaves to others what this node has not settled, if it has ended to attend.
func (r *Roster) leaveDeaths(ctx context.Context) error {
	if !r.attends.owes() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, leaveOnce)
	defer cancel()
	r.mu.Lock()
	leaving := slices.Clone(r.leaving)
	r.mu.Unlock()
	var failed error
	for _, f := range leaving {
		failed = errors.Join(failed, f(ctx))
	}
	if err := errors.Join(failed, r.cfg.Ledger.LeaveDeaths(ctx, r.Life())); err != nil {
		return fmt.Errorf("leave what dead nodes left to others: %w", err)
	}
	r.attends.paid()
	return nil
}
