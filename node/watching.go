package node

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"axgate/api"
	"axgate/config"
	"axgate/health"
	"axgate/metrics"
	"axgate/traces"
)

// watching is what looks at a node: figures, health and traces.
type watching struct {
	figures *metrics.Set
	health  *health.Watch
	survey  survey
	traces  *traces.Tracer // nil: none
	page    *api.Server    // of figures and health without a token; nil: none
	run     func(func(context.Context))
}

// openWatching makes room for those who look at the node. They begin last, and
// end after SIP has: while calls end, somebody looks.
func (n *Node) openWatching(context.Context) (err error) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	n.watching.run = func(look func(context.Context)) { all.Go(func() { look(ctx) }) }
	n.close.add("looking at the node", func(context.Context) error {
		cancel()
		all.Wait()
		return nil
	})
	at := n.cfg.Metrics.Listen
	if at == config.Off {
		return nil
	}
	pages := append(n.openPages(), api.Mount{Path: metrics.Path, Handler: n.watching.figures.Handler()}, api.Mount{Path: health.FullPath, Handler: http.HandlerFunc(n.healthPage)})
	const conns = 50
	if n.watching.page, err = api.Open(api.Config{Listen: at, MaxConns: conns}, n.log, pages...); err != nil {
		return fmt.Errorf("metrics.listen: %w", err)
	}
	n.close.add("the page of figures", n.watching.page.Close)
	return nil
}

// openPages are those that anybody may see: they say one word.
func (n *Node) openPages() []api.Mount {
	return []api.Mount{
		{Path: health.LivePath, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.watching.health.Live(w, r) })},
		{Path: health.ReadyPath, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.watching.health.Ready(w, r) })},
	}
}

func (n *Node) healthPage(w http.ResponseWriter, r *http.Request) { n.watching.health.Full(w, r) }

// beginWatching looks at all parts, once they are open.
func (n *Node) beginWatching(context.Context) error {
	n.watching.survey.begin(n)
	n.watching.health = health.New(n.cfg.Node, n.log, n.checks()...)
	n.watching.figures.Ask(n.parts())
	n.watching.run(n.watching.survey.run)
	n.watching.run(n.watching.health.Run)
	return nil
}

// parts are those that figures are of.
func (n *Node) parts() metrics.Parts {
	return metrics.Parts{SIP: n.server, Media: n.engine, Tapes: n.tapes, Uploads: n.uploads, Journal: n.journal,
		Router: n.router, Provision: n.office, Roster: n.roster, Health: n.watching.health, Survey: n.watching.survey.get}
}

// Figures is where the figures of the node are listened for without a token;
// empty: nowhere.
func (n *Node) Figures() string {
	if n.watching.page == nil {
		return ""
	}
	return n.watching.page.Addr().String()
}
