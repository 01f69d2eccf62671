package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axgate/api/auth"
	"axgate/config"
	"axgate/ledger"
	"axgate/store"
)

// verifier tells which app sent a request.
func (n *Node) verifier() *auth.Verifier {
	h := &n.cfg.HTTP
	return auth.New(auth.Config{Apps: credentials{n.ledger}, Counts: counts{n.cache}, Window: h.Window,
		Rate: h.Rate, LockoutAfter: h.LockoutAfter, LockoutFor: h.LockoutFor, Log: n.log})
}

// credentials are the ledger's, as auth asks for them.
type credentials struct{ ledger *ledger.Ledger }

var _ auth.Apps = credentials{}

func (c credentials) Credentials(ctx context.Context, key string) (auth.Credentials, bool, error) {
	a, err := c.ledger.Credentials(ctx, key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return auth.Credentials{}, false, nil
	}
	if err != nil {
		return auth.Credentials{}, false, err
	}
	out := auth.Credentials{App: auth.App{Key: a.Key, Account: a.SP, Mode: a.Mode, Frozen: a.Frozen},
		Secret: a.Secret, Paused: a.Paused, Rate: a.Rate, OnceNonce: a.OnceNonce}
	for _, text := range a.Networks {
		network, err := config.ParseNetwork(text)
		if err != nil { // it was checked; without it nobody is let in who should not be
			return auth.Credentials{}, false, fmt.Errorf("networks of app %s: %w", key, err)
		}
		out.Networks = append(out.Networks, network)
	}
	return out, true, nil
}

// counts are the cache's, as auth asks for them.
type counts struct{ cache *store.Cache }

var _ auth.Counts = counts{}

func (c counts) Request(ctx context.Context, app string, span time.Duration) (int, error) {
	n, err := c.cache.CountRequest(ctx, app, span)
	return n.N, err
}

func (c counts) Failure(ctx context.Context, address string, span time.Duration, limit int) (int, time.Time, error) {
	n, err := c.cache.CountFailure(ctx, address, span, limit)
	return n.N, n.Until, err
}

func (c counts) Failures(ctx context.Context, address string, span time.Duration) (int, time.Time, error) {
	n, err := c.cache.Failures(ctx, address, span)
	return n.N, n.Until, err
}

func (c counts) UseNonce(ctx context.Context, app, nonce string, counts time.Duration) (bool, error) {
	return c.cache.UseNonce(ctx, app, nonce, counts)
}
