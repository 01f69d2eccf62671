package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/api/manage"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/lookup"
	"axgate/prompts"
	"axgate/provision"
	"axgate/routing"
	"axgate/store"
)

// The parties of the tests. demo has the apps ax, axb and axe, rival has other.
const (
	anna = "+8613800000001"
	bert = "+8613800000002"
	carl = "+8613800000003"

	xa = "+8617010000001" // ax
	xb = "+8617010000002" // axb
	xe = "+8617010000003" // axe
	xo = "+8617010000009" // other
)

// world is the API over a ledger of its own, with a token of each kind.
type world struct {
	t      testing.TB
	ctx    context.Context
	ledger *ledger.Ledger
	office *provision.Service
	server *httptest.Server
	log    *lines
	mu     sync.Mutex
	late   time.Duration // how far the clock was moved
	tokens map[string]string
	up     string // the call that is up
}

// lines is a log that tests look into.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.late)
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late += d
}

// The kinds of tokens.
const (
	theOperator = "operator"
	theTenant   = "tenant"          // of demo
	theRival    = "tenant of rival" //
	theReader   = "read-only"       // of all
	demoReader  = "read-only of demo"
	openReader  = "read-only, unmasked"
	nobody      = "nobody" // no token at all
)

func newWorld(t testing.TB, edit ...func(*manage.Deps)) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), log: &lines{}, tokens: map[string]string{}}
	var err error
	w.ledger, err = ledger.Open(w.ctx, ledgertest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.ledger.Close()) })
	cache, err := store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Timeout: 5 * time.Second,
		Registry: lookup.NewRegistry(w.ledger, "", nil)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cache.Close()) })
	log := zerolog.New(w.log)
	files, err := prompts.OpenDir(filepath.Join(t.TempDir(), "prompts"))
	require.NoError(t, err)
	w.office, err = provision.New(provision.Config{Ledger: w.ledger, Cache: cache, Plan: routing.ChinaPlan(), Prompts: files, Now: w.now, Log: log})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.office.Close(context.WithoutCancel(w.ctx))) })
	w.fill()
	bans := &bans{list: banned}
	d := manage.Deps{Bans: bans.all, Unban: bans.end, Defence: func() manage.Defence { return manage.Defence{Banned: 7, Guesses: 3} },
		Records: w.ledger, Changes: w.office, Plan: routing.ChinaPlan(), Now: w.now, Log: log,
		Stop: w.stop, Explain: w.explain, ExplainMessage: w.explainMessage, Receiver: w.ledger.Outbox().Receiver,
		Probe: func(ctx context.Context, r events.Receiver, app string, at events.Probing) events.Probed {
			return events.Probe(ctx, events.Config{}, r, app, at)
		}}
	for _, e := range edit {
		e(&d)
	}
	h, err := manage.New(d)
	require.NoError(t, err)
	w.server = httptest.NewServer(h)
	t.Cleanup(w.server.Close)
	return w
}

// stop knows one call that is up.
func (w *world) stop(_ context.Context, session string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if session != w.up {
		return false, nil
	}
	w.up = ""
	return true, nil
}

// explain goes by the ledger alone.
func (w *world) explain(ctx context.Context, x routing.X, caller routing.Number, ext routing.Extension) (manage.Explanation, error) {
	plan, q := routing.ChinaPlan(), routing.Question{X: x, Caller: caller, At: w.now()}
	f, err := w.ledger.Facts(ctx, q)
	if err != nil {
		return manage.Explanation{}, err
	}
	var app *routing.App
	if f.Known {
		a, err := w.ledger.App(ctx, f.App)
		if err != nil {
			return manage.Explanation{}, err
		}
		app = &a.App
	}
	d := routing.Decide(&plan, app, q, f)
	asked := d.Step == routing.Collect
	if asked && ext != "" {
		if f, err = w.ledger.FactsByExtension(ctx, q, ext); err != nil {
			return manage.Explanation{}, err
		}
		d = routing.DecideExtension(&plan, app, q, f, ext)
	}
	return manage.Explanation{Decision: d, Source: "the ledger", Asked: asked}, nil
}

// explainMessage goes by the ledger alone.
func (w *world) explainMessage(ctx context.Context, x routing.X, sender routing.Number, text string) (manage.MessageExplanation, error) {
	plan, m := routing.ChinaPlan(), routing.Message{X: x, Sender: sender, Text: text, At: w.now()}
	f, err := w.ledger.Facts(ctx, routing.Question{X: x, Caller: sender, At: m.At})
	if err != nil {
		return manage.MessageExplanation{}, err
	}
	var app *routing.App
	if f.Known {
		a, err := w.ledger.App(ctx, f.App)
		if err != nil {
			return manage.MessageExplanation{}, err
		}
		app = &a.App
	}
	return manage.MessageExplanation{MessageDecision: routing.DecideMessage(&plan, app, m, f), Source: "the ledger", Parts: 1}, nil
}

func (w *world) fill() {
	for _, sp := range []string{"demo", "rival"} {
		require.NoError(w.t, w.office.EnsureAccount(w.ctx, ledger.Account{SP: sp, Name: sp}))
	}
	for _, a := range []struct {
		key, sp, x string
		mode       routing.Mode
	}{{"ax", "demo", xa, routing.AX}, {"axb", "demo", xb, routing.AXB}, {"axe", "demo", xe, routing.AXE}, {"other", "rival", xo, routing.AX}} {
		_, err := w.office.CreateApp(w.ctx, ledger.App{App: routing.App{Key: a.key, SP: a.sp, Mode: a.mode}, Secret: "secret-of-" + a.key, Name: "the app " + a.key})
		require.NoError(w.t, err)
		_, err = w.office.AddNumber(w.ctx, ledger.Number{XNumber: routing.XNumber{X: routing.X(a.x), App: a.key, AreaCode: "0755", City: "Shenzhen", Province: "Guangdong"}, Voice: true})
		require.NoError(w.t, err)
	}
	for name, o := range map[string]provision.NewOperator{
		theOperator: {Role: ledger.RoleOperator}, theTenant: {Role: ledger.RoleTenant, SP: "demo"}, theRival: {Role: ledger.RoleTenant, SP: "rival"},
		theReader: {Role: ledger.RoleReadOnly}, demoReader: {Role: ledger.RoleReadOnly, SP: "demo"}, openReader: {Role: ledger.RoleReadOnly, Unmasked: true},
	} {
		o.Name = strings.NewReplacer(" ", "-", ",", "").Replace(name)
		_, token, err := w.office.AddOperator(w.ctx, o)
		require.NoError(w.t, err)
		w.tokens[name] = string(token)
	}
}

// answer is what a request was answered with.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// ask sends a request; body is text, bytes of a form with its content type
// set by edit, or else a value to be sent as JSON.
func (w *world) ask(who, method, path string, body any, edit ...func(*http.Request)) *answer {
	w.t.Helper()
	var text io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		text = strings.NewReader(b)
	case []byte:
		text = bytes.NewReader(b)
	default:
		j, err := json.Marshal(b)
		require.NoError(w.t, err)
		text = bytes.NewReader(j)
	}
	if path != manage.Document {
		path = manage.Prefix + path
	}
	r, err := http.NewRequestWithContext(w.ctx, method, w.server.URL+path, text)
	require.NoError(w.t, err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token := w.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, e := range edit {
		e(r)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, res.Body.Close()) }()
	if res.StatusCode < http.StatusBadRequest {
		exercised.Store(method+" "+r.URL.Path, true)
	}
	b, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	return &answer{w.t, res.StatusCode, res.Header, b}
}

func (w *world) get(who, path string) *answer {
	w.t.Helper()
	return w.ask(who, http.MethodGet, path, nil)
}

func (w *world) post(who, path string, body any) *answer {
	w.t.Helper()
	return w.ask(who, http.MethodPost, path, body)
}

// is requires a status, and gives the body as JSON.
func (a *answer) is(status int) map[string]any {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "%s", a.body)
	out := map[string]any{}
	if len(a.body) > 0 {
		require.NoError(a.t, json.Unmarshal(a.body, &out), "%s", a.body)
	}
	if status >= 400 {
		require.Equal(a.t, "application/problem+json", a.header.Get("Content-Type"))
		require.EqualValues(a.t, status, out["status"])
		require.NotEmpty(a.t, out["title"])
		require.NotEmpty(a.t, out["detail"])
	}
	return out
}

// wrong requires that one field is named as wrong.
func (a *answer) wrong(field string) {
	a.t.Helper()
	out := a.is(http.StatusUnprocessableEntity)
	list, _ := out["errors"].([]any)
	require.Len(a.t, list, 1, "%s", a.body)
	require.Equal(a.t, field, list[0].(map[string]any)["field"], "%s", a.body)
}

// column collects one field of the items of a list.
func (a *answer) column(field string) []string {
	a.t.Helper()
	list := []string{}
	for _, item := range a.is(http.StatusOK)["items"].([]any) {
		text, _ := item.(map[string]any)[field].(string)
		list = append(list, text)
	}
	return list
}
