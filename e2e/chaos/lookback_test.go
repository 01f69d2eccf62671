//go:build e2e

package chaos

import (
	"context"
	"sync"
)

const (
	lookedAt = 60 // of many bindings so many are called by
	atOnce   = 6
)

// lookBack has customers ask, and call by, what was acknowledged ever since they
// began. All of it is held against the ledger besides.
func (c *clerks) lookBack(ctx context.Context) {
	for i, b := range c.kept {
		if id, err := c.node(i).binding(ctx, b.pair); err != nil || id != b.id {
			c.fault("a bind that was acknowledged is not told of: %v: %s, %v", b, id, err)
		}
	}
	for i, b := range some(c.gone) {
		if id, err := c.node(i).binding(ctx, b.pair); err != nil || id != "" {
			c.fault("what was unbound is told of: %v: %s, %v", b, id, err)
		}
	}
	c.callEach(some(c.kept), true)
	c.callEach(some(c.gone), false)
}

// some are a few of many, from the first to the last.
func some(all []binding) (few []binding) {
	n := min(len(all), lookedAt)
	for i := range n {
		few = append(few, all[(i+1)*len(all)/n-1])
	}
	return few
}

// callEach calls by each, a few at a time.
func (c *clerks) callEach(all []binding, bound bool) {
	var done sync.WaitGroup
	next := make(chan binding)
	for range atOnce {
		done.Go(func() {
			for b := range next {
				c.callAll(b.pair, bound)
			}
		})
	}
	for _, b := range all {
		next <- b
	}
	close(next)
	done.Wait()
}
