package events_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

var sessionOf = regexp.MustCompile(`"sessionId":"([^"]*)"`)

// TestPrompt: what happens reaches a healthy receiver within 200 ms. The figure
// is for a quiet machine: the test goes by the median, so that a busy one does
// not fail it, and shows how all were spread.
func TestPrompt(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w := newWorld(t, cfg)
		var mu sync.Mutex
		var took []time.Duration
		began := map[string]time.Time{}
		to := &server{Server: httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range sessionOf.FindAllSubmatch(body, -1) {
				took = append(took, time.Since(began[string(m[1])]))
			}
		}))}
		t.Cleanup(to.Close)
		w.app("app", to)
		w.run(func(c *events.Config) { c.Poll, c.Now = time.Hour, nil }) // woken only
		const calls, each = 60, 4
		for i := range calls {
			session := fmt.Sprint("call", i)
			for seq, k := range []events.Kind{events.CallIn, events.Answer, events.Disconnect, events.Fee} {
				mu.Lock()
				began[session] = time.Now()
				mu.Unlock()
				w.call("app", session, seq+1, k)
				eventually(t, "its push", func() bool {
					mu.Lock()
					defer mu.Unlock()
					return len(took) == each*i+seq+1
				})
			}
		}
		slices.Sort(took)
		at := func(percent int) time.Duration { return took[(len(took)-1)*percent/100].Round(100 * time.Microsecond) }
		t.Logf("%d events, from before they are durable until they arrive: median %s, 90%% %s, 99%% %s, most %s", len(took), at(50), at(90), at(99), at(100))
		require.Less(t, at(50), 200*time.Millisecond)
	})
}

// TestASCII: whatever a customer gave us, bodies are ASCII alone, and mean it.
func TestASCII(t *testing.T) {
	w, to := newWorld(t, ledgertest.SQLite(t)), newServer(t)
	w.app("app", to)
	w.run()
	c := events.Call{Session: "one", Node: "n", App: "app", SP: "账户", Mode: "X", X: "+8617010000001", Caller: "+8613800000001", UserData: "é中😀\x7f", In: t0, Ended: t0}
	ledgertest.Record(t, w.Ledger, c, events.NewCallEvent(c, 1, events.Disconnect, t0, ""), events.NewFee(c, 2))
	w.settled("one", 1, "1 tries, done")
	w.settled("one", 2, "1 tries, done")
	for _, p := range to.pushes() {
		require.NotRegexp(t, `[^ -~]`, p.body)
		require.Contains(t, p.body, `"userData":"\u00e9\u4e2d\ud83d\ude00\u007f"`)
	}
	require.Len(t, to.pushes(), 2)
}
