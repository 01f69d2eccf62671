package store

import (
	"context"
	"fmt"
)

const nodesKey = "axgate:nodes"

// Testify leaves what a node says of itself where the others read it, and reads what
// they said last, by node. It is not signed: the words themselves tell what they
// are worth.
func (c *Cache) Testify(ctx context.Context, node, words string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*c.cfg.Timeout)
	defer cancel()
	pipe := c.rdb.TxPipeline()
	pipe.HSet(ctx, nodesKey, node, words)
	all := pipe.HGetAll(ctx, nodesKey)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("tell other nodes of this one: %w", err)
	}
	return all.Val(), nil
}

// Forgo takes away what a node has said of itself.
func (c *Cache) Forgo(ctx context.Context, node string) error {
	if err := c.rdb.HDel(ctx, nodesKey, node).Err(); err != nil {
		return fmt.Errorf("take away what this node has said: %w", err)
	}
	return nil
}
