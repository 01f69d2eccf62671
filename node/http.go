package node

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"axgate/api"
	"axgate/config"
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
	verifier := n.verifier()
	customers := func(path string, h http.Handler) api.Mount {
		return api.Mount{Path: path, Handler: verifier.Guard(h), Short: true}
	}
	_ = customers
	return nil
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
