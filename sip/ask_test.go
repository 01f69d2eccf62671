package sip

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/routing"
)

// openX is a world whose X is in X mode; answer is what comes of the question.
func openX(t *testing.T, answer func(ctx context.Context, q routing.Question, question events.Event) (routing.Decision, error), changes ...func(*settings)) *world {
	w := open(t, changes...)
	app := &routing.App{Key: "app1", Mode: routing.XMode, Recording: true}
	w.router.decides(func(q routing.Question) (routing.Decision, error) {
		return routing.Decision{Step: routing.Ask, App: app, Caller: q.Caller, Direction: routing.ToA, Why: "test"}, nil
	})
	w.router.answers(answer)
	return w
}

// connected is the decision by an answer that names B.
func connected(q routing.Question) routing.Decision {
	return routing.Decision{Step: routing.Dial, Callee: "+86" + numB, Caller: q.Caller, Shown: q.X, UserData: "order 42",
		App: &routing.App{Key: "app1", Mode: routing.XMode, Recording: true}, Why: "test"}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	t.Run("connect", func(t *testing.T) {
		var question events.Event
		var before events.Call
		var w *world
		opened := make(chan struct{})
		w = openX(t, func(_ context.Context, q routing.Question, e events.Event) (routing.Decision, error) {
			<-opened
			question = e
			w.journal.mu.Lock()
			before = w.journal.calls[q.Session]
			w.journal.mu.Unlock()
			d := connected(q)
			d.Prompt, d.MaxMinutes = "wait.wav", 2
			return d, nil
		}, func(s *settings) {
			s.prompts = prompts{"wait.wav": clip(0x33, 100*time.Millisecond)}
			s.cfg.minute = 300 * time.Millisecond
		})
		close(opened)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		require.Contains(t, b.invite.get("From"), numX)
		a.response(183, "INVITE")
		b.says(180, "")
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.ack("")
		b.hungUp() // after two minutes of the test
		rec := w.ends(8010, 8010)
		require.Equal(t, []string{"X", "", "order 42", "+86" + numB, "+86" + numX}, []string{rec.Mode, rec.Binding, rec.UserData, rec.Callee, rec.X})
		require.Equal(t, int(routing.ToA), rec.Direction)
		require.Equal(t, rec.Session, before.Session, "the question is in the journal before it is asked")
		require.True(t, question.Question)
		require.Equal(t, 1, question.Seq)
		w.journal.mu.Lock()
		stored := w.journal.evs[rec.Session][0]
		w.journal.mu.Unlock()
		require.Equal(t, question, stored, "the log has what was asked")
		require.Equal(t, []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Answer, events.Disconnect, events.Fee}, w.journal.kinds(rec.Session))
	})
	t.Run("close", func(t *testing.T) {
		w := openX(t, func(_ context.Context, q routing.Question, _ events.Event) (routing.Decision, error) {
			d := connected(q)
			d.Step, d.Callee, d.Shown, d.Prompt, d.End = routing.Refuse, "", "", "bye.wav", routing.EndClosed
			return d, nil
		}, func(s *settings) { s.prompts = prompts{"bye.wav": clip(0x44, 200*time.Millisecond)} })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.mouthA.talksTo(a.response(183, "INVITE"))
		w.mouthA.until(0x11, "the caller hears it", w.mouthA.hears(0x44, 3))
		require.Equal(t, "Q.850;cause=21", a.fails(403).get("Reason"))
		require.Equal(t, "order 42", w.ends(8017, 8017).UserData)
		require.Empty(t, w.b.everything())
	})
	t.Run("it cannot be decided", func(t *testing.T) {
		w := openX(t, func(context.Context, routing.Question, events.Event) (routing.Decision, error) {
			return routing.Decision{}, errors.New("neither cache nor ledger answers")
		})
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(500)
		require.Equal(t, int(routing.Abnormal), w.ends(8020, 8020).Direction)
	})
	t.Run("the caller gives up", func(t *testing.T) {
		ended := make(chan error, 1)
		w := openX(t, func(ctx context.Context, _ routing.Question, _ events.Event) (routing.Decision, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return routing.Decision{}, ctx.Err()
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.response(100, "INVITE")
		eventually(t, "it is asked", func() bool { w.journal.mu.Lock(); defer w.journal.mu.Unlock(); return len(w.journal.calls) == 1 })
		a.cancel()
		a.response(200, "CANCEL")
		a.fails(487)
		rec := w.ends(7501, 7501)
		require.Equal(t, 1, rec.ReleasedBy)
		require.ErrorIs(t, <-ended, context.Canceled, "the waiting is over")
		require.Empty(t, w.b.everything())
	})
	t.Run("the answer crosses the CANCEL", func(t *testing.T) {
		wait, asked := make(chan struct{}), make(chan struct{})
		w := openX(t, func(_ context.Context, q routing.Question, _ events.Event) (routing.Decision, error) {
			close(asked)
			<-wait
			return connected(q), nil
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		<-asked
		a.cancel()
		a.response(200, "CANCEL")
		a.fails(487)
		close(wait)
		w.ends(7501, 7501)
		require.Empty(t, w.b.everything(), "nobody is rung for a caller who has gone")
	})
	t.Run("by order", func(t *testing.T) {
		asked := make(chan struct{})
		w := openX(t, func(ctx context.Context, _ routing.Question, _ events.Event) (routing.Decision, error) {
			close(asked)
			<-ctx.Done()
			return routing.Decision{}, ctx.Err()
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		<-asked
		w.stop()
		a.fails(480)
		w.ends(8017, 8017)
	})
	t.Run("not asked where the node is full", func(t *testing.T) {
		w := openX(t, func(context.Context, routing.Question, events.Event) (routing.Decision, error) {
			return routing.Decision{}, errors.New("nobody may be asked")
		}, func(s *settings) { s.cfg.MaxCalls = 1 })
		ask := w.router.said()
		w.router.decides(nil)
		talk, b := w.talk()
		w.router.decides(ask)
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		rec := w.ends(522, 522)
		w.journal.mu.Lock()
		var info struct{ NotifyMode string }
		require.NoError(t, json.Unmarshal(w.journal.evs[rec.Session][0].Body, &info))
		question := w.journal.evs[rec.Session][0].Question
		w.journal.mu.Unlock()
		require.False(t, question, "it is pushed as any other")
		require.Equal(t, "Notify", info.NotifyMode)
		talk.bye()
		b.hungUp()
	})
	t.Run("the journal is down", func(t *testing.T) {
		w := openX(t, func(context.Context, routing.Question, events.Event) (routing.Decision, error) {
			return routing.Decision{}, errors.New("nobody may be asked")
		})
		w.journal.fails(func(events.Event) error { return errDisk })
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
	})
}
