package traces

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	v1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"axgate/events"
	"axgate/routing"
	"axgate/sip"
	"axgate/traces/tracestest"
)

func begin(t *testing.T, perThousand int) (*Tracer, *tracestest.Collector) {
	t.Helper()
	r := tracestest.Start(t)
	tr, err := Open(Config{Endpoint: r.URL, PerThousand: perThousand, Node: "n1", Log: zerolog.Nop()})
	require.NoError(t, err)
	return tr, r
}

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func call(session string) *sip.Ended {
	return &sip.Ended{Call: &events.Call{Session: session, App: "app", Mode: "AXB", X: "+8617010000001", Caller: "+8613800000001", Callee: "+8613900000002",
		In: at(0), Out: at(2), Alerting: at(5), Answered: at(9), Recording: at(10), Ended: at(40), RecordFile: "r.wav"},
		End: routing.EndTalk, Decided: at(1), Settled: at(41), Tried: 1}
}

// TestCall: a call is one trace; its pushes, from any node, are in it; nobody's
// number leaves.
func TestCall(t *testing.T) {
	t.Parallel()
	tr, r := begin(t, 1000)
	tr.Call(call("s1@host"))
	tr.Pushed(events.Pushed{Event: &events.Event{Session: "s1@host", Kind: events.Fee, App: "app"}, Result: events.PushFailed, Tries: 1, Began: at(50), Ended: at(51), Failure: "HTTP status 500"})
	tr.Pushed(events.Pushed{Event: &events.Event{Session: "+8617010000001", Kind: events.NumStatus}, Result: events.PushTaken, Tries: 1, Began: at(50), Ended: at(51)})
	require.NoError(t, tr.Close(context.Background()))

	root := r.Named("call")[0]
	require.Empty(t, root.ParentSpanId)
	require.Equal(t, [2]int64{at(0).UnixNano(), at(41).UnixNano()}, [2]int64{int64(root.StartTimeUnixNano), int64(root.EndTimeUnixNano)})
	require.Equal(t, "s1@host", root.Attributes[0].Value.GetStringValue())
	for name, want := range map[string][2]int{"decide": {0, 1}, "ring": {2, 5}, "answer": {5, 9}, "talk": {9, 40}, "recording": {10, 40}, "tear-down": {40, 41}, "push": {50, 51}} {
		list := r.Named(name)
		require.Len(t, list, 1, name)
		s := list[0]
		require.Equal(t, root.TraceId, s.TraceId, name)
		require.Equal(t, root.SpanId, s.ParentSpanId, name)
		require.Equal(t, [2]int64{at(want[0]).UnixNano(), at(want[1]).UnixNano()}, [2]int64{int64(s.StartTimeUnixNano), int64(s.EndTimeUnixNano)}, name)
	}
	require.Equal(t, v1.Status_STATUS_CODE_ERROR, r.Named("push")[0].Status.Code)
	for _, number := range []string{"17010000001", "13800000001", "13900000002"} {
		require.NotContains(t, r.Whole(), number)
	}
	require.Contains(t, r.Whole(), "+86138****0001")
}

// TestSampling: of many calls about so many are traced, and a call's pushes are
// if it is.
func TestSampling(t *testing.T) {
	t.Parallel()
	tr, r := begin(t, 200)
	const calls = 1000
	for i := range calls {
		session := fmt.Sprint("s", i)
		tr.Call(call(session))
		tr.Pushed(events.Pushed{Event: &events.Event{Session: session, Kind: events.Fee}, Result: events.PushTaken, Began: at(50), Ended: at(51)})
		if i%100 == 99 { // what is told faster than it is sent is dropped
			require.NoError(t, tr.provider.ForceFlush(context.Background()))
		}
	}
	require.NoError(t, tr.Close(context.Background()))
	roots, pushes := map[string]bool{}, map[string]bool{}
	for _, s := range r.Named("call") {
		roots[string(s.TraceId)] = true
	}
	for _, s := range r.Named("push") {
		pushes[string(s.TraceId)] = true
	}
	require.InDelta(t, calls/5, len(roots), calls/10)
	require.Equal(t, roots, pushes)
}

// TestRequests: a request with a traceparent is a span of that trace, by its
// route and not by its path.
func TestRequests(t *testing.T) {
	t.Parallel()
	tr, r := begin(t, 0)
	h := tr.Handler("/rest/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	const parent = "0af7651916cd43dd8448eb211c80319c"
	for _, traceparent := range []string{"00-" + parent + "-b7ad6b7169203331-01", "00-" + strings.Replace(parent, "0a", "0b", 1) + "-b7ad6b7169203331-00", "nonsense", ""} {
		req := httptest.NewRequest(http.MethodPost, "/rest/+8613800000001", nil)
		req.Header.Set("traceparent", traceparent)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		require.Equal(t, http.StatusTeapot, w.Code)
	}
	require.NoError(t, tr.Close(context.Background()))
	require.Len(t, r.Spans(), 1, "none of a thousand but those that ask for it")
	s := r.Named("POST /rest/")[0]
	require.Equal(t, parent, hex.EncodeToString(s.TraceId))
	require.Equal(t, "b7ad6b7169203331", hex.EncodeToString(s.ParentSpanId))
	require.NotContains(t, r.Whole(), "13800000001")
	require.Contains(t, r.Whole(), "418")
}

// TestOff: without a tracer nothing is told, and handlers stay what they are.
func TestOff(t *testing.T) {
	var tr *Tracer
	tr.Call(nil)
	tr.Pushed(events.Pushed{})
	h := http.NotFoundHandler()
	require.Equal(t, fmt.Sprintf("%p", h), fmt.Sprintf("%p", tr.Handler("/", h)))
	require.NoError(t, tr.Close(context.Background()))
}

// TestHeadersOfTheEnvironment: OpenTelemetry's own variable counts while there are no headers.
func TestHeadersOfTheEnvironment(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=seven")
	for _, own := range []map[string]string{{}, {"Api-Key": "own"}} {
		r := tracestest.Start(t)
		tr, err := Open(Config{Endpoint: r.URL, Headers: own, PerThousand: 1000, Node: "n1", Log: zerolog.Nop()})
		require.NoError(t, err)
		tr.Call(call("s"))
		require.NoError(t, tr.Close(t.Context()))
		require.NotEmpty(t, r.Headers())
		want := []string{"seven", ""}
		if len(own) > 0 {
			want = []string{"", "own"}
		}
		require.Equal(t, want, []string{r.Headers()[0].Get("X-Tenant"), r.Headers()[0].Get("Api-Key")})
	}
}
