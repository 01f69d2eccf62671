package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How long nodes are silent.
const (
	// silentFor is longer than a node believes the cache without the ledger's word
	// alone.
	silentFor = 5 * time.Second
	// SilentMost is longer than it believes the cache on the word of other nodes.
	SilentMost = time.Hour
)

// Alive lists the nodes of which the ledger has heard lately.
func (l *Ledger) Alive(ctx context.Context) ([]string, error) { return l.heard(ctx, silentFor, 0) }

// Silent lists the nodes that may still go by the cache, on the word of others,
// although the ledger has not heard of them lately.
func (l *Ledger) Silent(ctx context.Context) ([]string, error) {
	return l.heard(ctx, SilentMost, silentFor)
}

// heard lists nodes that were heard of between two spans ago, by the ledger's clock.
func (l *Ledger) heard(ctx context.Context, from, to time.Duration) (nodes []string, err error) {
	rows, err := l.read(ctx).query(`SELECT node FROM nodes WHERE heard_at >= `+l.clock()+` - $1 AND heard_at <= `+l.clock()+` - $2 AND state <> '`+string(NodeGone)+`' ORDER BY node`,
		from.Microseconds(), to.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("list nodes by when they were heard of: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var node string
		if err := rows.Scan(&node); err != nil {
			return nil, fmt.Errorf("read a node: %w", err)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// AwaitNodes returns once no node goes by a state of the cache before a mark, but for
// self. Those that are alive tell the ledger that they have heard. One that is
// silent may go by the cache still, as long as all others that it knows of vouch
// for it: nobody does any more when all that are alive have heard, and a moment
// has passed. But it has to know of who makes the change. known tells whether it
// does; nil: it does not, and the change is not possible while a node is silent.
func (l *Ledger) AwaitNodes(ctx context.Context, mark int64, self string, known func() bool) error {
	const step = 50 * time.Millisecond
	for {
		behind, err := l.Behind(ctx, mark, silentFor)
		if err != nil {
			return err
		}
		behind = slices.DeleteFunc(behind, func(node string) bool { return node == self })
		if len(behind) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("these nodes still go by an older cache: %s", strings.Join(behind, ", "))
		case <-time.After(step):
		}
	}
	silent, err := l.Silent(ctx)
	silent = slices.DeleteFunc(silent, func(node string) bool { return node == self })
	if err != nil || len(silent) == 0 {
		return err
	}
	if known == nil || !known() {
		return fmt.Errorf("these nodes are silent and may go by an older cache: %s", strings.Join(silent, ", "))
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("these nodes are silent and may go by an older cache for a moment: %s", strings.Join(silent, ", "))
	case <-time.After(silentFor):
		return nil
	}
}
