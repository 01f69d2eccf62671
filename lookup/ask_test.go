package lookup_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

const xX routing.X = "+8617010000007"

// asking is a world with an app in X mode and its server.
type asking struct {
	*world
	answer atomic.Pointer[http.HandlerFunc]
	sent   atomic.Pointer[string]
	n      int // questions so far
}

func newAsking(t *testing.T, edit func(*ledger.App)) *asking {
	a := &asking{world: newWorld(t)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		text := string(body)
		a.sent.Store(&text)
		(*a.answer.Load())(w, req)
	}))
	t.Cleanup(s.Close)
	_, err := a.office.CreateApp(a.ctx, ledger.App{App: routing.App{Key: "X", SP: "demo", Mode: routing.XMode, AnswerIn: 10 * time.Second}, Secret: "s", CallInURL: s.URL, StatusURL: "http://192.0.2.1/"})
	require.NoError(t, err)
	_, err = a.office.AddNumber(a.ctx, ledger.Number{XNumber: routing.XNumber{X: xX, App: "X", AreaCode: "0755"}, Voice: true})
	require.NoError(t, err)
	a.change(edit)
	return a
}

// change edits the app, and waits until calls go by it.
func (a *asking) change(edit func(*ledger.App)) {
	a.t.Helper()
	app, err := a.office.ChangeApp(a.ctx, "X", func(to *ledger.App) error {
		if edit != nil {
			edit(to)
		}
		return nil
	})
	require.NoError(a.t, err)
	require.Eventually(a.t, func() bool {
		d, err := a.router.Peek(a.ctx, asks("peek", xX, anna))
		return err == nil && d.App != nil && d.App.Fallback == app.Fallback && d.App.Paused == app.Paused && d.App.AnswerIn == app.AnswerIn
	}, 15*time.Second, 20*time.Millisecond)
}

func (a *asking) says(body string) {
	f := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	a.answer.Store(&f)
}

// connects is an answer that names a callee.
func connects(callee routing.Number, more ...string) string {
	return `{"operation":"connect","connectInfo":{"displayCalleeNum":"` + string(xX) + `","calleeNum":"` + string(callee) + `"` + strings.Join(more, "") + `}}`
}

// asks puts the question of a new call, and gives its session too.
func (a *asking) call(ctx context.Context, caller routing.Number) (routing.Decision, string, error) {
	a.t.Helper()
	a.n++
	q := asks(fmt.Sprint("asked", a.n), xX, caller)
	d, err := a.router.Decide(a.ctx, q)
	require.NoError(a.t, err)
	require.Equal(a.t, routing.Ask, d.Step, d.Why)
	c := events.Call{Session: q.Session, Node: "n1", App: "X", SP: "demo", Mode: "X", X: string(xX), Caller: string(caller), In: q.At}
	question := events.NewQuestion(c, 1, q.At)
	ledgertest.Record(a.t, a.ledger, c, question)
	out, err := a.router.Ask(ctx, q, d, question)
	return out, q.Session, err
}

// logged waits for what the event log says of a question.
func (a *asking) logged(session string) string {
	a.t.Helper()
	var e ledger.LoggedEvent
	require.Eventually(a.t, func() bool {
		page, err := a.ledger.Events(a.ctx, ledger.EventFilter{Session: session})
		require.NoError(a.t, err)
		e = page.Events[0]
		return e.Tries == 1
	}, 15*time.Second, 10*time.Millisecond)
	require.Zero(a.t, e.Due)
	if !e.Done.IsZero() {
		require.Empty(a.t, e.Failure)
		return "done"
	}
	return e.Failure
}

func TestAsk(t *testing.T) {
	a := newAsking(t, nil)
	a.says(connects(bert, `,"maxDuration":"30","userData":42`))
	d, session, err := a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, bert, dials(d), d.Why)
	require.Equal(t, xX, d.Shown)
	require.Equal(t, 30, d.MaxMinutes)
	require.Equal(t, "42", d.UserData)
	require.Nil(t, d.Binding)
	require.Equal(t, "done", a.logged(session))
	var sent struct {
		EventType  string
		StatusInfo struct{ SessionID, Caller, Called, NotifyMode string }
	}
	require.NoError(t, json.Unmarshal([]byte(*a.sent.Load()), &sent))
	require.Equal(t, "callin", sent.EventType)
	require.Equal(t, []string{session, anna, string(xX), "Block"}, []string{sent.StatusInfo.SessionID, sent.StatusInfo.Caller, sent.StatusInfo.Called, sent.StatusInfo.NotifyMode})

	for name, row := range map[string]struct{ answer, want, log string }{
		"close":         {`{"operation":"close"}`, "closed_by_app", "done"},
		"garbage":       {`<html>`, "no_answer_from_app", "the answer is not the JSON that was asked for"},
		"wrong number":  {connects("+8613"), "bad_answer_from_app", "done"},
		"the caller":    {connects(anna), "callee_barred", "done"},
		"an X of ours":  {connects(routing.Number(xAXB)), "callee_barred", "done"},
		"foreign":       {connects("+12125550100"), "callee_foreign", "done"},
		"emergency":     {connects("+86110"), "callee_barred", "done"},
		"missing file":  {connects(bert, `,"waitVoice":"none.wav"`), "prompt_missing", "done"},
		"file not used": {connects(bert, `,"lastMinVoice":"none.wav","recordHintTone":"none.wav"`), bert, "done"},
	} {
		a.says(row.answer)
		d, session, err := a.call(t.Context(), anna)
		require.NoError(t, err, name)
		require.Equal(t, row.want, dials(d), "%s: %s", name, d.Why)
		require.Equal(t, row.log, a.logged(session), name)
	}
}

// TestAskFollowsTheLatest: what is decided while the app's server thinks holds
// for the call.
func TestAskFollowsTheLatest(t *testing.T) {
	a := newAsking(t, nil)
	meanwhile := func(change func(), answer string) {
		f := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			change()
			_, _ = io.WriteString(w, answer)
		})
		a.answer.Store(&f)
	}
	decides := func() string {
		d, _, err := a.call(t.Context(), anna)
		require.NoError(t, err)
		return dials(d)
	}
	block := func(n routing.Number, on bool) {
		require.NoError(t, a.office.Block(a.ctx, "X", string(xX), []string{string(n)}, on))
	}
	meanwhile(func() { block(bert, true) }, connects(bert))
	require.Equal(t, "callee_blacklisted", decides())
	meanwhile(func() { block(bert, false) }, connects(bert))
	require.Equal(t, bert, decides())
	meanwhile(func() { block(anna, true) }, connects(bert))
	require.Equal(t, "caller_blacklisted", decides())
	block(anna, false)
	meanwhile(func() {
		_, err := a.office.SetStatus(a.ctx, string(xX), routing.StatusPaused, "")
		require.NoError(t, err)
	}, connects(bert))
	require.Equal(t, "x_unavailable", decides())
	_, err := a.office.SetStatus(a.ctx, string(xX), routing.StatusNormal, "")
	require.NoError(t, err)
	meanwhile(func() { a.change(func(app *ledger.App) { app.Paused = true }) }, connects(bert))
	require.Equal(t, "app_paused", decides())
}

// TestAskInVain: the fallback, the app's own time, and a caller who does not
// wait.
func TestAskInVain(t *testing.T) {
	a := newAsking(t, func(app *ledger.App) { app.AnswerIn, app.Fallback = 200*time.Millisecond, carl })
	slow := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	a.answer.Store(&slow)
	d, session, err := a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, carl, dials(d), d.Why)
	require.Equal(t, "no answer in time", a.logged(session))
	require.NoError(t, a.office.Block(a.ctx, "X", string(xX), []string{carl}, true))
	d, _, err = a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, "callee_blacklisted", dials(d), "the fallback is held to the same rules")
	a.change(func(app *ledger.App) { app.Fallback = "" })
	d, _, err = a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, "no_answer_from_app", dials(d))
	require.Equal(t, 8014, d.End.StateCode)

	a.change(func(app *ledger.App) { app.AnswerIn = 30 * time.Second })
	ctx, cancel := context.WithCancel(t.Context())
	leaves := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { cancel(); <-req.Context().Done() })
	a.answer.Store(&leaves)
	_, session, err = a.call(ctx, anna)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "the call ended before the answer", a.logged(session))
}

// TestAskWithoutRedis: the ledger knows the blacklist too.
func TestAskWithoutRedis(t *testing.T) {
	a := newAsking(t, nil)
	require.NoError(t, a.office.Block(a.ctx, "X", string(xX), []string{bert}, true))
	a.redis.Kill()
	a.says(connects(bert))
	d, _, err := a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, "callee_blacklisted", dials(d))
	a.says(connects(carl))
	d, _, err = a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, carl, dials(d))
}
