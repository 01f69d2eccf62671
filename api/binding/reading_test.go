package binding_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// interfaces are all that the API has, with parameters by which each finds what
// it wants, or refuses for another reason than those of the tests that use it.
var interfaces = []struct {
	mode   routing.Mode
	method string
	path   string
	params fields
}{
	{routing.AX, http.MethodPost, pathAX, axBase},
	{routing.AX, http.MethodPut, pathAX, fields{"privateNum": x(routing.AX, 1)}},
	{routing.AX, http.MethodGet, pathAX, fields{"privateNum": x(routing.AX, 1)}},
	{routing.AX, http.MethodPut, pathTemporary, fields{"privateNum": x(routing.AX, 1), "calleeNum": bert}},
	{routing.AX, http.MethodDelete, pathAX, fields{"privateNum": x(routing.AX, 1)}},
	{routing.AXB, http.MethodPost, pathAXB, axbBase},
	{routing.AXB, http.MethodPut, pathAXB, fields{"subscriptionId": "none"}},
	{routing.AXB, http.MethodGet, pathAXB, fields{"relationNum": x(routing.AXB, 1)}},
	{routing.AXB, http.MethodDelete, pathAXB, fields{"relationNum": x(routing.AXB, 1)}},
	{routing.AXE, http.MethodPost, pathAXE, axeBase},
	{routing.AXE, http.MethodPut, pathAXE, fields{"virtualNum": x(routing.AXE, 1), "extendNum": "0001"}},
	{routing.AXE, http.MethodGet, pathAXE, fields{"virtualNum": x(routing.AXE, 1), "extendNum": "0001"}},
	{routing.AXE, http.MethodGet, pathAXEList, fields{"virtualNum": x(routing.AXE, 1)}},
	{routing.AXE, http.MethodGet, pathAXECount, fields{}},
	{routing.AXYB, http.MethodPost, pathAXYB, fields{"origNum": anna, "areaCode": "0755"}},
	{routing.AXYB, http.MethodGet, pathAXYB, fields{"relationNum": x(routing.AXYB, 1)}},
	{routing.AXYB, http.MethodDelete, pathAXYB, fields{"subscriptionId": "none"}},
	{routing.AXE, http.MethodDelete, pathAXE, fields{"virtualNum": x(routing.AXE, 1), "extendNum": "0001"}},
}

// TestApps: every interface is for apps of its mode alone, that stand and are
// proven.
func TestApps(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, i := range interfaces {
			for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE, routing.AXYB} {
				r := w.send(string(mode), i.method, i.path, i.params)
				if mode == i.mode {
					require.NotEqual(t, "1010040", r.code, "%v", i)
					continue
				}
				require.Equal(t, "1010040", r.outcome(), "%v as %s", i, mode)
			}
			frozen := w.send(string(i.mode)+"-poor", i.method, i.path, i.params).code
			require.Equal(t, i.method != http.MethodGet, frozen == "1010029", "%v: who cannot pay may look alone: %s", i, frozen)
			require.Equal(t, "1010008", w.send(string(i.mode)+"-paused", i.method, i.path, i.params).code)
			require.Equal(t, "1010003", w.send("nobody", i.method, i.path, i.params).code)
		}
	})
}

// TestMethodsAndPaths: a method that a path does not have is 1010006; a path
// that is not known has no envelope.
func TestMethodsAndPaths(t *testing.T) {
	w := newWorld(t)
	has := map[string]map[string]bool{pathStop: {http.MethodPost: true}}
	for _, i := range interfaces {
		if has[i.path] == nil {
			has[i.path] = map[string]bool{}
		}
		has[i.path][i.method] = true
	}
	require.Len(t, w.handler.Paths(), len(has))
	for path, methods := range has {
		require.Contains(t, w.handler.Paths(), path)
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"} {
			r := w.raw("AX", method, path, []byte("{}"))
			require.Equal(t, !methods[method], r.code == "1010006", "%s %s: %s", method, path, r.text)
		}
		for _, other := range []string{path + "/", path[:len(path)-1], "/" + path, strings.ToUpper(path)} {
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, other, nil))
			require.Equal(t, http.StatusNotFound, rec.Code, other)
			require.NotContains(t, rec.Body.String(), "resultcode")
		}
	}
}

// TestBodies: what is no object of JSON is 1010002 of the body, on every
// interface that takes one; nothing is done.
func TestBodies(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		deep := func(n int, open, end string) string { return strings.Repeat(open, n) + "1" + strings.Repeat(end, n) }
		for _, i := range interfaces {
			if i.method != http.MethodPost && i.method != http.MethodPut || i.mode == routing.AXYB {
				continue
			}
			for body, want := range map[string]string{
				"":                            "body",
				" ":                           "body",
				"null":                        "body",
				"[]":                          "body",
				`"text"`:                      "body",
				"7":                           "body",
				"true":                        "body",
				"{":                           "body",
				`{"a":1`:                      "body",
				`{"a":1}}`:                    "body",
				`{"a":1} {"b":2}`:             "body",
				`{"a":1} x`:                   "body",
				`{"a":1,}`:                    "body",
				`{a:1}`:                       "body",
				`{'a':1}`:                     "body",
				`{"a":01}`:                    "body",
				`{"a":NaN}`:                   "body",
				"{\"userData\":\"\xff\xfe\"}": "body",
				"{\"a\":\"\xc3\"}":            "body",
				"\xff\xfe{\x00}\x00":          "body",
				"{\"a\":\"line\nline\"}":      "body",
				"origNum=%2B8613800000001":    "body",
				"<xml/>":                      "body",
				`{"x":"` + strings.Repeat("x", 70_000) + `"}`:                               "body",
				strings.Repeat(" ", 70_000) + "{}":                                          "body",
				`{"x":` + deep(17, "[", "]") + "}":                                          "body",
				`{"x":` + deep(17, `{"a":`, "}") + "}":                                      "body",
				`{"x":` + deep(12_000, "[", "]") + "}":                                      "body",
				deep(30_000, "[", "]"):                                                      "body",
				`{"origNum":"+8613800000001","origNum":"x"}`:                                "origNum",
				`{"unknown":1,"unknown":1}`:                                                 "unknown",
				`{"x":{"y":1,"y":1}}`:                                                       "y",
				`{"` + strings.Repeat("k", 40) + `":1,"` + strings.Repeat("k", 40) + `":2}`: strings.Repeat("k", 32),
				"{\"\u4e2d\":1,\"\u4e2d\":2}":                                               "\u4e2d",
			} {
				r := w.raw(string(i.mode), i.method, i.path, []byte(body))
				require.Equal(t, "1010002 "+want, r.outcome(), "%s %s %.60q: %s", i.method, i.path, body, r.text)
			}
		}
		require.Equal(t, "1016001", w.send("AX", http.MethodGet, pathAX, fields{"origNum": anna}).code, "nothing was bound")
	})
}

// TestTolerance: what clients in the field send beside the documents.
func TestTolerance(t *testing.T) {
	w := newWorld(t)
	body := func(format string) []byte { return fmt.Appendf(nil, format, anna, x(routing.AX, 1)) }
	for name, text := range map[string][]byte{
		"a mark of UTF-8":   append([]byte("\xef\xbb\xbf"), body(`{"origNum":%q,"privateNum":%q}`)...),
		"blanks":            body("\r\n\t {\n \"origNum\" : %q ,\r\n \"privateNum\" : %q } \n"),
		"nulls":             body(`{"origNum":%q,"privateNum":%q,"callDirection":null,"userData":null,"preVoice":null,"recordFlag":null}`),
		"escapes":           body(`{"orig\u004eum":%q,"privateNum":%q,"user\u0044ata":"\u0041"}`),
		"other spellings":   body(`{"origNum":%q,"privateNum":%q,"OrigNum":7,"PRIVATENUM":[],"calldirection":"x"}`),
		"booleans, numbers": body(`{"origNum":%q,"privateNum":%q,"recordFlag":false,"privateSms":true,"areaMatchMode":1,"calleeNumDisplay":0,"callDirection":"2","maxDuration":"7"}`),
		"floats":            body(`{"origNum":%q,"privateNum":%q,"callDirection":2.0,"maxDuration":1e2}`),
		"16 levels":         body(`{"origNum":%q,"privateNum":%q,"x":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}`),
	} {
		r := w.raw("AX", http.MethodPost, pathAX, text)
		require.Equal(t, "0", r.code, "%s: %s", name, r.text)
		w.unbind("AX", pathAX, r.id())
	}
	for name, change := range map[string]func(*http.Request){
		"no Content-Type":    func(r *http.Request) { r.Header.Del("Content-Type") },
		"a form":             func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		"another charset":    func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=GBK") },
		"no Content-Type's":  func(r *http.Request) { r.Header.Set("Content-Type", ";;;") },
		"a query beside it":  func(r *http.Request) { r.URL.RawQuery = "origNum=x&privateNum=%zz" },
		"no length":          func(r *http.Request) { r.ContentLength = -1 },
		"another Accept":     func(r *http.Request) { r.Header.Set("Accept", "text/xml") },
		"a name of no known": func(r *http.Request) { r.Header.Set("X-Other", "1") },
	} {
		r := w.raw("AX", http.MethodPost, pathAX, body(`{"origNum":%q,"privateNum":%q}`), change)
		require.Equal(t, "0", r.code, "%s: %s", name, r.text)
		w.unbind("AX", pathAX, r.id())
	}
}

// TestStaleBodies: GET and DELETE are read from the address, whatever body
// comes along.
func TestStaleBodies(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{"", "{}", "null", "[1]", `{"subscriptionId":"none"}`, `{"origNum":{}}`, "\xff", "{", strings.Repeat("x", 200_000)} {
		id := w.done("AX", http.MethodPost, pathAX, axBase).id()
		r := w.raw("AX", http.MethodGet, pathAX+"?subscriptionId="+id, []byte(body))
		require.Equal(t, "0", r.code, "%.20q: %s", body, r.text)
		r = w.raw("AX", http.MethodDelete, pathAX+"?subscriptionId="+id, []byte(body))
		require.Equal(t, "0", r.code, "%.20q: %s", body, r.text)
		r = w.raw("AX", http.MethodDelete, pathAX, []byte(`{"subscriptionId":"`+id+`"}`))
		require.Equal(t, "1011004", r.code, "a body selects nothing")
	}
}

// TestQueries: what is wrong with an address.
func TestQueries(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AX", http.MethodPost, pathAX, axBase).id()
		for query, want := range map[string]string{
			"subscriptionId=" + id:                                  "0",
			"subscriptionId=" + id + "&other=%FF&other=2":           "0",
			"subscriptionId=" + id + "&subscriptionId=" + id:        "1010002 subscriptionId",
			"subscriptionId=" + id + "&origNum=1&origNum=2":         "1010002 origNum",
			"SubscriptionId=" + id:                                  "1010002 subscriptionId",
			"subscriptionId=%zz":                                    "1010002 query",
			"subscriptionId=" + id + ";x=1":                         "1010002 query",
			"subscriptionId=%FF":                                    "1010002 subscriptionId",
			"subscriptionId=%00":                                    "1010002 subscriptionId",
			"subscriptionId=" + id + "%0d%0aX-Evil:%201":            "1010002 subscriptionId",
			"privateNum=%2B86170" + x(routing.AX, 1)[6:]:            "0",
			"privateNum=" + x(routing.AX, 1):                        "1016001", // a + that was not escaped
			"privateNum=%20%2B86170" + x(routing.AX, 1)[6:]:         "1016001",
			"origNum=" + strings.Repeat("1", 8000):                  "1016001",
			"=&&&=":                                                 "1010002 subscriptionId",
			"subscriptionId=&privateNum=%2B" + x(routing.AX, 1)[1:]: "0",
		} {
			r := w.raw("AX", http.MethodGet, pathAX+"?"+query, nil)
			require.Equal(t, want, r.outcome(), "%.80s: %s", query, r.text)
		}
	})
}

// TestDescriptions: a refusal is plain ASCII, not too long, and tells no real
// number.
func TestDescriptions(t *testing.T) {
	w := newWorld(t)
	name := strings.Repeat("\u4e2d\U0001f600", 60)
	for _, params := range []fields{axBase.with("recordHintTone", name), axBase.with("turnFlag", name), axBase.with("userData", name), axBase.with("privateNum", name)} {
		require.NotEqual(t, "0", w.send("AX", http.MethodPost, pathAX, params).code) // check() looks at the rest
	}
	w.done("AX", http.MethodPost, pathAX, axBase)
	for _, params := range []fields{axBase, axBase.with("origNum", bert), {"origNum": anna + "0", "privateNum": x(routing.AX, 2)},
		{"origNum": anna, "privateNum": bert}, {"origNum": "13800000001", "privateNum": x(routing.AX, 2)}} {
		r := w.send("AX", http.MethodPost, pathAX, params)
		require.NotEqual(t, "0", r.code)
		for _, n := range []string{anna, bert} {
			require.NotContains(t, r.text, n[3:])
		}
	}
}

// TestRequestID: a request that is named may be sent again.
func TestRequestID(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, header := range []string{"X-Client-Request-Id", "Idempotency-Key"} {
			body := fmt.Appendf(nil, `{"callerNum":%q,"calleeNum":%q,"areaCode":"0755"}`, tel(2*i), tel(2*i+1))
			named := func(r *http.Request) { r.Header.Set(header, "order-17-"+header) }
			first := w.raw("AXB", http.MethodPost, pathAXB, body, named)
			require.Equal(t, "0", first.code, first.text)
			require.Equal(t, first.text, w.raw("AXB", http.MethodPost, pathAXB, body, named).text)
			other := bytes.Replace(body, []byte(tel(2*i)), []byte(dora), 1)
			require.Equal(t, "1010002 X-Client-Request-Id", w.raw("AXB", http.MethodPost, pathAXB, other, named).outcome())
			end := func(r *http.Request) { r.Header.Set(header, "end-17-"+header) }
			for range 2 {
				require.Equal(t, "0", w.raw("AXB", http.MethodDelete, pathAXB+"?subscriptionId="+first.id(), nil, end).code)
			}
		}
	})
}
