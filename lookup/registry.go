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
	known  func() bool
}

// NewRegistry is the registry of a node's cache, with the witnesses of its router;
// without a name and witnesses, of a process that carries no calls.
func NewRegistry(l *ledger.Ledger, node string, w *Witnesses) store.Registry {
	r := registry{ledger: l, node: node}
	if w != nil {
		r.known = w.Known
	}
	return r
}

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
		err = r.ledger.AwaitNodes(ctx, mark, r.node, r.known)
	}
	if err != nil {
		return store.View{}, err
	}
	v, err := r.ledger.BelieveServer(ctx, s.Term)
	return store.View(v), err
}
