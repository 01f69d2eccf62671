package binding_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The paths of the API.
const (
	pathAX        = "/rest/provision/caas/privatenumber/v1.0"
	pathTemporary = "/rest/caas/privatenumber/calleenumber/v1.0"
	pathAXB       = "/rest/caas/relationnumber/partners/v1.0"
	pathAXE       = "/rest/caas/extendnumber/v1.0"
	pathAXEList   = "/rest/caas/extendnumber/v2.0"
	pathAXECount  = "/rest/caas/virtualnumber/v1.0"
	pathAXYB      = "/rest/omp/xyrelationnumber/v1.0"
	pathStop      = "/rest/httpsessions/callStop/v2.0"
)

// statuses are the HTTP statuses of result codes (codes section 1).
func status(code string) int {
	switch code {
	case "0":
		return http.StatusOK
	case "1010001", "1020001", "1020002", "1020150", "1020152":
		return http.StatusInternalServerError
	}
	return http.StatusForbidden
}

// fields are the parameters of a request, or what an answer has.
type fields map[string]any

// with is a copy in which one field has another value, or with nil none.
func (f fields) with(name string, value any) fields {
	out := maps.Clone(f)
	if out[name] = value; value == nil {
		delete(out, name)
	}
	return out
}

// reply is an answer.
type reply struct {
	code string
	desc string
	text string
	fields
}

func (r reply) id() string { return fmt.Sprint(r.fields["subscriptionId"]) }

// wrong is the parameter that a 1010002 or 1020001 names.
func (r reply) wrong() string {
	for _, text := range []string{"Invalid request. ", "Parameter error. "} {
		if rest, ok := strings.CutPrefix(r.desc, text); ok {
			name, _, _ := strings.Cut(rest, ":")
			return name
		}
	}
	return ""
}

// outcome is the code and the parameter that is wrong.
func (r reply) outcome() string { return strings.TrimSpace(r.code + " " + r.wrong()) }

// send makes a request of an app, with its parameters in the place that the
// method wants.
func (w *world) send(app, method, path string, params fields) reply {
	w.t.Helper()
	if path == pathAXYB { // where the URL names the app
		path += "?" + url.Values{"app_key": {app}}.Encode()
	}
	if method == http.MethodPost || method == http.MethodPut {
		body, err := json.Marshal(params)
		require.NoError(w.t, err)
		return w.raw(app, method, path, body)
	}
	if strings.Contains(path, "?") {
		return w.raw(app, method, path+"&"+query(params), nil)
	}
	return w.raw(app, method, path+"?"+query(params), nil)
}

func query(params fields) string {
	q := url.Values{}
	for name, value := range params {
		q.Set(name, fmt.Sprint(value))
	}
	return q.Encode()
}

// raw makes a request with a body as it is.
func (w *world) raw(app, method, target string, body []byte, change ...func(*http.Request)) reply {
	w.t.Helper()
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json;charset=UTF-8")
	w.sign(r, app, secretOf(app))
	for _, c := range change {
		c(r)
	}
	return w.answer(r)
}

func (w *world) sign(r *http.Request, key, secret string) {
	created := w.signed.UTC().Format(time.RFC3339)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("0123abc" + created))
	r.Header.Set("Authorization", `AKSK realm="SDP",profile="UsernameToken",type="Appkey"`)
	r.Header.Set("X-AKSK", fmt.Sprintf(`UsernameToken Username="%s", PasswordDigest="%s", Nonce="0123abc", Created="%s"`,
		key, base64.StdEncoding.EncodeToString(mac.Sum(nil)), created))
}

// answer holds every answer to what all have in common (API 2.6).
func (w *world) answer(r *http.Request) reply {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return check(w.t, rec)
}

func check(t testing.TB, rec *httptest.ResponseRecorder) reply {
	t.Helper()
	text := rec.Body.String()
	out := reply{text: text}
	require.Equal(t, "application/json;charset=utf-8", rec.Header().Get("Content-Type"), text)
	for _, c := range []byte(text) {
		require.True(t, c >= ' ' && c < 0x7f, "plain ASCII: %q", text)
	}
	var got struct {
		Code string `json:"resultcode"`
		Desc string `json:"resultdesc"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &got), text)
	require.NoError(t, json.Unmarshal([]byte(text), &out.fields), text)
	require.Equal(t, []string{"resultcode", "resultdesc"}, keys(t, text)[:2], text)
	out.code, out.desc = got.Code, got.Desc
	require.NotEmpty(t, out.desc)
	require.LessOrEqual(t, len(out.desc), 256)
	require.Equal(t, status(out.code), rec.Code, text)
	require.Equal(t, out.code == "0", out.desc == "Success", text)
	if out.code != "0" {
		require.Len(t, out.fields, 2, "nothing else in a refusal: %s", text)
	}
	return out
}

// keys lists the keys of a JSON object in their order.
func keys(t testing.TB, text string) (list []string) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	_, err := dec.Token()
	require.NoError(t, err)
	for dec.More() {
		k, err := dec.Token()
		require.NoError(t, err)
		list = append(list, k.(string))
		var value json.RawMessage
		require.NoError(t, dec.Decode(&value))
	}
	return list
}

// done makes a request that has to succeed.
func (w *world) done(app, method, path string, params fields) reply {
	w.t.Helper()
	r := w.send(app, method, path, params)
	require.Equal(w.t, "0", r.code, "%s %s %v: %s", method, path, params, r.text)
	return r
}

// unbind ends a binding of an app.
func (w *world) unbind(app, path, id string) {
	w.t.Helper()
	w.done(app, http.MethodDelete, path, fields{"subscriptionId": id})
}

// trial is a value of a parameter and what a request with it comes to.
type trial struct {
	value any // nil: absent
	want  string
}

// judge sends a request once for each trial of a parameter; each that succeeds
// is undone.
func (w *world) judge(app, method, path string, base fields, trials map[string][]trial, undo func(reply)) {
	w.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(trials)) {
		for _, c := range trials[name] {
			r := w.send(app, method, path, base.with(name, c.value))
			require.Equal(w.t, c.want, r.outcome(), "%s %s with %s %#v: %s", method, path, name, c.value, r.text)
			if r.code == "0" && undo != nil {
				undo(r)
			}
		}
	}
}
