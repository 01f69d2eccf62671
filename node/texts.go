package node

import (
	"context"
	"time"

	"axgate/routing"
	"axgate/sms"
	"axgate/store"
)

// openTexts opens the office that takes texts through X. It sends them once
// there are carriers (sendTexts).
func (n *Node) openTexts(context.Context) (err error) {
	c := &n.cfg.SMS
	n.texts, err = sms.New(sms.Config{
		Rules: n.router, Store: n.ledger, Limits: textCounts{n.cache}, PerSender: c.PerSender, PerX: c.PerX,
		MaxParts: c.MaxParts, Validity: c.Validity, Assemble: c.Assemble, Done: n.watching.figures.TextDone, Rests: n.rests,
		Now: n.ledger.Now, // all nodes have one clock for what is due
		Log: n.log,
	})
	return err
}

// sendTexts begins to send texts. At the end it stops before the carriers do:
// what they have under way gets a moment, and all else is in the ledger.
func (n *Node) sendTexts() {
	carriers := n.textCarriers()
	n.background("the texts", func(ctx context.Context) { n.texts.Run(ctx, carriers) })
}

// textCounts are the cache's, as the office of texts asks for them.
type textCounts struct{ cache *store.Cache }

var _ sms.Limits = textCounts{}

func (c textCounts) CountTextTo(ctx context.Context, x routing.X, span time.Duration) (int, time.Time, error) {
	n, err := c.cache.CountTextTo(ctx, x, span)
	return n.N, n.Until, err
}

func (c textCounts) CountTextFrom(ctx context.Context, from routing.Number, span time.Duration) (int, time.Time, error) {
	n, err := c.cache.CountTextFrom(ctx, from, span)
	return n.N, n.Until, err
}
