package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"axgate/api"
	"axgate/api/auth"
	"axgate/config"
	"axgate/ledger"
)

// openHTTP listens for the API; it answers from Serve on, and is closed after
// the last pushes, so that what they tell of can be fetched.
func (n *Node) openHTTP(context.Context) (err error) {
	if n.cfg.HTTP.Listen == config.Off {
		return nil
	}
	c, err := httpConfig(&n.cfg)
	if err != nil {
		return err
	}
	if n.web, err = api.Open(c, n.log, n.mounts()...); err != nil {
		return err
	}
	n.close.add("HTTP", n.web.Close)
	return nil
}

// mounts are the handlers of the API and where they are; a room that answers
// requests is wired here. They answer from Serve on, when all parts are open;
// while this runs n.server is not yet. What customers call is guarded, and its
// connections are short (api section 2.1).
func (n *Node) mounts() []api.Mount {
	verifier := auth.New(auth.Config{Apps: credentials{n.ledger}, Window: n.cfg.HTTP.Window, Log: n.log})
	customers := func(path string, h http.Handler) api.Mount {
		return api.Mount{Path: path, Handler: verifier.Guard(h), Short: true}
	}
	_ = customers
	return nil
}

// credentials are the ledger's, as auth asks for them.
type credentials struct{ ledger *ledger.Ledger }

var _ auth.Apps = credentials{}

func (c credentials) Credentials(ctx context.Context, key string) (auth.Credentials, bool, error) {
	a, err := c.ledger.Credentials(ctx, key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return auth.Credentials{}, false, nil
	}
	out := auth.Credentials{App: auth.App{Key: a.Key, Account: a.SP, Mode: a.Mode, Frozen: a.Frozen},
		Secret: a.Secret, Paused: a.Paused, Rate: a.Rate, OnceNonce: a.OnceNonce}
	if err != nil {
		return out, false, err
	}
	for _, text := range a.Networks {
		network, err := config.ParseNetwork(text)
		if err != nil { // it was checked: without it nobody is let in who should not be
			return out, false, fmt.Errorf("networks of app %s: %w", key, err)
		}
		out.Networks = append(out.Networks, network)
	}
	return out, true, nil
}

func httpConfig(c *config.Config) (api.Config, error) {
	h := api.Config{Listen: c.HTTP.Listen, Cert: c.HTTP.Cert, Key: c.HTTP.Key, Advertise: c.HTTP.Advertise, MaxConns: c.HTTP.MaxConns}
	for i, text := range c.HTTP.Proxies {
		var network netip.Prefix
		network, err := config.ParseNetwork(text)
		if err != nil {
			return h, fmt.Errorf("http.proxies[%d]: %w", i, err)
		}
		h.Proxies = append(h.Proxies, network)
	}
	return h, nil
}
