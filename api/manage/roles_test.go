package manage_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/api/manage"
	"axgate/provision"
)

// allowed says who may use each operation: a operator, tenant and read-only, o
// operator and tenant, p operator alone. It is written down here once more, so
// that nobody gets more than before by a slip.
var allowed = map[string]byte{
	"listApps": 'a', "getApp": 'a', "createApp": 'o', "changeApp": 'o', "renewSecret": 'o', "testPush": 'o',
	"listAccounts": 'a', "createAccount": 'p', "changeAccount": 'p',
	"listPrompts": 'a', "uploadPrompt": 'o', "putPrompt": 'o', "getPromptFile": 'a', "deletePrompt": 'o', "approvePrompt": 'p', "rejectPrompt": 'p',
	"listScenes": 'a', "checkPrompt": 'a', "convertPrompt": 'a',
	"listCalls": 'a', "exportCalls": 'a', "getCall": 'a', "hangUp": 'o', "explainCall": 'a', "tellStory": 'a',
	"listMessages": 'a', "exportMessages": 'a', "getMessage": 'a', "explainMessage": 'a',
	"listEvents": 'a', "exportEvents": 'a', "replayEvents": 'o',
	"listBlacklist": 'a', "block": 'o', "unblock": 'o',
	"listBindings": 'a', "getBinding": 'a', "unbind": 'o',
	"listNumbers": 'a', "exportNumbers": 'a', "countNumbers": 'a', "getNumber": 'a', "addNumber": 'p', "addNumbers": 'p', "importNumbers": 'p',
	"moveNumbers": 'o', "changeNumbers": 'o', "switchNumberMessages": 'o', "listTasks": 'a', "getTask": 'a', "listTaskNumbers": 'a', "resubmitTask": 'o',
	"listTrunks": 'p', "whoAmI": 'a', "listOperators": 'p', "addOperator": 'p', "revokeOperator": 'p', "listBans": 'p', "removeBan": 'p', "getDefence": 'p', "listNodes": 'p', "getNode": 'p', "drainNode": 'p', "undrainNode": 'p', "listAudit": 'a',
}

// fill puts values for the parameters into a path.
func fill(path string, values map[string]string) string {
	for name, value := range values {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	return path
}

// TestRoles tries every operation with every kind of token.
func TestRoles(t *testing.T) {
	w := newWorld(t)
	all, _ := w.operations()
	seen := map[string]bool{}
	for _, o := range all {
		known.Store(o.ID, o.method+" "+manage.Prefix+o.path)
		seen[o.ID] = true
		who, ok := allowed[o.ID]
		require.True(t, ok, "say here who may %s", o.ID)
		path := fill(o.path, map[string]string{"appKey": "axe", "x": xe, "name": "none.wav", "sessionId": "none", "smsIdentifier": "none", "subscriptionId": "none", "id": "NONE", "spId": "demo", "taskId": "none", "address": "192.0.2.1"})
		for token, may := range map[string]bool{
			nobody: false, theOperator: true, theTenant: who != 'p', theReader: who == 'a', demoReader: who == 'a', openReader: who == 'a',
		} {
			a := w.ask(token, o.method, path, nil)
			switch {
			case token == nobody:
				require.Equal(t, http.StatusUnauthorized, a.status, "%s without a token", o.ID)
			case may:
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, a.status, "%s by %s: %s", o.ID, token, a.body)
				require.Less(t, a.status, http.StatusInternalServerError, "%s by %s: %s", o.ID, token, a.body)
			default:
				require.Equal(t, http.StatusForbidden, a.status, "%s by %s: %s", o.ID, token, a.body)
				require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), o.ID)
			}
		}
	}
	for id := range allowed {
		require.True(t, seen[id], "there is no operation %s", id)
	}
}

// TestOthers: what belongs to another account is answered like what does not
// exist, by every operation that names it.
func TestOthers(t *testing.T) {
	w := newWorld(t)
	b, err := w.office.BindAX(t.Context(), "other", provision.BindAX{OrigNum: anna, PrivateNum: xo})
	require.NoError(t, err)
	w.call("s-other", "other", "rival", "AX", xo, carl, anna)
	w.text("t-other", "other", "rival", xo, carl, anna)
	body := map[string]any{
		"changeApp": map[string]any{"paused": true}, "rejectPrompt": map[string]any{"reason": "no"},
		"addNumber": map[string]any{"number": "17010000777"}, "addNumbers": map[string]any{"numbers": []any{map[string]any{"number": "17010000777"}}},
		"putPrompt": "x",
	}
	here := map[string]string{"appKey": "other", "x": xo, "name": "none.wav", "sessionId": "s-other", "smsIdentifier": "t-other", "subscriptionId": b.ID}
	gone := map[string]string{"appKey": "none", "x": "+8617010000998", "name": "none.wav", "sessionId": "none", "smsIdentifier": "none", "subscriptionId": "none"}
	all, _ := w.operations()
	tried := 0
	for _, o := range all {
		if strings.Contains(o.path, "{id}") || strings.Contains(o.path, "{spId}") || strings.Contains(o.path, "{taskId}") || !strings.Contains(o.path, "{") || allowed[o.ID] == 'p' || o.ID == "uploadPrompt" {
			continue
		}
		token := theTenant
		if o.method == http.MethodGet {
			token = demoReader
		}
		there := w.ask(token, o.method, fill(o.path, here), body[o.ID])
		require.Equal(t, http.StatusNotFound, there.status, "%s: %s", o.ID, there.body)
		require.Equal(t, w.ask(token, o.method, fill(o.path, gone), body[o.ID]).body, there.body, o.ID)
		tried++
	}
	require.Greater(t, tried, 10)
	is, err := w.ledger.Binding(t.Context(), b.ID, w.now())
	require.NoError(t, err, "it stands")
	require.Equal(t, anna, string(is.A))
	for _, path := range []string{"/calls", "/messages", "/messages.csv", "/events", "/audit", "/apps"} {
		require.NotContains(t, string(w.get(theTenant, path).body), "rival", path)
		if path != "/audit" {
			require.Contains(t, string(w.get(theRival, path).body), "other", path)
		}
	}
	w.post(theTenant, "/explain", map[string]any{"x": xo, "caller": anna}).is(http.StatusNotFound)
	w.post(theTenant, "/explain/message", map[string]any{"x": xo, "sender": anna}).is(http.StatusNotFound)
	items := w.post(theTenant, "/blacklist/add", map[string]any{"xs": []string{xa, xo}, "callers": []string{carl}}).is(http.StatusOK)["items"].([]any)
	require.Equal(t, true, items[0].(map[string]any)["ok"])
	require.Equal(t, "1012001", items[1].(map[string]any)["code"])
	require.Zero(t, int(w.post(theTenant, "/events/replay", map[string]any{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "sessionId": "s-other", "taken": true}).is(http.StatusOK)["replayed"].(float64)))
}
