package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axgate/ledger"
	"axgate/routing"
	"axgate/sms/parts"
	"axgate/store"
)

// MessageExplanation is a decision about a text, and where its facts come from.
type MessageExplanation struct {
	routing.MessageDecision
	Source string // the cache or the ledger
	Parts  int    // in how many parts it counts
}

// ExplainMessage tells what would be decided about a text to X. Nobody is asked,
// and nothing is sent.
func (o *Office) ExplainMessage(ctx context.Context, x routing.X, sender routing.Number, text string) (MessageExplanation, error) {
	return explainMessage(ctx, o.Ledger, o.Cache, &o.Plan, routing.Message{X: x, Sender: sender, Text: text, At: time.Now()})
}

// explainMessage decides as lookup does, by the same facts.
func explainMessage(ctx context.Context, l *ledger.Ledger, c *store.Cache, plan *routing.Plan, m routing.Message) (MessageExplanation, error) {
	f, source, err := facts(ctx, l, c, routing.Question{X: m.X, Caller: m.Sender, At: m.At}, "")
	if err != nil {
		return MessageExplanation{}, err
	}
	var app *routing.App
	if f.Known {
		a, err := l.App(ctx, f.App)
		if err != nil && !errors.Is(err, ledger.ErrUnknownApp) {
			return MessageExplanation{}, fmt.Errorf("explain a text to %s: %w", m.X, err)
		}
		if err == nil {
			app = &a.App
		}
	}
	if app != nil {
		if err := partiesOf(ctx, l, c, plan, app, m, &f); err != nil {
			return MessageExplanation{}, fmt.Errorf("explain a text to %s: %w", m.X, err)
		}
	}
	d := routing.DecideMessage(plan, app, m, f)
	of := m.Text
	if d.Step == routing.ForwardText {
		of = d.Text
	}
	return MessageExplanation{MessageDecision: d, Source: source, Parts: parts.Count(of)}, nil
}

// partiesOf completes the facts with what is known of sender and receiver.
func partiesOf(ctx context.Context, l *ledger.Ledger, c *store.Cache, plan *routing.Plan, app *routing.App, m routing.Message, f *routing.Facts) (err error) {
	to, named := m.Reaches(plan, app, *f)
	if f.CallerOurs, f.CalleeOurs, err = l.Ours(ctx, m.Sender, to); err != nil || !named {
		return err
	}
	f.CalleeBlacklisted = false // that was about whom a call by the same sender would reach
	if plan.Kind(to) == routing.Malformed {
		return nil
	}
	its, _, err := facts(ctx, l, c, routing.Question{X: m.X, Caller: to, At: m.At}, "")
	f.CalleeBlacklisted = its.Blacklisted
	return err
}
