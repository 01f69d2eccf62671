package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// order is a script to be run, on the keys of one slot.
type order struct {
	script *redis.Script
	keys   []string
	args   []any
}

// pipeline runs n scripts, a bounded number at a time and without a transaction: in a
// cluster each server gets its own at once. It returns their answers, nil where there
// is none, and the first error.
func (c *Cache) pipeline(ctx context.Context, what string, n int, at func(int) order) ([]any, error) {
	const batch = 200
	answers := make([]any, 0, n)
	for from := 0; from < n; from += batch {
		orders := make([]order, 0, batch)
		for i := from; i < min(n, from+batch); i++ {
			orders = append(orders, at(i))
		}
		cmds := c.send(ctx, orders)
		if unknown(cmds) { // somebody emptied a server of its scripts
			for _, s := range c.scripts.all {
				_ = s.Load(ctx, c.rdb).Err() // what comes of it is seen below
			}
			cmds = c.send(ctx, orders)
		}
		var errs []error
		for _, cmd := range cmds {
			answers = append(answers, cmd.Val())
			if err := cmd.Err(); err != nil && len(errs) == 0 {
				errs = append(errs, fmt.Errorf("%s in Redis: %w", what, c.failed(err)))
			}
		}
		if len(errs) > 0 {
			return answers, errors.Join(errs...)
		}
		if err := c.trustAll(cmds); err != nil {
			return answers, fmt.Errorf("%s in Redis: %w", what, err)
		}
	}
	return answers, nil
}

// trustAll is trust for the servers that answered, each once.
func (c *Cache) trustAll(cmds []*redis.Cmd) error {
	last := ""
	for _, cmd := range cmds {
		term, _, err := signed(cmd.Val())
		if err == nil && term != last {
			err = c.trust(term)
		}
		if err != nil {
			return err
		}
		last = term
	}
	return nil
}

func (c *Cache) send(ctx context.Context, orders []order) []*redis.Cmd {
	pipe := c.rdb.Pipeline()
	cmds := make([]*redis.Cmd, len(orders))
	for i, o := range orders {
		cmds[i] = o.script.EvalSha(ctx, pipe, o.keys, o.args...)
	}
	_, _ = pipe.Exec(ctx) // each command has its error
	return cmds
}

// unknown tells whether a server did not have a script.
func unknown(cmds []*redis.Cmd) bool {
	for _, cmd := range cmds {
		if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
			return true
		}
	}
	return false
}
