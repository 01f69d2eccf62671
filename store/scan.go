package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"axgate/routing"
)

// Key is what an entry of the cache belongs to: X as a whole, or X and a real
// number or an extension.
type Key struct {
	X      routing.X
	Number routing.Number
	Ext    routing.Extension
}

// Scan visits the entries of the cache by which bindings are found, in no
// order, on all masters one after the other; one that is written or moved meanwhile
// may be left out or come twice. An error of visit ends it.
func (c *Cache) Scan(ctx context.Context, visit func(Key) error) error {
	list, err := c.clients(ctx)
	if err != nil {
		return err
	}
	for _, rdb := range list {
		if err := scan(ctx, rdb, visit); err != nil {
			return err
		}
	}
	return nil
}

func scan(ctx context.Context, rdb *redis.Client, visit func(Key) error) error {
	const batch = 500
	cursor := uint64(0)
	for {
		keys, next, err := rdb.Scan(ctx, cursor, "axgate:{*", batch).Result()
		if err != nil {
			return fmt.Errorf("go through the keys in Redis: %w", err)
		}
		for _, text := range keys {
			key, ok := readKey(text)
			if !ok {
				continue
			}
			if err := visit(key); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// readKey reads the keys of numbers, AX bindings, real numbers and extensions.
func readKey(text string) (k Key, ok bool) {
	rest, ok := strings.CutPrefix(text, "axgate:{")
	if !ok {
		return k, false
	}
	x, of, ok := strings.Cut(rest, "}")
	k.X = routing.X(x)
	switch {
	case !ok:
		return k, false
	case of == "", of == ":ax":
		return k, true
	}
	if n, is := strings.CutPrefix(of, ":n:"); is {
		k.Number = routing.Number(n)
		return k, true
	}
	e, is := strings.CutPrefix(of, ":e:")
	k.Ext = routing.Extension(e)
	return k, is
}
