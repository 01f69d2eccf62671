package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sms"
)

var piece = sms.Outgoing{ID: "019b7c2e-1", X: "+8617010000001", Receiver: "+8613800000002", Text: "见面 <A&B> [From+8613800000001]", Pieces: 1, At: now.In(time.FixedZone("Beijing", 8*3600))}

func carrier(t *testing.T, cfg CarrierConfig) *Carrier {
	if cfg.Timeout == 0 {
		cfg.Timeout = 15 * time.Second
	}
	c := NewCarrier(cfg)
	t.Cleanup(c.Close)
	return c
}

// TestSend has the post as it goes out, the same at each try.
func TestSend(t *testing.T) {
	var mu sync.Mutex
	var headers []http.Header
	var bodies []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		headers, bodies = append(headers, r.Header), append(bodies, r.Method+" "+r.URL.String()+" "+string(body))
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	c := carrier(t, CarrierConfig{Name: "first", URL: s.URL + "/send?to=us", Secret: "our secret"})
	require.Equal(t, "first", c.Name())
	require.Equal(t, 1, c.Pieces("a text of any length"))
	again := piece
	again.Try = 3
	for _, o := range []sms.Outgoing{piece, again} {
		require.NoError(t, c.Send(t.Context(), o))
	}
	require.Equal(t, `POST /send?to=us {"id":"019b7c2e-1-1","from":"+8617010000001","to":"+8613800000002","text":"见面 <A&B> [From+8613800000001]","piece":1,"pieces":1,"time":"2026-01-02T03:04:05.678Z"}`+"\n", bodies[0])
	require.Equal(t, bodies[0], bodies[1], "whoever has it can tell")
	for _, h := range headers {
		require.Equal(t, "Bearer our secret", h.Get("Authorization"))
		require.Equal(t, "019b7c2e-1-1", h.Get("Idempotency-Key"))
		require.Equal(t, "application/json", h.Get("Content-Type"))
	}
	require.NoError(t, carrier(t, CarrierConfig{URL: s.URL}).Send(t.Context(), piece))
	require.NotContains(t, headers[2], "Authorization")
}

// TestMasked: of the real numbers a gateway is told the receiver's, and the
// sender's where the text itself has it.
func TestMasked(t *testing.T) {
	var body map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = json.NewDecoder(r.Body).Decode(&body) }))
	t.Cleanup(s.Close)
	o := piece
	o.Text = "hello"
	require.NoError(t, carrier(t, CarrierConfig{URL: s.URL}).Send(t.Context(), o))
	require.Equal(t, map[string]any{"id": "019b7c2e-1-1", "from": "+8617010000001", "to": "+8613800000002", "text": "hello", "piece": 1.0, "pieces": 1.0, "time": "2026-01-02T03:04:05.678Z"}, body)
}

func failure(t *testing.T, err error) *sms.Failure {
	t.Helper()
	var f *sms.Failure
	require.True(t, errors.As(err, &f), "%v", err)
	require.NotContains(t, f.Reason, "13800000")
	require.NotEmpty(t, f.Reason)
	return f
}

// unknown is an error after which the piece may have gone out: no other carrier
// must have it.
func unknown(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.False(t, errors.As(err, new(*sms.Failure)), "%v", err)
	require.NotContains(t, err.Error(), "13800000")
}

func TestStatuses(t *testing.T) {
	var status atomic.Int64
	var reached atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(status.Load()))
		_, _ = io.WriteString(w, "%&/ +8613800000002 no JSON")
	}))
	t.Cleanup(s.Close)
	c := carrier(t, CarrierConfig{URL: s.URL})
	for _, ok := range []int{200, 201, 202, 250} {
		status.Store(int64(ok))
		require.NoError(t, c.Send(t.Context(), piece), ok)
	}
	for code, temporary := range map[int]bool{
		300: true, 301: true, 302: true, 304: true, 307: true, 308: true,
		400: false, 402: false, 403: false, 404: false, 405: false, 409: false, 410: false, 413: false, 415: false, 422: false, 451: false, 499: false,
		401: true, 408: true, 425: true, 429: true, 500: true, 501: true, 503: true, 599: true,
	} {
		status.Store(int64(code))
		reached.Store(0)
		f := failure(t, c.Send(t.Context(), piece))
		require.Equal(t, code, f.Status)
		require.Equal(t, temporary, f.Temporary, code)
		require.EqualValues(t, 1, reached.Load(), "no redirect is followed: %d", code)
	}
	for _, code := range []int{502, 504} {
		status.Store(int64(code))
		unknown(t, c.Send(t.Context(), piece))
	}
}

// TestSilent: of a gateway that is dead it is known that it has not got the
// text; of one that is slow or talks nonsense it is not.
func TestSilent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	gone := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-gone }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(gone) })
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	open := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(open.Close)
	for name, c := range map[string]struct {
		cfg  CarrierConfig
		sure bool
	}{
		"slow":              {CarrierConfig{URL: slow.URL, Timeout: 50 * time.Millisecond}, false},
		"garbage":           {CarrierConfig{URL: says(t, "220 mail.example ESMTP\r\n")}, false},
		"hangs up":          {CarrierConfig{URL: says(t, "")}, false},
		"half an answer":    {CarrierConfig{URL: says(t, "HTTP/1.1 200")}, false},
		"endless headers":   {CarrierConfig{URL: says(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")}, false},
		"dead":              {CarrierConfig{URL: "http://" + closed.Addr().String()}, true},
		"another's TLS":     {CarrierConfig{URL: secure.URL}, true},
		"a refused net":     {CarrierConfig{URL: open.URL, Refuse: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, true},
		"no such host":      {CarrierConfig{URL: "http://gateway.invalid/"}, true},
		"no address":        {CarrierConfig{URL: "http://[::1"}, true},
		"no scheme that is": {CarrierConfig{URL: "gopher://127.0.0.1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			err := carrier(t, c.cfg).Send(t.Context(), piece)
			require.Less(t, time.Since(began), 14*time.Second)
			if !c.sure {
				unknown(t, err)
				return
			}
			f := failure(t, err)
			require.True(t, f.Temporary)
			require.Zero(t, f.Status)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.True(t, failure(t, carrier(t, CarrierConfig{URL: open.URL}).Send(ctx, piece)).Temporary)
}

// TestEndlessAnswer: a gateway that took the text and does not stop to talk is
// not listened to.
func TestEndlessAnswer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	require.NoError(t, carrier(t, CarrierConfig{URL: s.URL}).Send(t.Context(), piece))
}

// says is a server that says one thing to whoever connects, and hangs up.
func says(t *testing.T, what string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, what)
			_ = c.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return "http://" + l.Addr().String()
}

func TestReaches(t *testing.T) {
	all, some := carrier(t, CarrierConfig{}), carrier(t, CarrierConfig{Numbers: []string{"+86138", "+852"}})
	for n, want := range map[routing.Number]bool{"+8613800000001": true, "+85290000001": true, "+8613900000001": false, "8613800000001": false, "+861": false, "": false} {
		require.Equal(t, want, some.Reaches(n), n)
		require.True(t, all.Reaches(n), n)
	}
}
