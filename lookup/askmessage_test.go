package lookup_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/provision"
	"axgate/routing"
)

// texting is a world in which anna has an AX X, and the app a server that is
// asked whom her texts are for.
type texting struct {
	*asking
	texts int
}

func newTexting(t *testing.T) *texting {
	a := &texting{asking: &asking{world: newWorld(t)}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		text := string(body)
		a.sent.Store(&text)
		(*a.answer.Load())(w, req)
	}))
	t.Cleanup(s.Close)
	a.ax(anna)
	_, err := a.office.AddNumber(a.ctx, ledger.Number{XNumber: routing.XNumber{X: xAX, App: "AX", SMS: true}})
	require.NoError(t, err)
	a.edit(func(app *ledger.App) { app.SMS, app.SMSControlURL, app.AnswerIn = true, s.URL, 10*time.Second })
	return a
}

func (a *texting) edit(edit func(*ledger.App)) {
	a.t.Helper()
	_, err := a.office.ChangeApp(a.ctx, "AX", func(app *ledger.App) error { edit(app); return nil })
	require.NoError(a.t, err)
}

func (a *texting) text() routing.Message {
	return routing.Message{X: xAX, Sender: anna, Text: "hello", At: time.Now()}
}

// asked decides about a text of anna and asks the app's server; it gives the
// text's id too.
func (a *texting) asked(ctx context.Context) (routing.MessageReply, string) {
	a.t.Helper()
	a.texts++
	id := fmt.Sprint("text", a.texts)
	d, err := a.router.DecideMessage(a.ctx, a.text())
	require.NoError(a.t, err)
	require.Equal(a.t, routing.AskText, d.Step, d.Why)
	question := events.NewSMSQuestion(events.SMS{ID: id, App: "AX", Calling: anna, X: string(xAX), At: time.Now(), SplitNum: 1, Direction: 1}, 1)
	ledgertest.Record(a.t, a.ledger, events.Call{Session: id}, question)
	return a.router.AskMessage(ctx, d.App, question), id
}

// then is what becomes of a text after an answer.
func (a *texting) then(r routing.MessageReply) string {
	a.t.Helper()
	d, err := a.router.DecideMessageReply(a.ctx, a.text(), r)
	require.NoError(a.t, err)
	return outcome(d)
}

// routes is an answer that names a receiver.
func routes(to string) string {
	return `{"actions":[{"operation":"vNumberRoute","message":{"called":"` + to + `","calling":"` + anna + `"},"userData":"order 8"}]}`
}

func TestAskMessage(t *testing.T) {
	a := newTexting(t)
	a.says(routes(bert))
	r, id := a.asked(t.Context())
	require.Equal(t, routing.MessageReply{Called: bert, Calling: anna, User: "order 8"}, r)
	require.Equal(t, bert+" hello", a.then(r))
	require.Equal(t, "done", a.logged(id))
	require.Contains(t, *a.sent.Load(), `"notificationMode":"Block"`)
	require.Contains(t, *a.sent.Load(), `"smsIdentifier":"`+id+`"`)

	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		late   bool
		want   string
		log    string
	}{
		"another 2xx":        {status(201, routes(bert)), false, bert + " hello", "done"},
		"an object":          {status(200, `{"actions":{"operation":"vNumberRoute","message":{"called":"`+bert+`","calling":"`+anna+`"}}}`), false, bert + " hello", "done"},
		"discard":            {status(200, `{"actions":[{"operation":"DiscardMessage"}]}`), false, "6", "done"},
		"no receiver":        {status(200, `{"actions":[{"operation":"vNumberRoute"}]}`), false, "10", "done"},
		"a fixed line":       {status(200, routes("+8675528000001")), false, "10", "done"},
		"an X of ours":       {status(200, routes(string(xAXB))), false, "10", "done"},
		"the sender":         {status(200, routes(anna)), false, "10", "done"},
		"not in global form": {status(200, routes("13800000002")), false, "10", "done"},
		"another sender":     {status(200, strings.ReplaceAll(routes(bert), anna, carl)), false, "10", "done"},
		"unknown operation":  {status(200, `{"actions":[{"operation":"forward"}]}`), false, "10", `the answer has the unknown operation "forward"`},
		"garbage":            {status(200, "<html>"), false, "10", "the answer is not the JSON that was asked for"},
		"nothing":            {status(200, ""), false, "10", "the answer is not the JSON that was asked for"},
		"too long":           {status(200, strings.Repeat(" ", 65<<10)), false, "10", "the answer is longer than 65536 bytes"},
		"a fault":            {status(500, routes(bert)), true, "7", "HTTP status 500"},
		"elsewhere":          {status(302, routes(bert)), true, "7", "HTTP status 302"},
	} {
		a.answer.Store(&c.answer)
		r, id := a.asked(t.Context())
		require.Equal(t, c.late, r.Late, name)
		require.Equal(t, c.want, a.then(r), name)
		require.Equal(t, c.log, a.logged(id), name)
	}
}

// TestAskMessageInVain: the app's own time, a server that is away, and a node
// that ends.
func TestAskMessageInVain(t *testing.T) {
	a := newTexting(t)
	slow := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	a.answer.Store(&slow)
	a.edit(func(app *ledger.App) { app.AnswerIn = 200 * time.Millisecond })
	r, id := a.asked(t.Context())
	require.True(t, r.Late)
	require.Equal(t, "7", a.then(r))
	require.Equal(t, "no answer in time", a.logged(id))

	a.edit(func(app *ledger.App) { app.AnswerIn = 30 * time.Second })
	ctx, cancel := context.WithCancel(t.Context())
	ends := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { cancel(); <-req.Context().Done() })
	a.answer.Store(&ends)
	_, id = a.asked(ctx)
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.Equal(t, "the node ended before the answer", a.logged(id))

	a.edit(func(app *ledger.App) { app.SMSControlURL = "http://127.0.0.1:1/" })
	r, id = a.asked(t.Context())
	require.True(t, r.Late, "a change of the address holds at once")
	require.Equal(t, "7", a.then(r))
	require.NotEqual(t, "done", a.logged(id))
}

// TestAnswersAreHeldToTheLatest: what changes while the app's server thinks
// holds for the text.
func TestAnswersAreHeldToTheLatest(t *testing.T) {
	a := newTexting(t)
	r := routing.MessageReply{Called: bert, Calling: anna}
	require.Equal(t, bert+" hello", a.then(r))
	require.NoError(t, a.office.Block(a.ctx, "AX", string(xAX), []string{bert}, true))
	require.Equal(t, "8", a.then(r))
	require.Equal(t, carl+" hello", a.then(routing.MessageReply{Called: carl, Calling: anna}))
	require.NoError(t, a.office.Block(a.ctx, "AX", string(xAX), []string{bert}, false))
	a.edit(func(app *ledger.App) { app.SMS = false })
	require.Equal(t, "4", a.then(r))
	a.edit(func(app *ledger.App) { app.SMS = true })
	require.Equal(t, bert+" hello", a.then(r))
	require.NoError(t, a.office.UnbindAX(a.ctx, "AX", provision.AX{PrivateNum: string(xAX)}))
	require.Equal(t, "2", a.then(r))
	_, err := a.office.BindAX(a.ctx, "AX", provision.BindAX{OrigNum: carl, PrivateNum: string(xAX)})
	require.NoError(t, err)
	require.Equal(t, "2", a.then(r), "X is somebody else's by now")
	d, err := a.router.DecideMessage(a.ctx, routing.Message{X: xAX, Sender: anna, Text: "hello", At: time.Now(), Taken: &routing.Taken{App: "AX", Binding: "before"}})
	require.NoError(t, err)
	require.Equal(t, "2", outcome(d), "not to the new A, with the old one's number")
}

// TestFallbackOfTexts: in X mode somebody gets what the app's server does not
// answer for.
func TestFallbackOfTexts(t *testing.T) {
	w := newWorld(t)
	_, err := w.office.CreateApp(w.ctx, ledger.App{App: routing.App{Key: "X", SP: "demo", Mode: routing.XMode, SMS: true, Fallback: carl}, SMSControlURL: control})
	require.NoError(t, err)
	_, err = w.office.AddNumber(w.ctx, ledger.Number{XNumber: routing.XNumber{X: xX, App: "X", SMS: true}})
	require.NoError(t, err)
	then := func(sender routing.Number, r routing.MessageReply) string {
		d, err := w.router.DecideMessageReply(w.ctx, routing.Message{X: xX, Sender: sender, Text: "hello", At: time.Now()}, r)
		require.NoError(t, err)
		return outcome(d)
	}
	require.Equal(t, carl+" hello", then(anna, routing.MessageReply{Late: true}))
	require.Equal(t, "10", then(carl, routing.MessageReply{Late: true}))
	require.Equal(t, "10", then(anna, routing.MessageReply{Silent: "no JSON"}))
	require.NoError(t, w.office.Block(w.ctx, "X", string(xX), []string{carl}, true))
	require.Equal(t, "8", then(anna, routing.MessageReply{Late: true}))
}
