package sms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/events"
	"axgate/routing"
)

// ruling bounds what the rules may take.
const ruling = 10 * time.Second

// soon is when a text comes back that could not be worked on for want of room.
const soon = time.Second

// work takes a text that is held one try on.
func (w *worker) work(t *Text) {
	d, err := w.decide(t)
	switch {
	case w.stopped.Err() != nil:
		w.giveBack(t, w.cfg.Now())
	case errors.Is(err, errCrowded):
		w.giveBack(t, w.cfg.Now().Add(soon))
	case errors.Is(err, errLost):
	case err != nil:
		w.cfg.Log.Error().Err(err).Str("text", t.ID).Msg("a text cannot be decided about")
		w.again(t, nil, routing.TextFault, "the rules could not be asked")
	case t.Open:
		t.Why = "not all of its parts came in time"
		w.finish(t, routing.TextNotSent, d.App)
	case d.App == nil || d.App.Key != t.App:
		w.drop(t, &d)
	case d.Step != routing.ForwardText:
		w.drop(t, &d)
	case w.over(t, 0):
		t.learn(&d)
		t.Why = "its time was over before it could be sent"
		w.finish(t, t.unsent(routing.TextNotSent), d.App)
	default:
		t.learn(&d)
		w.send(t, &d)
	}
}

var (
	errLost    = errors.New("somebody else has the text by now")
	errCrowded = errors.New("too many questions wait for the app's server")
)

// decide applies the rules, and asks the app's server if they say so and it has
// not answered before.
func (w *worker) decide(t *Text) (routing.MessageDecision, error) {
	ctx, cancel := context.WithTimeout(w.sending, ruling)
	defer cancel()
	d, err := w.cfg.Rules.DecideMessage(ctx, t.message(w.cfg.Now()))
	if err != nil || t.Open || d.Step != routing.AskText || w.stopped.Err() != nil {
		return d, err
	}
	if t.Reply == nil {
		if w.over(t, 0) {
			return d, nil
		}
		if err := w.ask(t, &d); err != nil {
			return d, err
		}
	}
	ctx, cancel = context.WithTimeout(w.sending, ruling)
	defer cancel()
	return w.cfg.Rules.DecideMessageReply(ctx, t.message(w.cfg.Now()), *t.Reply)
}

// ask has the app's server asked. The question is on the disk before.
func (w *worker) ask(t *Text, d *routing.MessageDecision) error {
	gate := "ask " + t.App
	if w.gates.enter(w.stopped, gate, ofServer) != passed {
		return errCrowded
	}
	v := unclear
	defer func() { w.gates.leave(gate, ofServer, v) }()
	t.learn(d)
	t.Asked = true
	question := events.NewSMSQuestion(t.told(d.App.SMSContent), 1)
	if !w.save(t, w.cfg.Now().Add(w.cfg.Lease), question) {
		return errLost
	}
	var reply routing.MessageReply
	err := w.hold(t, mostAsking, func(ctx context.Context) error {
		reply = w.cfg.Rules.AskMessage(ctx, d.App, question)
		return nil
	})
	switch {
	case err != nil:
		return err
	case w.sending.Err() != nil:
		return fmt.Errorf("ask the app's server: %w", w.sending.Err())
	}
	if v = well; reply.Late {
		v = ill
	}
	t.Reply = &reply
	return nil
}

// mostAsking bounds a question, whatever an app's server may take.
const mostAsking = time.Minute

// hold keeps the text's lease while something is under way for it. errLost: it
// was lost meanwhile, and what was under way has been told to end.
func (w *worker) hold(t *Text, most time.Duration, run func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(w.sending, most)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	beat := time.NewTicker(w.cfg.Lease / 4)
	defer beat.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-beat.C:
			if !w.save(t, w.cfg.Now().Add(w.cfg.Lease)) {
				cancel()
				<-done
				return errLost
			}
		}
	}
}

// drop ends a text that the rules do not let pass.
func (w *worker) drop(t *Text, d *routing.MessageDecision) {
	result, why := d.Result, d.Why
	switch {
	case d.UnknownX:
		result = routing.TextXSuspended
	case d.Step == routing.AskText:
		result, why = t.unsent(routing.TextNotSent), "its time was over before the app's server could be asked"
	case d.Step != routing.DropText:
		result, why = routing.TextNoBinding, "X belongs to another app than when the text came"
	}
	switch {
	case t.Sent > 0: // what is known of those pieces stays
		result = routing.TextPartlySent
	case d.App != nil && d.App.Key == t.App:
		t.learn(d)
	default:
		t.Binding, t.UserData, t.Direction = "", "", routing.Abnormal
	}
	t.Why = bounded(why)
	w.finish(t, result, d.App)
}

// unsent is the result of a text that ends for some reason, unless pieces of it
// arrived.
func (t *Text) unsent(result routing.SendResult) routing.SendResult {
	if t.Sent > 0 {
		return routing.TextPartlySent
	}
	return result
}

// over tells whether the text's time will be over in a while.
func (w *worker) over(t *Text, in time.Duration) bool {
	return w.cfg.Now().Add(in).Sub(t.At) > w.cfg.Validity
}

// again has the text tried once more later, or ends it with the result if its
// time is over by then.
func (w *worker) again(t *Text, app *routing.App, result routing.SendResult, failure string) {
	pause := w.cfg.Retries[min(t.Fails, len(w.cfg.Retries)-1)]
	t.Fails++
	t.Ahead, t.Failure = false, bounded(failure)
	if w.over(t, pause) {
		w.finish(t, t.unsent(result), app)
		return
	}
	w.giveBack(t, w.cfg.Now().Add(pause))
}

// finish ends the text, with its notice.
func (w *worker) finish(t *Text, result routing.SendResult, app *routing.App) {
	notice := t.end(result, app, w.cfg.Now())
	if w.save(t, time.Time{}, notice) {
		w.cfg.Done(result)
		w.cfg.Log.Info().Str("text", t.ID).Str("app", t.App).Str("x", string(t.X)).Int("result", int(result)).Int("tries", t.Tries).Str("why", t.Why).Str("failure", t.Failure).Msg("a text is done")
	}
}

// giveBack lets the text be due at an instant.
func (w *worker) giveBack(t *Text, due time.Time) { w.save(t, due) }

// save stores the state of the text, trying until the lease is over. false:
// somebody else has it then.
func (w *worker) save(t *Text, due time.Time, evs ...events.Event) bool {
	const pause, limit = 500 * time.Millisecond, 5 * time.Second
	for tries := 1; ; tries++ {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(w.stopped), limit)
		held, err := w.cfg.Store.SaveText(ctx, t, due, evs...)
		cancel()
		if err == nil {
			if !held {
				w.cfg.Log.Warn().Str("text", t.ID).Msg("a text was held for longer than its lease: somebody else has it")
			}
			return held
		}
		last := w.stopped.Err() != nil || w.cfg.Now().Add(pause).After(t.Due)
		if tries == 1 || last {
			w.cfg.Log.Error().Err(err).Str("text", t.ID).Bool("given_up", last).Msg("the state of a text cannot be stored")
		}
		if last {
			return false
		}
		select {
		case <-time.After(pause):
		case <-w.stopped.Done():
		}
	}
}

// bounded keeps a reason short enough for a table, and free of bytes that are no
// text to PostgreSQL.
func bounded(s string) string {
	const most = 200
	s = strings.ReplaceAll(s, "\x00", "")
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
