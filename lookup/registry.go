package lookup

import (
	"context"

	"axgate/ledger"
	"axgate/store"
)

// registry is the ledger as the place where nodes agree which Redis is believed.
type registry struct {
	ledger *ledger.Ledger
	node   string
}

// NewRegistry is the registry of a node's cache; without a name, of a process that
// carries no calls.
func NewRegistry(l *ledger.Ledger, node string) store.Registry { return registry{l, node} }

// View is store.Registry's.
func (r registry) View(ctx context.Context) (store.View, error) {
	v, err := r.ledger.CacheView(ctx)
	return store.View(v), err
}

// Fence is store.Registry's.
func (r registry) Fence(ctx context.Context, s store.Server) (store.View, error) {
	v, _, err := r.ledger.FenceServer(ctx, ledger.CacheServer(s))
	return store.View(v), err
}

// Believe is store.Registry's. This node has heard by itself.
func (r registry) Believe(ctx context.Context, s store.Server) (store.View, error) {
	_, mark, err := r.ledger.FenceServer(ctx, ledger.CacheServer(s)) // it is fenced: that tells the mark
	if err == nil {
		err = r.ledger.AwaitNodes(ctx, mark, r.node)
	}
	if err != nil {
		return store.View{}, err
	}
	v, err := r.ledger.BelieveServer(ctx, s.Term)
	return store.View(v), err
}
