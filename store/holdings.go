package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"axgate/routing"
)

// Holding is what the cache has of an X.
type Holding struct {
	Loaded  bool
	Version int64 // of X in the ledger, that it has heard of
}

// Holdings tells for each X what the cache has of it, in one round trip to each server
// for 200 of them. Nothing is asked for: what is missing stays so.
func (c *Cache) Holdings(ctx context.Context, xs []routing.X, now time.Time) ([]Holding, error) {
	epoch, at := strconv.FormatInt(c.Epoch(), 10), formatInstant(now)
	answers, err := c.pipeline(ctx, "find what is loaded", len(xs), func(i int) order {
		return order{c.scripts.holding, []string{numberKey(xs[i])}, []any{epoch, at}}
	})
	if err != nil {
		return nil, err
	}
	all := make([]Holding, len(xs))
	for i, a := range answers {
		_, v, err := signed(a)
		list, _ := v.([]any)
		if err != nil || len(list) != 2 {
			return nil, fmt.Errorf("find what is loaded in Redis: %v cannot be read", a)
		}
		version, _ := list[1].(string)
		all[i].Loaded = list[0] == int64(1)
		if all[i].Version, err = strconv.ParseInt(version, 10, 64); err != nil {
			return nil, fmt.Errorf("find what is loaded in Redis: the version of %s: %w", xs[i], err)
		}
	}
	return all, nil
}
