package node

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"axgate/api"
	"axgate/api/manage"
	"axgate/events"
	"axgate/health"
	"axgate/metrics"
	"axgate/provision"
	"axgate/routing"
)

// management is the API for operators, and its document.
func (n *Node) management() ([]api.Mount, error) {
	h, err := manage.New(manage.Deps{
		Records: n.ledger, Changes: n.office, Plan: n.plan, Log: n.log,
		Stop:   n.hangUp,
		Trunks: n.trunksNow,
		Pages:  map[string]http.Handler{metrics.Path: n.watching.figures.Handler(), health.FullPath: http.HandlerFunc(n.healthPage)},
		Local:  provision.Token(n.token),
		Bans:   n.bans, Unban: func(ip netip.Addr) bool { return n.server.Unban(ip) }, Defence: n.defence,
		Explain: n.explained, ExplainMessage: n.explainedMessage, Receiver: n.ledger.Outbox().Receiver,
		Probe: func(ctx context.Context, r events.Receiver, app string, at events.Probing) events.Probed {
			refused, err := networks("events.refuse", n.cfg.Events.Refuse)
			if err != nil {
				return events.Probed{Failure: err.Error()}
			}
			return events.Probe(ctx, events.Config{Timeout: n.cfg.Events.Timeout, Refuse: refused, Log: n.log}, r, app, at)
		},
	})
	if err != nil {
		return nil, err
	}
	return []api.Mount{
		{Path: manage.Prefix + "/", Handler: h, MaxBody: manage.MaxBody},
		{Path: manage.Document, Handler: h},
		{Path: metrics.Path, Handler: h},
		{Path: health.FullPath, Handler: h},
	}, nil
}

// explained is Explain with all that operators are told.
func (n *Node) explained(ctx context.Context, x routing.X, caller routing.Number, ext routing.Extension) (manage.Explanation, error) {
	e, err := explain(ctx, n.ledger, n.cache, &n.plan, routing.Question{X: x, Caller: caller, At: time.Now()}, ext)
	return manage.Explanation(e), err
}

// explainedMessage tells what would be decided about a text.
func (n *Node) explainedMessage(ctx context.Context, x routing.X, sender routing.Number, text string) (manage.MessageExplanation, error) {
	e, err := explainMessage(ctx, n.ledger, n.cache, &n.plan, routing.Message{X: x, Sender: sender, Text: text, At: time.Now()})
	return manage.MessageExplanation(e), err
}
