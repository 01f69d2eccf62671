package events_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
)

// asked is a server that answers questions.
func asked(t *testing.T, answer http.HandlerFunc) string {
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL + "/callin"
}

func asker(t *testing.T, perApp int) *events.Asker {
	a := events.NewAsker(events.AskConfig{PerApp: perApp, Now: func() time.Time { return t0 }})
	t.Cleanup(a.Close)
	return a
}

func TestAsk(t *testing.T) {
	call := events.Call{Session: "one", App: "app", Mode: "X", X: "+8617010000001", Caller: "+8613800000001", In: t0}
	question := events.NewQuestion(call, 1, t0)
	require.True(t, question.Question)
	require.Equal(t, events.Asked, question.Target())
	for _, aksk := range []bool{false, true} {
		to := &events.Receiver{Secret: "secret", AKSK: aksk}
		body, err := events.QuestionMessage(&question, to)
		require.NoError(t, err)
		require.JSONEq(t, `{"eventType":"callin","statusInfo":{"sessionId":"one","timestamp":"2026-01-02 03:04:05",
			"caller":"+8613800000001","called":"+8617010000001","notifyMode":"Block"}}`, string(body))
		var got http.Header
		var sent []byte
		url := asked(t, func(w http.ResponseWriter, req *http.Request) {
			got = req.Header
			sent, _ = io.ReadAll(req.Body)
			_, _ = io.WriteString(w, `{"operation":"close"}`)
		})
		answer, err := asker(t, 0).Ask(t.Context(), url, to, "app", body)
		require.NoError(t, err)
		require.Equal(t, `{"operation":"close"}`, string(answer))
		require.JSONEq(t, string(body), string(sent))
		require.Equal(t, "application/json;charset=UTF-8", got.Get("Content-Type"))
		require.NotContains(t, got, "Idempotency-Key")
		scheme := map[bool]string{false: "WSSE", true: "AKSK"}[aksk]
		require.Equal(t, scheme+` realm="SDP",profile="UsernameToken",type="Appkey"`, got.Get("Authorization"))
		require.Regexp(t, `^UsernameToken Username="app", PasswordDigest="[^"]{44}", Nonce="\w+", Created="2026-01-02T03:04:05Z"$`, got.Get("X-"+scheme))
	}
}

func TestAskWithoutAnswer(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	dead := "http://" + closed.Addr().String()
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone) })
	slow := func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		select {
		case <-gone:
		case <-req.Context().Done():
		}
	}
	for name, c := range map[string]struct {
		url  string
		want string
	}{
		"no address": {"", "the app has no address for it"},
		"malformed":  {"http://[::1", "the address is malformed"},
		"dead":       {dead, "connection refused"},
		"slow":       {asked(t, slow), "no answer in time"},
		"slow in the body": {asked(t, func(w http.ResponseWriter, req *http.Request) {
			_, _ = io.WriteString(w, `{"operation":`)
			w.(http.Flusher).Flush()
			slow(w, req)
		}), "no answer in time"},
		"a failure":  {asked(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), "HTTP status 500"},
		"a redirect": {asked(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", dead); w.WriteHeader(302) }), "HTTP status 302"},
		"endless":    {asked(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat(" ", 1<<20)) }), "the answer is longer than 65536 bytes"},
		"hung up on": {asked(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if !strings.HasPrefix(name, "slow") {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), 15*time.Second)
			}
			defer cancel()
			answer, err := asker(t, 0).Ask(ctx, c.url, &events.Receiver{}, "app", []byte("{}"))
			require.ErrorContains(t, err, c.want)
			require.Empty(t, answer)
			require.NotContains(t, err.Error(), "/callin", "the address may hold a password")
		})
	}
	t.Run("not trusted", func(t *testing.T) {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
		t.Cleanup(s.Close)
		s.Config.ErrorLog = nil
		_, err := asker(t, 0).Ask(t.Context(), s.URL, &events.Receiver{}, "app", []byte("{}"))
		require.ErrorContains(t, err, "certificate")
	})
	t.Run("given up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a, done := asker(t, 0), make(chan error)
		url := asked(t, func(w http.ResponseWriter, req *http.Request) { cancel(); slow(w, req) })
		go func() {
			_, err := a.Ask(ctx, url, &events.Receiver{}, "app", []byte("{}"))
			done <- err
		}()
		select {
		case err := <-done:
			require.ErrorIs(t, err, context.Canceled)
		case <-time.After(15 * time.Second):
			t.Fatal("nobody waits any more, and it asks on")
		}
	})
}

// TestAskIsBounded: a server that answers nothing costs no more goroutines and
// connections than questions of its app may be asked at once; others are asked
// as ever.
func TestAskIsBounded(t *testing.T) {
	const most = 20
	before := runtime.NumGoroutine()
	release := make(chan struct{})
	var mu sync.Mutex
	connected, waiting := 0, 0
	dead := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		mu.Lock()
		waiting++
		mu.Unlock()
		select {
		case <-release:
		case <-req.Context().Done():
		}
	}))
	dead.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			mu.Lock()
			connected++
			mu.Unlock()
		}
	}
	dead.Start()
	t.Cleanup(dead.Close)
	alive := asked(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"operation":"close"}`) })
	a := asker(t, most)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	var all sync.WaitGroup
	for range most {
		all.Go(func() { _, _ = a.Ask(ctx, dead.URL, &events.Receiver{}, "dead", []byte("{}")) })
	}
	eventually(t, "all places are taken", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return waiting == most
	})
	for range 100 {
		start := time.Now()
		_, err := a.Ask(ctx, dead.URL, &events.Receiver{}, "dead", []byte("{}"))
		require.ErrorIs(t, err, events.ErrTooMany)
		require.Less(t, time.Since(start), 5*time.Second, "nobody waits for a place")
	}
	answer, err := a.Ask(ctx, alive, &events.Receiver{}, "alive", []byte("{}"))
	require.NoError(t, err)
	require.True(t, json.Valid(answer))
	mu.Lock()
	require.LessOrEqual(t, connected, most+1)
	mu.Unlock()
	require.Less(t, runtime.NumGoroutine()-before, 12*most)
	cancel()
	all.Wait()
	close(release)
	_, err = a.Ask(t.Context(), alive, &events.Receiver{}, "dead", []byte("{}"))
	require.NoError(t, err, "the places are free again")
}

// TestAskHoldsConnections: questions go over few connections, and one that the
// server has closed meanwhile is no failure.
func TestAskHoldsConnections(t *testing.T) {
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateNew {
			conns[c] = true
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	a := asker(t, 0)
	for range 50 {
		_, err := a.Ask(t.Context(), s.URL, &events.Receiver{}, "app", []byte("{}"))
		require.NoError(t, err)
	}
	mu.Lock()
	require.Less(t, len(conns), 5)
	mu.Unlock()
	for range 20 {
		s.CloseClientConnections()
		_, err := a.Ask(t.Context(), s.URL, &events.Receiver{}, "app", []byte("{}"))
		require.NoError(t, err)
	}
}
