package lookup

import (
	"context"
	"errors"
	"time"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
)

// DecideMessage applies the rules to a text to X: one round trip to Redis, and
// one more about a receiver whom A named. Nothing is reserved. m.At is the
// instant that the rules go by: of a later try, that try's. Unlike a call, a text
// goes by the settings of app and account as they are this very moment: the
// ledger is asked for it anyway.
func (r *Router) DecideMessage(ctx context.Context, m routing.Message) (routing.MessageDecision, error) {
	f, app, err := r.aboutX(ctx, m)
	if err != nil {
		return routing.MessageDecision{}, err
	}
	if app != nil {
		to, named := m.Reaches(&r.cfg.Plan, app, f)
		if err := r.aboutParties(ctx, m, to, named, &f); err != nil {
			return routing.MessageDecision{}, err
		}
	}
	return routing.DecideMessage(&r.cfg.Plan, app, m, f), nil
}

// DecideMessageReply applies the rules to what the app's server said to a text.
// Everything is looked up anew: it may have changed while the server thought.
func (r *Router) DecideMessageReply(ctx context.Context, m routing.Message, reply routing.MessageReply) (routing.MessageDecision, error) {
	f, app, err := r.aboutX(ctx, m)
	if err != nil {
		return routing.MessageDecision{}, err
	}
	if app != nil {
		if err := r.aboutParties(ctx, m, reply.Reaches(app), true, &f); err != nil {
			return routing.MessageDecision{}, err
		}
	}
	return routing.DecideMessageReply(&r.cfg.Plan, app, m, f, reply), nil
}

// aboutX finds what is stored about X and the sender, and the app that owns X.
func (r *Router) aboutX(ctx context.Context, m routing.Message) (routing.Facts, *routing.App, error) {
	f, err := r.facts(ctx, r.byNumber(caller(m), r.cfg.Cache.Peek))
	if err != nil || !f.Known {
		return f, nil, err
	}
	app, err := r.appNow(ctx, f.App)
	return f, app, err
}

// appNow is app without what was changed a moment ago and not read yet.
func (r *Router) appNow(ctx context.Context, key string) (*routing.App, error) {
	known, err := r.knowsSettings(ctx)
	if err != nil {
		return nil, err
	}
	if known {
		return r.app(ctx, key)
	}
	a, err := r.cfg.Ledger.App(ctx, key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return nil, nil
	}
	return &a.App, err
}

// knowsSettings tells whether the ledger has no settings that this node has not
// read.
func (r *Router) knowsSettings(ctx context.Context) (bool, error) {
	m, err := r.cfg.Ledger.Marks(ctx)
	return err == nil && m.Settings == r.settings.Load().mark, err
}

// aboutParties finds out whether sender and receiver are X of ours, and whether
// a receiver whom no binding names is on the blacklist of X.
func (r *Router) aboutParties(ctx context.Context, m routing.Message, to routing.Number, named bool, f *routing.Facts) (err error) {
	if f.CallerOurs, f.CalleeOurs, err = r.cfg.Ledger.Ours(ctx, m.Sender, to); err != nil || !named {
		return err
	}
	f.CalleeBlacklisted = false // that was about whom a call by the same sender would reach
	if r.cfg.Plan.Kind(to) == routing.Malformed {
		return nil // the rules refuse it
	}
	as := caller(m)
	as.Caller = to
	its, err := r.facts(ctx, r.byNumber(as, r.cfg.Cache.Peek))
	f.CalleeBlacklisted = its.Blacklisted
	return err
}

// caller is the sender of a text as one who calls.
func caller(m routing.Message) routing.Question {
	return routing.Question{X: m.X, Caller: m.Sender, At: m.At}
}

// AskMessage asks the SMS control address of the app what to do with a text, and
// notes the outcome in the event log. question is the Block notice as it
// stands there. It takes as long as the app's server may; whoever ends ctx
// earlier has no answer, and ctx.Err() tells so.
func (r *Router) AskMessage(ctx context.Context, app *routing.App, question events.Event) routing.MessageReply {
	start := time.Now()
	reply, err := r.askMessage(ctx, app, &question)
	asked := events.Inquiry{Session: question.Session, Seq: question.Seq, At: start}
	switch {
	case err == nil:
		asked.Done = time.Now()
	case errors.Is(context.Cause(ctx), context.Canceled):
		asked.Failure = "the node ended before the answer"
	default:
		asked.Failure = err.Error()
		reply.Silent = asked.Failure
		r.cfg.Log.Warn().Str("app", app.Key).Str("text", question.Session).Str("failure", asked.Failure).Dur("after", time.Since(start)).Msg("the app's server does not say what to do with a text")
	}
	_ = r.cfg.Journal.Asked(asked) // the event log tells; no text waits for it
	return reply
}

// serverNow is server without what was changed a moment ago.
func (r *Router) serverNow(ctx context.Context, app string) (events.Receiver, error) {
	known, err := r.knowsSettings(ctx)
	if err != nil {
		return events.Receiver{}, err
	}
	if known {
		return r.server(ctx, app)
	}
	return r.readServer(ctx, app)
}

// askMessage is what the app's server says. An error tells why there is nothing
// that can be used.
func (r *Router) askMessage(ctx context.Context, app *routing.App, question *events.Event) (routing.MessageReply, error) {
	late := routing.MessageReply{Late: true}
	to, err := r.serverNow(ctx, app.Key)
	if err != nil {
		return late, err
	}
	message, err := events.SMSQuestionMessage(question, &to)
	if err != nil {
		return late, err
	}
	within := app.AnswerIn
	if within <= 0 {
		within = r.cfg.TextAnswerIn
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	body, err := r.cfg.Asker.Ask(ctx, to.SMSControl, &to, app.Key, message)
	if err != nil {
		late.Late = !errors.Is(err, events.ErrLongAnswer)
		return late, err
	}
	c, err := events.ParseSMSControl(body)
	if err != nil {
		return routing.MessageReply{}, err
	}
	return routing.MessageReply{Discard: c.Discard, Called: c.Called, Calling: c.Calling, User: c.UserData}, nil
}
