package manage_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger/ledgertest"
	"axgate/provision"
)

// TestMaskedTexts: numbers as people write them, and passwords of addresses,
// are nothing for those who only read; the audit log has no real number that
// was named in the place of an X.
func TestMaskedTexts(t *testing.T) {
	w := newWorld(t)
	const text = "order 4711, tel 138-0000-0001 or (0755) 2800 0001"
	_, err := w.office.BindAX(w.ctx, "ax", provision.BindAX{OrigNum: anna, PrivateNum: xa, Options: provision.Options{UserData: text}})
	require.NoError(t, err)
	const path = "/numbers/%2B8617010000001/bindings"
	require.Equal(t, []string{text}, w.get(theTenant, path).column("userData"))
	require.Equal(t, []string{"order 4711, tel **** or (****"}, w.get(theReader, path).column("userData"))

	const address, shown = "http://user:hidden@203.0.113.1/x", "http://user:xxxxx@203.0.113.1/x"
	w.ask(theTenant, http.MethodPatch, "/apps/ax", map[string]any{"statusUrl": address}).is(http.StatusOK)
	require.Equal(t, address, w.get(theTenant, "/apps/ax").is(http.StatusOK)["statusUrl"])
	for _, who := range []string{theReader, demoReader, openReader} {
		require.Equal(t, shown, w.get(who, "/apps/ax").is(http.StatusOK)["statusUrl"])
		require.Contains(t, w.get(who, "/apps").column("statusUrl"), shown)
	}

	w.ask(theTenant, http.MethodPatch, "/apps/ax", map[string]any{"statusUrl": "https://203.0.113.1/x?token=hidden"}).is(http.StatusOK)
	require.Equal(t, "https://203.0.113.1/x?xxxxx", w.get(theReader, "/apps/ax").is(http.StatusOK)["statusUrl"])

	w.post(theTenant, "/blacklist/add", map[string]any{"xs": []string{anna, xa}, "callers": []string{bert}}).is(http.StatusOK)
	require.Equal(t, []string{"1 callers, +86138****0002 first, " + xa}, w.get(theReader, "/audit?operation=block").column("detail"))
}

// TestMaskedSearch: who does not see real numbers cannot find them by trying.
func TestMaskedSearch(t *testing.T) {
	w := newWorld(t)
	const real, x = "%2B8613800000001", "%2B8617010000001"
	for _, path := range []string{"/calls", "/calls.csv"} {
		for _, field := range []string{"number", "caller", "callee"} {
			w.get(theReader, path+"?"+field+"="+real).is(http.StatusForbidden)
		}
	}
	for _, path := range []string{"/events", "/events.csv"} {
		w.get(demoReader, path+"?number="+real).is(http.StatusForbidden)
	}
	for _, path := range []string{"/messages", "/messages.csv"} {
		for _, field := range []string{"number", "sender", "receiver"} {
			w.get(theReader, path+"?"+field+"="+real).is(http.StatusForbidden)
		}
	}
	w.post(theReader, "/explain/message", map[string]any{"x": xa, "sender": anna}).is(http.StatusForbidden)
	for _, path := range []string{"/calls?number=", "/events?number=", "/messages?number="} {
		w.get(theReader, path+x).is(http.StatusOK)
		w.get(openReader, path+real).is(http.StatusOK)
		w.get(theTenant, path+real).is(http.StatusOK)
	}
}

// TestMaskedNotice: of a text that a notice has, who sees numbers masked sees
// nothing, and X stays.
func TestMaskedNotice(t *testing.T) {
	w := newWorld(t)
	said := "call me: one three eight, 0000, 0001"
	n := events.SMS{ID: "text-1", App: "ax", Calling: bert, Called: anna, X: xa, At: began, Content: &said, SplitNum: 1, UserData: "tel 13800000001"}
	c := events.Call{Session: "text-1", App: "ax", SP: "demo", X: xa, In: began}
	ledgertest.Record(t, w.ledger, c, events.NewSMSQuestion(n, 1), events.NewSMSNotice(n, 2))
	for who, want := range map[string][]string{theTenant: {bert, anna, xa, said, "tel 13800000001"}, theReader: {"+86138****0002", "+86138****0001", xa, "****", "tel ****"}} {
		items := w.get(who, "/events?sessionId=text-1").is(http.StatusOK)["items"].([]any)
		require.Len(t, items, 2)
		notice := items[1].(map[string]any)
		require.Equal(t, "sms", notice["eventType"])
		body := notice["body"].(map[string]any)
		require.Equal(t, want, []string{body["calling"].(string), body["called"].(string), body["virtualNumber"].(string), body["smsContent"].(string), body["userData"].(string)}, who)
		require.Equal(t, "text-1", body["smsIdentifier"])
		require.Equal(t, "2026-01-01T12:00:00.000Z", body["timeStamp"])
	}
	for _, path := range []string{"/events", "/events.csv", "/calls/text-1/story"} {
		a := w.get(theReader, path)
		require.Equal(t, http.StatusOK, a.status)
		require.NotContains(t, string(a.body), "three eight", path)
	}
}
