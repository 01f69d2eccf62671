package manage_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestApps(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, []string{"ax", "axb", "axe", "other"}, w.get(theReader, "/apps").column("appKey"))
	require.Equal(t, []string{"ax", "axb", "axe"}, w.get(theTenant, "/apps").column("appKey"))
	require.Equal(t, []string{"other"}, w.get(theOperator, "/apps?spId=rival").column("appKey"))
	require.Empty(t, w.get(theTenant, "/apps?spId=rival").column("appKey"))
	page := w.get(theReader, "/apps?limit=2")
	require.Equal(t, []string{"ax", "axb"}, page.column("appKey"))
	next := page.is(http.StatusOK)["next"].(string)
	page = w.get(theReader, "/apps?limit=2&after="+next)
	require.Equal(t, []string{"axe", "other"}, page.column("appKey"))
	require.NotContains(t, page.is(http.StatusOK), "next")

	w.get(theOperator, "/apps?limit=0").wrong("limit")
	w.get(theOperator, "/apps?limit=501").wrong("limit")
	w.get(theOperator, "/apps?nonsense=1").wrong("nonsense")
	require.Equal(t, "1010003", w.get(theOperator, "/apps/none").is(http.StatusNotFound)["code"])
	require.Equal(t, w.get(theTenant, "/apps/none").body, w.get(theTenant, "/apps/other").body, "nobody learns which apps others have")
}

func TestCreateApp(t *testing.T) {
	w := newWorld(t)
	made := w.post(theTenant, "/apps", map[string]any{"mode": "AXE", "name": "new", "extDigits": 3}).is(http.StatusCreated)
	require.NotEmpty(t, made["appSecret"])
	require.Equal(t, "demo", made["spId"])
	require.EqualValues(t, 3, made["extDigits"])
	shown := w.get(theTenant, "/apps/"+made["appKey"].(string)).is(http.StatusOK)
	require.NotContains(t, shown, "appSecret")
	require.Equal(t, "new", shown["name"])
	moved := w.post(theOperator, "/apps", map[string]any{"mode": "AX", "spId": "rival", "appKey": "moved", "appSecret": "kept"}).is(http.StatusCreated)
	require.Equal(t, "kept", moved["appSecret"])

	w.post(theTenant, "/apps", map[string]any{"mode": "AX", "spId": "rival"}).is(http.StatusForbidden)
	w.post(theTenant, "/apps", map[string]any{"mode": "AX", "appKey": "mine"}).is(http.StatusForbidden)
	w.post(theTenant, "/apps", map[string]any{"mode": "AX", "rate": 1}).is(http.StatusForbidden)
	w.post(theOperator, "/apps", map[string]any{"mode": "AX", "spId": "none"}).wrong("spId")
	w.post(theOperator, "/apps", map[string]any{"mode": "AX", "spId": "demo", "appKey": "ax"}).wrong("appKey")
	w.post(theOperator, "/apps", map[string]any{"mode": "AXZ", "spId": "demo"}).wrong("mode")
	w.post(theOperator, "/apps", map[string]any{"spId": "demo"}).wrong("body")
	w.post(theOperator, "/apps", map[string]any{"mode": "AX", "spId": "demo", "colour": "red"}).wrong("colour")
	w.post(theOperator, "/apps", map[string]any{"mode": "AX", "spId": "demo", "retries": "two"}).wrong("retries")
	w.post(theOperator, "/apps", map[string]any{"mode": "AX", "spId": "demo", "statusUrl": "ftp://x"}).wrong("statusUrl")
	w.post(theOperator, "/apps", `{"mode":`).is(http.StatusBadRequest)
}

func TestChangeApp(t *testing.T) {
	w := newWorld(t)
	change := func(who, app string, body any) *answer { return w.ask(who, http.MethodPatch, "/apps/"+app, body) }
	is := change(theTenant, "ax", map[string]any{"paused": true, "statusUrl": "https://user:password@example.com/"}).is(http.StatusOK)
	require.Equal(t, true, is["paused"])
	require.Equal(t, "the app ax", is["name"], "what is absent stays")
	change(theOperator, "ax", map[string]any{"noCalls": true, "rate": 100, "defaultPrompts": []string{"busy"}}).is(http.StatusOK)
	is = w.get(theOperator, "/apps/ax").is(http.StatusOK)
	require.Equal(t, true, is["noCalls"])
	require.Equal(t, []any{"busy"}, is["defaultPrompts"])

	change(theTenant, "ax", map[string]any{"noCalls": false}).is(http.StatusForbidden)
	is = change(theOperator, "other", map[string]any{"recordingsDays": 30, "listsDays": 60}).is(http.StatusOK)
	require.EqualValues(t, 30, is["recordingsDays"])
	require.EqualValues(t, 60, is["listsDays"])
	change(theTenant, "ax", map[string]any{"listsDays": 60}).is(http.StatusForbidden)
	change(theOperator, "other", map[string]any{"listsDays": 1}).wrong("listsDays")
	require.Equal(t, "1010003", change(theTenant, "other", map[string]any{"paused": true}).is(http.StatusNotFound)["code"])
	change(theReader, "ax", map[string]any{"paused": true}).is(http.StatusForbidden)
	change(theOperator, "ax", map[string]any{"extDigits": 5}).wrong("extDigits")
	change(theOperator, "ax", map[string]any{"prompts": map[string]string{"no_binding": "none.wav"}}).wrong("prompts.no_binding")

	audit := w.get(theTenant, "/audit?operation=changeApp").is(http.StatusOK)["items"].([]any)
	require.Len(t, audit, 6, "of the account, by whomever")
	first := audit[5].(map[string]any)
	require.Equal(t, "appKey ax", first["target"])
	require.Equal(t, "paused=true statusUrl", first["detail"])
	require.Equal(t, "tenant", first["name"])
	require.Equal(t, "127.0.0.1", first["source"])
	require.EqualValues(t, http.StatusOK, first["status"])
	require.NotEmpty(t, first["done"])
	require.NotContains(t, string(w.get(theOperator, "/audit").body), "password")
}

func TestRenewSecret(t *testing.T) {
	w := newWorld(t)
	secret := w.post(theTenant, "/apps/ax/secret", nil).is(http.StatusOK)["appSecret"].(string)
	a, err := w.ledger.App(t.Context(), "ax")
	require.NoError(t, err)
	require.Equal(t, a.Secret, secret)
	require.NotEqual(t, "secret-of-ax", secret)
	w.post(theTenant, "/apps/other/secret", nil).is(http.StatusNotFound)
}

// TestAppInXMode: whom callers reach if the app's server does not say, and how
// long it may take to.
func TestAppInXMode(t *testing.T) {
	w := newWorld(t)
	made := w.post(theTenant, "/apps", map[string]any{"mode": "X", "fallback": bert, "answerTimeout": 3000}).is(http.StatusCreated)
	path := "/apps/" + made["appKey"].(string)
	shown := w.get(theTenant, path).is(http.StatusOK)
	require.Equal(t, bert, shown["fallback"])
	require.EqualValues(t, 3000, shown["answerTimeout"])
	require.Equal(t, "+86138****0002", w.get(theReader, path).is(http.StatusOK)["fallback"])
	changed := w.ask(theTenant, http.MethodPatch, path, map[string]any{"fallback": "", "answerTimeout": 0}).is(http.StatusOK)
	require.Equal(t, "", changed["fallback"])
	w.ask(theTenant, http.MethodPatch, path, map[string]any{"fallback": "110"}).wrong("fallback")
	w.ask(theTenant, http.MethodPatch, path, map[string]any{"answerTimeout": 1}).wrong("answerTimeout")
	w.ask(theTenant, http.MethodPatch, path, map[string]any{"answerTimeout": 30_001}).wrong("answerTimeout")
}

// TestAppWithMessages: what an app says about messages through X, and what is
// the platform's to say.
func TestAppWithMessages(t *testing.T) {
	w := newWorld(t)
	change := func(who, app string, body map[string]any) *answer {
		return w.ask(who, http.MethodPatch, "/apps/"+app, body)
	}
	change(theTenant, "axb", map[string]any{"sms": true}).is(http.StatusOK)
	change(theTenant, "ax", map[string]any{"sms": true}).wrong("smsControlUrl")
	change(theTenant, "axe", map[string]any{"sms": true}).wrong("sms")
	is := change(theTenant, "ax", map[string]any{"sms": true, "smsContent": true, "smsControlUrl": "https://rides.example.com/control"}).is(http.StatusOK)
	require.Equal(t, []any{true, true, false}, []any{is["sms"], is["smsContent"], is["smsBarred"]})
	change(theTenant, "ax", map[string]any{"smsControlUrl": ""}).wrong("smsControlUrl")
	change(theTenant, "ax", map[string]any{"smsControlUrl": "", "sms": false}).is(http.StatusOK)

	is = change(theOperator, "axb", map[string]any{"smsKeywords": []string{"order", "订单 1"}, "smsForbidden": []string{"lottery"}}).is(http.StatusOK)
	require.Equal(t, []any{[]any{"order", "订单 1"}, []any{"lottery"}}, []any{is["smsKeywords"], is["smsForbidden"]})
	is = change(theOperator, "axb", map[string]any{"smsKeywords": []string{}}).is(http.StatusOK)
	require.Equal(t, []any{[]any{}, []any{"lottery"}}, []any{is["smsKeywords"], is["smsForbidden"]}, "what is absent stays")
	change(theTenant, "axb", map[string]any{"smsForbidden": []string{}}).is(http.StatusForbidden)
	change(theTenant, "axb", map[string]any{"smsKeywords": []string{}}).is(http.StatusForbidden)
	long := strings.Repeat("单", 64)
	change(theOperator, "axb", map[string]any{"smsKeywords": []string{long}}).is(http.StatusOK)
	for _, bad := range []string{long + "单", "", "\u200b", "a\nb"} {
		change(theOperator, "axb", map[string]any{"smsForbidden": []string{bad}}).wrong("smsForbidden")
	}
	many := make([]string, 1001)
	for i := range many {
		many[i] = "w"
	}
	change(theOperator, "axb", map[string]any{"smsForbidden": many}).wrong("smsForbidden")
	for i := range many {
		many[i] = long
	}
	change(theOperator, "axb", map[string]any{"smsForbidden": many[:1000], "smsKeywords": many[:1000]}).is(http.StatusOK)

	w.ask(theOperator, http.MethodPatch, "/accounts/demo", map[string]any{"sms": false}).is(http.StatusOK)
	require.Equal(t, true, w.get(theTenant, "/apps/axb").is(http.StatusOK)["smsBarred"])
	w.ask(theTenant, http.MethodPatch, "/accounts/demo", map[string]any{"sms": true}).is(http.StatusForbidden)
	account := w.ask(theOperator, http.MethodPatch, "/accounts/demo", map[string]any{"frozen": false}).is(http.StatusOK)
	require.Equal(t, false, account["sms"], "what is absent stays")
	require.Equal(t, true, w.post(theOperator, "/accounts", map[string]any{"spId": "new"}).is(http.StatusCreated)["sms"])
	require.Equal(t, false, w.post(theOperator, "/accounts", map[string]any{"spId": "without", "sms": false}).is(http.StatusCreated)["sms"])
}
