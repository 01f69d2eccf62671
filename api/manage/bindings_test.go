package manage_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

func TestBindings(t *testing.T) {
	w := newWorld(t)
	ax, err := w.office.BindAX(t.Context(), "ax", provision.BindAX{OrigNum: anna, PrivateNum: xa, Options: provision.Options{UserData: "order"}})
	require.NoError(t, err)
	axb, err := w.office.BindAXB(t.Context(), "axb", provision.BindAXB{CallerNum: anna, CalleeNum: bert, RelationNum: xb})
	require.NoError(t, err)
	axe, err := w.office.BindAXE(t.Context(), "axe", provision.BindAXE{BindNum: anna, VirtualNum: xe, ExtendNum: "0007"})
	require.NoError(t, err)
	require.Equal(t, []string{ax.ID}, w.get(theTenant, "/numbers/17010000001/bindings").column("subscriptionId"))
	is := w.get(theTenant, "/bindings/"+axe.ID).is(http.StatusOK)
	require.Equal(t, []any{"axe", "AXE", xe, anna, "0007"}, []any{is["appKey"], is["mode"], is["x"], is["a"], is["extension"]})
	w.get(theTenant, "/numbers/"+xa+"/bindings?limit=600").wrong("limit")
	w.get(theTenant, "/bindings/none").is(http.StatusNotFound)
	for _, b := range []routing.Binding{ax, axb, axe} {
		require.Equal(t, http.StatusNoContent, w.post(theTenant, "/bindings/"+b.ID+"/unbind", nil).status)
		gone := w.post(theTenant, "/bindings/"+b.ID+"/unbind", nil).is(http.StatusNotFound)
		require.Contains(t, gone["detail"], "unbound", "why it ended")
		require.Equal(t, "1012007", gone["code"])
		require.Empty(t, w.get(theTenant, "/numbers/"+string(b.X)+"/bindings").column("subscriptionId"))
	}
}

// TestUnbindAXYB ends one relation, which the other outlives, and then all.
func TestUnbindAXYB(t *testing.T) {
	w := newWorld(t)
	_, err := w.office.CreateApp(t.Context(), ledger.App{App: routing.App{Key: "axyb", SP: "demo", Mode: routing.AXYB}})
	require.NoError(t, err)
	for _, x := range []routing.X{"+8617010000051", "+8617010000052", "+8617010000053"} {
		_, err := w.office.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: x, App: "axyb", AreaCode: "0755", City: "Shenzhen", Province: "Guangdong"}, Voice: true})
		require.NoError(t, err)
	}
	ax, err := w.office.BindAXYB(t.Context(), "axyb", provision.BindAXYB{OrigNum: anna, Area: provision.Area{AreaCode: "0755"}})
	require.NoError(t, err)
	var relations []routing.Binding
	for _, b := range []string{bert, carl} {
		r, err := w.office.BindYB(t.Context(), "axyb", provision.BindYB{SubscriptionID: ax.ID, OrigNum: b})
		require.NoError(t, err)
		relations = append(relations, r)
	}
	y := string(relations[0].Y)
	require.Equal(t, []string{relations[0].ID}, w.get(theTenant, "/numbers/"+y+"/bindings").column("subscriptionId"))
	require.Equal(t, http.StatusNoContent, w.post(theTenant, "/bindings/"+relations[0].ID+"/unbind", nil).status)
	w.get(theTenant, "/bindings/"+relations[0].ID).is(http.StatusNotFound)
	w.get(theTenant, "/bindings/"+relations[1].ID).is(http.StatusOK)
	require.Equal(t, http.StatusNoContent, w.post(theTenant, "/bindings/"+ax.ID+"/unbind", nil).status)
	w.get(theTenant, "/bindings/"+relations[1].ID).is(http.StatusNotFound)
}

func TestBlacklist(t *testing.T) {
	w := newWorld(t)
	body := map[string]any{"xs": []string{xa, "17010000002", "17010000777"}, "callers": []string{"13800000003", bert}}
	items := w.post(theTenant, "/blacklist/add", body).is(http.StatusOK)["items"].([]any)
	require.Len(t, items, 3)
	require.Equal(t, []any{true, true, false}, []any{items[0].(map[string]any)["ok"], items[1].(map[string]any)["ok"], items[2].(map[string]any)["ok"]})
	require.Equal(t, []string{bert, carl}, w.get(theTenant, "/numbers/"+xa+"/blacklist").column("caller"))
	page := w.get(demoReader, "/numbers/"+xb+"/blacklist?limit=1")
	require.Equal(t, []string{"+86138****0002"}, page.column("caller"))
	page = w.get(demoReader, "/numbers/"+xb+"/blacklist?limit=1&after="+page.is(http.StatusOK)["next"].(string))
	require.Equal(t, []string{"+86138****0003"}, page.column("caller"))
	w.get(demoReader, "/numbers/"+xb+"/blacklist?after=x").wrong("after")
	require.Equal(t, "caller_blacklisted", w.post(theTenant, "/explain", map[string]any{"x": xa, "caller": bert}).is(http.StatusOK)["end"])

	body["callers"] = []string{bert}
	w.post(theTenant, "/blacklist/remove", body).is(http.StatusOK)
	require.Equal(t, []string{carl}, w.get(theTenant, "/numbers/"+xa+"/blacklist").column("caller"))
	w.post(theTenant, "/blacklist/add", map[string]any{"xs": []string{xa}, "callers": []string{bert, "nonsense"}}).wrong("callers[1]")
	w.post(theTenant, "/blacklist/add", map[string]any{"xs": []string{}, "callers": []string{bert}}).wrong("xs")
	require.Contains(t, string(w.get(theTenant, "/audit?operation=block").body), "2 callers, +86138****0003 first")
}

func TestAccounts(t *testing.T) {
	w := newWorld(t)
	made := w.post(theOperator, "/accounts", map[string]any{"spId": "new", "name": "New Ltd"}).is(http.StatusCreated)
	require.EqualValues(t, 5, made["maxApps"])
	w.post(theOperator, "/accounts", map[string]any{"spId": "new"}).is(http.StatusConflict)
	w.post(theOperator, "/accounts", map[string]any{"spId": "with blank"}).wrong("spId")
	is := w.ask(theOperator, http.MethodPatch, "/accounts/new", map[string]any{"frozen": true}).is(http.StatusOK)
	require.Equal(t, []any{true, "New Ltd", 5.0}, []any{is["frozen"], is["name"], is["maxApps"]})
	w.ask(theOperator, http.MethodPatch, "/accounts/none", map[string]any{"frozen": true}).is(http.StatusNotFound)
	w.ask(theOperator, http.MethodPatch, "/accounts/new", map[string]any{"maxApps": 0}).wrong("maxApps")
	require.Equal(t, []string{"demo", "new", "rival"}, w.get(theReader, "/accounts").column("spId"))
	require.Equal(t, []string{"demo"}, w.get(theTenant, "/accounts").column("spId"))
	require.Equal(t, []string{"new"}, w.get(theReader, "/accounts?limit=1&after=demo").column("spId"))
}
