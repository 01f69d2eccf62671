package binding_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

// example is a request of api.md with its answer.
type example struct {
	section string
	method  string
	target  string
	headers []string
	body    string
	status  string
	answer  string
}

func readExamples(t *testing.T) (list []example) {
	t.Helper()
	text, err := os.ReadFile("testdata/examples.txt")
	require.NoError(t, err)
	for _, part := range strings.Split(string(text), "\n== ")[1:] {
		request, answer, found := strings.Cut(part, "\n→ ")
		require.True(t, found, part)
		lines := strings.Split(request, "\n")
		words := strings.Fields(lines[1])
		e := example{section: lines[0], method: words[0], target: words[1], status: answer[:3], answer: answer[4:]}
		rest := lines[2:]
		for len(rest) > 0 && !strings.HasPrefix(rest[0], "{") {
			if rest[0] != "" {
				e.headers = append(e.headers, rest[0])
			}
			rest = rest[1:]
		}
		e.body = strings.Join(rest, "\n")
		list = append(list, e)
	}
	return list
}

// TestExamples plays the examples of api.md. An answer has all that the example
// shows, with the same values in the same order; fields that the example leaves
// out may come besides, if the tables of api.md have them.
func TestExamples(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		w.time, w.signed = at, at
		w.app(ledger.App{App: routing.App{Key: "demoAppKey0001", SP: "demo", Mode: routing.AXB}, Secret: "demoAppSecret0001"})
		w.app(ledger.App{App: routing.App{Key: "demoAppKey0002", SP: "demo", Mode: routing.AX, Recording: true, Informs: true}, Secret: "demoAppSecret0002"})
		w.app(ledger.App{App: routing.App{Key: "demoAppKey0003", SP: "demo", Mode: routing.AXE}, Secret: "demoAppSecret0003"})
		keyOf := map[string]string{"3": "1", "4": "2", "5": "3", "7": "1"}
		for i, x := range []string{"+8616500000009", "+8616500000010", "+8616500000011"} {
			w.number(x, "demoAppKey000"+string(rune('1'+i)), "0755")
		}
		w.call("1200_1029_4294967295_20260102030405@callnode01.example.com", "demoAppKey0001", routing.AXB)
		besides := map[string]string{"3.4": "preVoice privateSms", "4.4": "preVoice"}
		ids := map[string]string{} // of the example: ours
		list := readExamples(t)
		require.Len(t, list, 13)
		for _, e := range list {
			for theirs, ours := range ids {
				e.target, e.body = strings.ReplaceAll(e.target, theirs, ours), strings.ReplaceAll(e.body, theirs, ours)
			}
			r := httptest.NewRequest(e.method, e.target, strings.NewReader(e.body))
			number := keyOf[e.section[:1]]
			w.sign(r, "demoAppKey000"+number, "demoAppSecret000"+number)
			for _, h := range e.headers {
				name, value, _ := strings.Cut(h, ": ")
				r.Header.Set(name, value)
			}
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			got := check(t, rec)
			require.Equal(t, e.status, "200", e.section)
			require.Equal(t, http.StatusOK, rec.Code, "%s: %s", e.section, got.text)
			want := e.answer
			if theirs := idPattern.FindString(want); theirs != "" {
				if ids[theirs] == "" {
					ids[theirs] = idPattern.FindString(got.text)
				}
				want = strings.ReplaceAll(want, theirs, ids[theirs])
			}
			shows(t, e.section, want, got.text, strings.Fields(besides[e.section]))
		}
	})
}

var idPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// shows compares objects of JSON: got has what want has, in its order, and of
// others those that are named alone.
func shows(t *testing.T, section, want, got string, besides []string) {
	t.Helper()
	var kept []string
	for _, k := range keys(t, got) {
		if !slices.Contains(besides, k) {
			kept = append(kept, k)
		}
	}
	require.Equal(t, keys(t, want), kept, "%s: %s", section, got)
	var w, g map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(want), &w))
	require.NoError(t, json.Unmarshal([]byte(got), &g))
	for k := range w {
		var list []json.RawMessage
		if json.Unmarshal(w[k], &list) != nil {
			require.JSONEq(t, string(w[k]), string(g[k]), "%s %s", section, k)
			continue
		}
		var mine []json.RawMessage
		require.NoError(t, json.Unmarshal(g[k], &mine))
		require.Len(t, mine, len(list))
		for i := range list {
			shows(t, section, string(list[i]), string(mine[i]), besides)
		}
	}
}
