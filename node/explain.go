package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axgate/ledger"
	"axgate/routing"
	"axgate/store"
)

// Explanation is a decision and where its facts come from.
type Explanation struct {
	routing.Decision
	Source string // the cache or the ledger
	Asked  bool   // the caller is asked for an extension
}

// Explain tells what would be decided about a call to X, and reserves nothing.
// With an extension it is the decision after that was typed, if the caller is
// asked for one.
func (o *Office) Explain(ctx context.Context, x routing.X, caller routing.Number, ext routing.Extension) (Explanation, error) {
	return explain(ctx, o.Ledger, o.Cache, &o.Plan, routing.Question{X: x, Caller: caller, At: time.Now()}, ext)
}

// Explain is that of an office, from within the node.
func (n *Node) Explain(ctx context.Context, x routing.X, caller routing.Number) (routing.Decision, error) {
	e, err := explain(ctx, n.ledger, n.cache, &n.plan, routing.Question{X: x, Caller: caller, At: time.Now()}, "")
	return e.Decision, err
}

func explain(ctx context.Context, l *ledger.Ledger, c *store.Cache, plan *routing.Plan, q routing.Question, ext routing.Extension) (Explanation, error) {
	first, err := decide(ctx, l, c, plan, q, "")
	if err != nil || first.Step != routing.Collect {
		return first, err
	}
	second := first
	if ext != "" {
		second, err = decide(ctx, l, c, plan, q, ext)
	}
	second.Asked = true
	return second, err
}

// decide is the decision at the INVITE, or that after an extension.
func decide(ctx context.Context, l *ledger.Ledger, c *store.Cache, plan *routing.Plan, q routing.Question, ext routing.Extension) (Explanation, error) {
	f, source, err := facts(ctx, l, c, q, ext)
	if err != nil {
		return Explanation{}, err
	}
	var app *routing.App
	if f.Known {
		a, err := l.App(ctx, f.App)
		if err != nil && !errors.Is(err, ledger.ErrUnknownApp) {
			return Explanation{}, err
		}
		if err == nil {
			app = &a.App
		}
	}
	if ext != "" {
		return Explanation{Decision: routing.DecideExtension(plan, app, q, f, ext), Source: source}, nil
	}
	return Explanation{Decision: routing.Decide(plan, app, q, f), Source: source}, nil
}

// facts asks the cache, as a call does, and the ledger if the cache is not
// there or does not have X.
func facts(ctx context.Context, l *ledger.Ledger, c *store.Cache, q routing.Question, ext routing.Extension) (f routing.Facts, source string, err error) {
	if c != nil {
		var ticket store.Ticket
		if ext == "" {
			f, ticket, err = c.Peek(ctx, q)
		} else {
			f, ticket, err = c.PeekByExtension(ctx, q, ext)
		}
		if err == nil && !ticket.Miss() {
			return f, "the cache", nil
		}
	}
	source = "the ledger"
	if ext == "" {
		f, err = l.Facts(ctx, q)
	} else {
		f, err = l.FactsByExtension(ctx, q, ext)
	}
	if err != nil {
		return f, source, fmt.Errorf("explain a call to %s: %w", q.X, err)
	}
	return f, source, nil
}
