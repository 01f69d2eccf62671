package lookup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
)

// answerIn is how long an app's server may take to answer if nothing else is
// said.
const answerIn = 5 * time.Second

// afterwards bounds what is looked up once the answer is there.
const afterwards = 3 * time.Second

// Ask puts the question of a call in X mode to the server of the app in d, and
// applies the rules to what it answers. It takes as long as the app's server
// may; whoever does not want to know any more ends ctx, and after that releases
// the session. question is the callin event as it stands in the journal.
func (r *Router) Ask(ctx context.Context, q routing.Question, d routing.Decision, question events.Event) (routing.Decision, error) {
	start := time.Now()
	reply, err := r.answer(ctx, d.App, &question)
	asked := events.Inquiry{Session: question.Session, Seq: question.Seq, At: start}
	switch {
	case err == nil:
		asked.Done = time.Now()
	case errors.Is(context.Cause(ctx), context.Canceled):
		asked.Failure = "the call ended before the answer"
	default:
		asked.Failure = err.Error()
	}
	_ = r.cfg.Journal.Asked(asked) // the event log tells; no call waits for it
	if ctx.Err() != nil {
		return routing.Decision{}, fmt.Errorf("ask the app's server: %w", ctx.Err())
	}
	if err != nil {
		r.cfg.Log.Warn().Str("app", d.App.Key).Str("session", q.Session).Str("failure", err.Error()).Dur("after", time.Since(start)).Msg("the app's server does not say who is meant")
		reply = routing.Reply{Silent: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, afterwards)
	defer cancel()
	return r.reply(ctx, q, reply)
}

// server is where the app's server is.
func (r *Router) server(ctx context.Context, app string) (events.Receiver, error) {
	if to, ok := r.settings.Load().servers[app]; ok {
		return to, nil
	}
	return r.readServer(ctx, app)
}

func (r *Router) readServer(ctx context.Context, app string) (events.Receiver, error) {
	a, err := r.cfg.Ledger.App(ctx, app)
	if err != nil {
		return events.Receiver{}, fmt.Errorf("read where the app's server is: %w", err)
	}
	return a.Receiver(), nil
}

// answer is what the app's server says.
func (r *Router) answer(ctx context.Context, app *routing.App, question *events.Event) (routing.Reply, error) {
	to, err := r.server(ctx, app.Key)
	if err != nil {
		return routing.Reply{}, err
	}
	within := app.AnswerIn
	if within <= 0 {
		within = r.cfg.AnswerIn
	}
	message, err := events.QuestionMessage(question, &to)
	if err != nil {
		return routing.Reply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	body, err := r.cfg.Asker.Ask(ctx, to.CallIn, &to, app.Key, message)
	if err != nil {
		return routing.Reply{}, err
	}
	c, err := events.ParseControl(body)
	if err != nil {
		return routing.Reply{}, err
	}
	return routing.Reply{
		Close: c.Close, Shown: c.Display, Callee: c.Callee, MaxMinutes: c.MaxDuration, Record: c.Record, UserData: c.UserData,
		WaitVoice: c.WaitVoice, RecordHint: c.RecordHint, LastMinute: c.LastMinute, CloseHint: c.CloseHint,
	}, nil
}

// reply applies the rules to an answer. What is stored about X, its app and
// the callee is read anew: it may have changed while the app's server thought.
func (r *Router) reply(ctx context.Context, q routing.Question, reply routing.Reply) (routing.Decision, error) {
	f, err := r.facts(ctx, r.byNumber(q, r.cfg.Cache.Peek))
	if err != nil {
		return routing.Decision{}, err
	}
	var app *routing.App
	if f.Known {
		if app, err = r.app(ctx, f.App); err != nil {
			return routing.Decision{}, err
		}
	}
	if app != nil {
		if callee := reply.Reaches(app); callee != "" {
			if err := r.aboutCallee(ctx, q, callee, &f); err != nil {
				return routing.Decision{}, err
			}
		}
		for _, file := range reply.Files(app) {
			if !r.cfg.Playable(app, file) {
				reply.Missing = file
				break
			}
		}
	}
	rules := func(app *routing.App, f routing.Facts) routing.Decision {
		return routing.DecideReply(&r.cfg.Plan, app, q, f, reply)
	}
	return r.count(ctx, q, rules(app, f), f, rules)
}

// aboutCallee finds out what is known of a callee whom no binding names. As
// the caller of the same X it would be on the same blacklist.
func (r *Router) aboutCallee(ctx context.Context, q routing.Question, callee routing.Number, f *routing.Facts) error {
	if r.cfg.Plan.Kind(callee) == routing.Malformed {
		return nil // the rules refuse it
	}
	as := q
	as.Caller = callee
	its, err := r.facts(ctx, r.byNumber(as, r.cfg.Cache.Peek))
	if err != nil {
		return err
	}
	f.CalleeBlacklisted = its.Blacklisted
	n, err := r.cfg.Ledger.Number(ctx, routing.X(callee))
	switch {
	case errors.Is(err, ledger.ErrUnknownX):
	case err != nil:
		return fmt.Errorf("tell a real number from X: %w", err)
	default:
		f.CalleeOurs = n.Status != routing.StatusReturned
	}
	return nil
}
