package node

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"axgate/api"
	"axgate/api/auth"
	"axgate/api/binding"
	"axgate/api/records"
	"axgate/config"
)

// openHTTP listens for the API; it answers from Serve on, and is closed after
// the last pushes, so that what they tell of can be fetched.
func (n *Node) openHTTP(ctx context.Context) (err error) {
	if n.cfg.HTTP.Listen == config.Off {
		return nil
	}
	c, err := httpConfig(&n.cfg)
	if err != nil {
		return err
	}
	verifier := n.verifier()
	if err := n.openLibrary(ctx, verifier); err != nil {
		return err
	}
	mounts, err := n.mounts(verifier)
	if err != nil {
		return err
	}
	if n.web, err = api.Open(c, n.log, mounts...); err != nil {
		return err
	}
	n.close.add("HTTP", n.web.Close)
	return n.ledger.SetBase(ctx, n.cfg.Node, n.web.Base())
}

// mounts are the handlers of the API and where they are; a room that answers
// requests is wired here. They answer from Serve on, when all parts are open;
// while this runs n.server is not yet. What customers call tells them apart by
// the verifier, and its connections are short (api section 2.1).
func (n *Node) mounts(verifier *auth.Verifier) ([]api.Mount, error) {
	mounts := []api.Mount{
		{Path: records.Path, Handler: http.HandlerFunc(n.library.Link), Short: true},
		{Path: records.Download, Handler: http.HandlerFunc(n.library.Fetch)},
	}
	b, err := binding.New(binding.Config{Auth: verifier, Provision: n.office, Calls: callsUp{n}, Log: n.log})
	if err != nil {
		return nil, err
	}
	for _, path := range b.Paths() {
		mounts = append(mounts, api.Mount{Path: path, Handler: b, Short: true})
	}
	mounts = append(mounts, n.gatewayDoor()...)
	management, err := n.management()
	return append(n.traced(append(mounts, management...)), n.openPages()...), err
}

// callsUp are the calls that are up, on all nodes.
type callsUp struct{ node *Node }

func (c callsUp) Stop(ctx context.Context, session string) (bool, error) {
	return c.node.hangUp(ctx, session)
}

func httpConfig(c *config.Config) (api.Config, error) {
	h := api.Config{Listen: c.HTTP.Listen, Cert: c.HTTP.Cert, Key: c.HTTP.Key, Advertise: c.HTTP.Advertise, MaxConns: c.HTTP.MaxConns}
	var err error
	h.Proxies, err = networks("http.proxies", c.HTTP.Proxies)
	return h, err
}

func networks(key string, list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for i, text := range list {
		network, err := config.ParseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", key, i, err)
		}
		out = append(out, network)
	}
	return out, nil
}
