package manage_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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

// ends reads the words of all ends of routing from its source.
func ends(t *testing.T) (words []string) {
	f, err := parser.ParseFile(token.NewFileSet(), "../../routing/end.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(f, func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Word" {
				word, err := strconv.Unquote(kv.Value.(*ast.BasicLit).Value)
				require.NoError(t, err)
				words = append(words, word)
			}
		}
		return true
	})
	require.Greater(t, len(words), 30)
	return words
}

// TestExplain asks about a call of each kind that the rules tell apart.
func TestExplain(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	const fixed, foreign, hotline = "+8675528000001", "+6591234567", "+8695588"
	bind := func(err error) { t.Helper(); require.NoError(t, err) }
	number := func(x, app string) {
		_, err := w.office.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: routing.X(x), App: app}, Voice: true})
		bind(err)
	}
	_, err := w.office.BindAX(ctx, "ax", provision.BindAX{OrigNum: anna, PrivateNum: xa})
	bind(err)
	number("+8617010000011", "ax") // not bound
	number("+8617010000012", "ax") // only A may call
	_, err = w.office.BindAX(ctx, "ax", provision.BindAX{OrigNum: bert, PrivateNum: "+8617010000012", CallDirection: 1})
	bind(err)
	number("+8617010000013", "ax") // paused
	_, err = w.office.SetStatus(ctx, "+8617010000013", routing.StatusPaused, "")
	bind(err)
	number("+8617010000014", "ax") // of a fixed line
	_, err = w.office.BindAX(ctx, "ax", provision.BindAX{OrigNum: fixed, PrivateNum: "+8617010000014"})
	bind(err)
	_, err = w.office.BindAXB(ctx, "axb", provision.BindAXB{CallerNum: anna, CalleeNum: bert, RelationNum: xb})
	bind(err)
	_, err = w.office.BindAXE(ctx, "axe", provision.BindAXE{BindNum: anna, VirtualNum: xe, ExtendNum: "0001"})
	bind(err)
	number("+8617010000031", "axe") // no bindings
	bind(w.office.Block(ctx, "axb", xb, []string{carl}, true))
	for app, edit := range map[string]func(*ledger.App){
		"paused": func(a *ledger.App) { a.Paused = true }, "mute": func(a *ledger.App) { a.NoCalls = true }, "home": func(a *ledger.App) { a.NoForeign = true },
	} {
		a := ledger.App{App: routing.App{Key: app, SP: "rival", Mode: routing.AX}}
		edit(&a)
		_, err := w.office.CreateApp(ctx, a)
		bind(err)
	}
	number("+8617010000041", "paused")
	number("+8617010000042", "mute")
	number("+8617010000043", "home")
	bind(w.office.EnsureAccount(ctx, ledger.Account{SP: "poor"}))
	_, err = w.office.CreateApp(ctx, ledger.App{App: routing.App{Key: "poor", SP: "poor", Mode: routing.AX}})
	bind(err)
	number("+8617010000044", "poor")
	bind(w.office.ChangeAccount(ctx, "poor", func(acc *ledger.Account) { acc.Frozen = true }))

	for name, c := range map[string]struct {
		x, caller, ext  string
		step, end, want string // what is reached: the callee
	}{
		"AX":                  {x: xa, caller: bert, step: "dial", want: anna},
		"AX, anonymous":       {x: "17010000001", step: "dial", want: anna},
		"AX, A":               {x: xa, caller: anna, step: "refuse", end: "no_temporary_callee"},
		"AX, not bound":       {x: "+8617010000011", caller: anna, step: "refuse", end: "no_binding_ax"},
		"AX, direction":       {x: "+8617010000012", caller: anna, step: "refuse", end: "direction"},
		"AX, fixed line":      {x: "+8617010000014", caller: fixed, step: "refuse", end: "fixed_line_caller"},
		"X paused":            {x: "+8617010000013", caller: anna, step: "refuse", end: "x_unavailable"},
		"X unknown":           {x: "+8617010000999", caller: anna, step: "refuse", end: "unknown_x"},
		"AXB, A":              {x: xb, caller: anna, step: "dial", want: bert},
		"AXB, B":              {x: xb, caller: "138 0000 0002", step: "dial", want: anna},
		"AXB, somebody":       {x: xb, caller: fixed, step: "refuse", end: "no_binding_axb"},
		"AXB, blacklist":      {x: xb, caller: carl, step: "refuse", end: "caller_blacklisted"},
		"AXE":                 {x: xe, caller: bert, step: "collect"},
		"AXE, extension":      {x: xe, caller: bert, ext: "0001", step: "dial", want: anna},
		"AXE, wrong":          {x: xe, caller: bert, ext: "0002", step: "refuse", end: "wrong_extension"},
		"AXE, A":              {x: xe, caller: anna, step: "refuse", end: "no_callback"},
		"AXE, no bindings":    {x: "+8617010000031", caller: bert, step: "refuse", end: "no_binding_axe"},
		"app paused":          {x: "+8617010000041", caller: bert, step: "refuse", end: "app_paused"},
		"app without calls":   {x: "+8617010000042", caller: bert, step: "refuse", end: "no_call_permission"},
		"no foreigners":       {x: "+8617010000043", caller: foreign, step: "refuse", end: "caller_foreign"},
		"account frozen":      {x: "+8617010000044", caller: bert, step: "refuse", end: "account_frozen"},
		"AX, a hotline calls": {x: xa, caller: hotline, step: "dial", want: anna},
	} {
		body := map[string]any{"x": c.x}
		if c.caller != "" {
			body["caller"] = c.caller
		}
		if c.ext != "" {
			body["extension"] = c.ext
		}
		v := w.post(theOperator, "/explain", body).is(http.StatusOK)
		require.Equal(t, c.step, v["step"], "%s: %v", name, v)
		require.NotEmpty(t, v["why"], name)
		require.NotContains(t, v["why"], "13800000", name)
		if c.end != "" {
			require.Equal(t, c.end, v["end"], name)
			require.NotEqual(t, c.end, v["endText"], "%s: in a sentence", name)
			require.Equal(t, c.end != "wrong_extension", v["sipStatus"] != nil, "%s: after an answer there is none", name)
		}
		if c.want != "" {
			require.Equal(t, c.want, v["callee"], name)
			require.Equal(t, c.want != "", v["shown"] != "", name)
		}
	}
	w.post(theOperator, "/explain", map[string]any{"x": xa, "caller": "nonsense"}).wrong("caller")
	w.post(theOperator, "/explain", map[string]any{"x": "1"}).wrong("x")
	w.post(theOperator, "/explain", map[string]any{"x": xa, "extension": "12345"}).wrong("extension")
	require.Empty(t, w.get(theOperator, "/audit?operation=explainCall").column("name"), "who only asks is not noted")
}

// TestStories tells a call that ended in each way.
func TestStories(t *testing.T) {
	w := newWorld(t)
	for _, word := range ends(t) {
		w.call("story-"+word, "ax", "demo", "AX", xa, bert, anna, func(c *events.Call) {
			c.EndWord, c.StateCode, c.FailReason, c.SIPStatus, c.UnswReason = word, 8020, 7506, 503, 38
			c.Why = routing.Number(bert).Masked() + " called " + xa
		})
		s := w.get(theTenant, "/calls/story-"+word+"/story").is(http.StatusOK)
		steps := s["steps"].([]any)
		var what []string
		text := ""
		for _, step := range steps {
			m := step.(map[string]any)
			what = append(what, m["what"].(string))
			if m["what"] == "end" {
				text = m["text"].(string)
			}
			require.NotContains(t, m["text"], "13800000", "stories are masked for everybody")
		}
		require.Equal(t, []string{"callin", "decided", "callout", "alerting", "answer", "disconnect", "end", "push"}, what, word)
		require.False(t, strings.HasPrefix(text, word+" "), "the end %s has no sentence", word)
		require.Contains(t, text, "(stateCode 8020, ulFailReason 7506, SIP 503, Q.850 38)")
		require.Len(t, s["events"], 6)
	}
}

// TestStoryOfExtension tells the decision after the digits, and of a call that
// is up, and of pushes that failed.
func TestStoryOfExtension(t *testing.T) {
	w := newWorld(t)
	w.ask(theTenant, http.MethodPatch, "/apps/axe", map[string]any{"statusUrl": "http://127.0.0.1/status"}).is(http.StatusOK)
	c := events.Call{Session: "axe", App: "axe", SP: "demo", Mode: "AXE", X: xe, Caller: "", In: began, Why: "+8617010000003 has no extension 0002"}
	ledgertest.Record(t, w.ledger, c, events.NewCallEvent(c, 1, events.CallIn, c.In, ""),
		events.NewCallEvent(c, 2, events.CollectInfo, c.In.Add(time.Second), "0001"), events.NewCallEvent(c, 3, events.CollectInfo, c.In.Add(2*time.Second), "0002"))
	taken, _, err := w.ledger.Outbox().Claim(t.Context(), time.Now(), time.Now().Add(time.Minute), func(events.Lane) int { return 10 })
	require.NoError(t, err)
	require.NotEmpty(t, taken)
	out := events.Outcome{Claimed: taken[0], At: time.Now(), Due: time.Now().Add(time.Hour)}
	out.Tries, out.Failure = 1, "HTTP status 503"
	require.NoError(t, w.ledger.Outbox().Finish(t.Context(), []events.Outcome{out}))
	s := w.get(theTenant, "/calls/axe/story").is(http.StatusOK)
	var what, texts []string
	for _, step := range s["steps"].([]any) {
		what = append(what, step.(map[string]any)["what"].(string))
		texts = append(texts, step.(map[string]any)["text"].(string))
	}
	require.Equal(t, []string{"callin", "collectInfo", "collectInfo", "decided", "end", "push"}, what)
	require.Equal(t, "An unknown caller called "+xe+".", texts[0])
	require.Contains(t, texts[3], "has no extension 0002")
	require.Contains(t, texts[4], "is up")
	require.Contains(t, texts[5], "owed after 1 failures (HTTP status 503)")
}

func TestPushTest(t *testing.T) {
	w := newWorld(t)
	var got *http.Request
	var body []byte
	status := http.StatusOK
	receiver := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		out.WriteHeader(status)
		_, _ = out.Write([]byte("what is behind it"))
	}))
	t.Cleanup(receiver.Close)
	no := w.post(theTenant, "/apps/ax/test-push", nil).is(http.StatusOK)
	require.Equal(t, []any{false, "the app has no status address"}, []any{no["ok"], no["failure"]})
	w.ask(theTenant, http.MethodPatch, "/apps/ax", map[string]any{"statusUrl": receiver.URL + "/status"}).is(http.StatusOK)
	yes := w.post(theTenant, "/apps/ax/test-push", nil).is(http.StatusOK)
	require.Equal(t, []any{true, 200.0}, []any{yes["ok"], yes["status"]})
	require.NotContains(t, yes, "answer", "a tenant does not read through us what is behind an address")
	require.Equal(t, "/status", got.URL.Path)
	require.Contains(t, got.Header.Get("X-Wsse"), `Username="ax"`)
	require.Equal(t, "what is behind it", w.post(theOperator, "/apps/ax/test-push", nil).is(http.StatusOK)["answer"])
	w.ask(theTenant, http.MethodPatch, "/apps/ax", map[string]any{"smsUrl": receiver.URL + "/sms", "smsControlUrl": receiver.URL + "/control"}).is(http.StatusOK)
	for address, mode := range map[string]string{"sms": "Notify", "smsControl": "Block"} {
		require.Equal(t, true, w.post(theTenant, "/apps/ax/test-push?address="+address, nil).is(http.StatusOK)["ok"])
		require.Equal(t, map[string]string{"sms": "/sms", "smsControl": "/control"}[address], got.URL.Path)
		require.Contains(t, string(body), `"notificationMode":"`+mode+`"`)
		require.Contains(t, string(body), `"event":"test"`)
	}
	w.post(theTenant, "/apps/ax/test-push?address=fee", nil).is(http.StatusUnprocessableEntity)
	status = http.StatusFound
	require.Contains(t, w.post(theTenant, "/apps/ax/test-push", nil).is(http.StatusOK)["failure"], "redirects are not followed")
	receiver.Close()
	gone := w.post(theTenant, "/apps/ax/test-push", nil).is(http.StatusOK)
	require.Equal(t, false, gone["ok"])
	require.NotContains(t, gone, "status")
	require.Empty(t, w.get(theTenant, "/events").column("eventType"))
}
