package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"axgate/routing"
)

// run performs a script on the keys of X.
func (c *Cache) run(ctx context.Context, what string, x routing.X, s *redis.Script, keys []string, args ...any) (any, error) {
	return c.perform(ctx, what+" "+string(x), s, keys, args...)
}

// perform runs a script: one round trip. It takes no longer than one command
// may, the wait for a connection included.
func (c *Cache) perform(ctx context.Context, what string, s *redis.Script, keys []string, args ...any) (any, error) {
	v, _, err := c.performSigned(ctx, what, s, keys, args...)
	return v, err
}

// performSigned also returns the term of the server that answered.
func (c *Cache) performSigned(ctx context.Context, what string, s *redis.Script, keys []string, args ...any) (v any, term string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	answer, err := s.Run(ctx, c.rdb, keys, args...).Result()
	if err != nil {
		return nil, "", fmt.Errorf("%s in Redis: %w", what, c.failed(err))
	}
	if term, v, err = signed(answer); err == nil {
		err = c.trust(term)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s in Redis: %w", what, err)
	}
	if c.away.Load() && c.away.Swap(false) {
		c.marks.renew()
	}
	if !c.reached.Load() {
		c.reached.Store(true)
	}
	return v, term, nil
}

// ErrMoving tells that the slot of X is being moved to another server of the
// cluster: scripts have to wait until all keys of X are there.
var ErrMoving = errors.New("the slot is being moved")

// failed notes that a command failed.
func (c *Cache) failed(err error) error {
	if redis.HasErrorPrefix(err, "TRYAGAIN") {
		return errors.Join(ErrMoving, err)
	}
	c.away.Store(true)
	c.look()
	return err
}

// signed takes an answer of a script apart.
func signed(answer any) (term string, v any, err error) {
	list, _ := answer.([]any)
	if len(list) == 2 {
		term, _ = list[0].(string)
	}
	if term == "" {
		return "", nil, fmt.Errorf("the script's answer %v is not signed", answer)
	}
	return term, list[1], nil
}

// trust is an error where the server of a term is not believed.
func (c *Cache) trust(term string) error {
	if c.believes(term) {
		return nil
	}
	c.admitSoon(term)
	return fmt.Errorf("%w: term %s", ErrNotBelieved, term)
}

// bring is perform for a change: it holds once the ledger, asked afterwards, still
// names the server that was told. One that is named later loads X from a ledger
// that has the change. It waits for a server that is not believed yet, as far as ctx
// lets it.
func (c *Cache) bring(ctx context.Context, what string, x routing.X, s *redis.Script, keys []string, args ...any) error {
	_, term, err := c.performSigned(ctx, what+" "+string(x), s, keys, args...)
	if errors.Is(err, ErrNotBelieved) && c.admit(ctx, "") == nil {
		_, term, err = c.performSigned(ctx, what+" "+string(x), s, keys, args...)
	}
	if err == nil {
		err = c.holds(ctx, what, term)
	}
	return err
}

// holds tells whether a change that servers were told of is where others look.
func (c *Cache) holds(ctx context.Context, what string, terms ...string) error {
	v, err := c.registry.View(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	c.SetView(v)
	for _, term := range terms {
		if !slices.Contains(v.Servers, term) {
			return fmt.Errorf("%s in Redis: %w any more: term %s", what, ErrNotBelieved, term)
		}
	}
	return nil
}

// runFlag runs a script that answers with 0 or 1.
func (c *Cache) runFlag(ctx context.Context, what string, x routing.X, s *redis.Script, keys []string, args ...any) (bool, error) {
	v, err := c.run(ctx, what, x, s, keys, args...)
	return v == int64(1), err
}
