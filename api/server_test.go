package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines is a log that a test reads.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *lines) with(level string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.all.String()) {
		if strings.Contains(line, `"level":"`+level+`"`) {
			found = append(found, line)
		}
	}
	return found
}

func serve(t *testing.T, cfg Config, log zerolog.Logger, mounts ...Mount) *Server {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	s, err := Open(cfg, log, mounts...)
	require.NoError(t, err)
	s.Serve()
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	return s
}

// get makes one request on a connection of its own.
func get(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}
	res, err := client.Get(address)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

// TestMounts: the longest mount that fits answers, and what fits none is 404
// without a body.
func TestMounts(t *testing.T) {
	s := serve(t, Config{}, zerolog.Nop(), Mount{Path: "/rest/a/v1.0", Handler: says("exact")}, Mount{Path: "/rest/", Handler: says("below")},
		Mount{Path: "/rest/b/", Handler: says("longer")})
	for path, want := range map[string]string{
		"/rest/a/v1.0": "200 exact", "/rest/a/v1.0/": "200 below", "/rest/": "200 below", "/rest/b/x": "200 longer", "/rest/a": "200 below",
		"/rest": "404 ", "/": "404 ", "/other": "404 ", "//rest/a/v1.0": "404 ", "/REST/a/v1.0": "404 ", "/x/../rest/a/v1.0": "404 ",
	} {
		res, body := get(t, s.Base()+path)
		require.Equal(t, want, fmt.Sprintf("%d %s", res.StatusCode, body), path)
	}
}

// TestPanic: the documented answer, one line in the log and nothing of it to
// the client; a broken-off answer is seen to be broken off.
func TestPanic(t *testing.T) {
	var log lines
	s := serve(t, Config{}, zerolog.New(&log), Mount{Path: "/panic", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Secret", "of the handler")
		panic("the secret")
	})}, Mount{Path: "/late", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "half of")
		_ = http.NewResponseController(w).Flush()
		panic(errors.New("late"))
	})}, Mount{Path: "/well", Handler: says("well")})
	res, body := get(t, s.Base()+"/panic?number=%2B8613800000001")
	require.Equal(t, 500, res.StatusCode)
	require.Equal(t, `{"resultcode":"1010001","resultdesc":"Internal system error."}`, body)
	require.Equal(t, "application/json;charset=utf-8", res.Header.Get("Content-Type"))
	require.Empty(t, res.Header.Get("X-Secret"))
	found := log.with("error")
	require.Len(t, found, 1)
	require.Contains(t, found[0], "the secret")
	require.NotContains(t, found[0], "138", "numbers are in queries")
	late, err := http.Get(s.Base() + "/late")
	require.NoError(t, err)
	_, err = io.ReadAll(late.Body)
	require.Error(t, err)
	_ = late.Body.Close()
	require.Len(t, log.with("error"), 2)
	_, body = get(t, s.Base()+"/well")
	require.Equal(t, "well", body, "the server goes on")
	http.DefaultClient.CloseIdleConnections()
}

// TestShort: after an answer of a short mount the server hangs up, after
// another the connection is used again.
func TestShort(t *testing.T) {
	s := serve(t, Config{}, zerolog.Nop(), Mount{Path: "/short", Handler: says("s"), Short: true}, Mount{Path: "/long", Handler: says("l")})
	conn, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(15*time.Second)))
	r := bufio.NewReader(conn)
	for _, path := range []string{"/long", "/long", "/short"} {
		_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		require.NoError(t, err)
		res, err := http.ReadResponse(r, nil)
		require.NoError(t, err, path)
		_, err = io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, path == "/short", res.Close)
	}
	_, err = r.ReadByte()
	require.ErrorIs(t, err, io.EOF, "the server hangs up")
}

// TestLimits: sizes of headers and bodies, times, and connections.
func TestLimits(t *testing.T) {
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d %v", len(body), err)
	})
	s := serve(t, Config{MaxConns: 2}, zerolog.Nop(), Mount{Path: "/usual", Handler: read}, Mount{Path: "/large", Handler: read, MaxBody: 1 << 20},
		Mount{Path: "/quick", Handler: read, Timeout: 200 * time.Millisecond})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}
	post := func(path string, size int) string {
		res, err := client.Post(s.Base()+path, "text/plain", strings.NewReader(strings.Repeat("x", size)))
		require.NoError(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return string(text)
	}
	require.Equal(t, "65536 <nil>", post("/usual", 64<<10))
	require.Equal(t, "65536 http: request body too large", post("/usual", 64<<10+1))
	require.Equal(t, "1048576 <nil>", post("/large", 1<<20))

	req, err := http.NewRequest(http.MethodGet, s.Base()+"/usual", nil)
	require.NoError(t, err)
	req.Header.Set("X-Large", strings.Repeat("x", 32<<10))
	res, err := client.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
	require.NoError(t, res.Body.Close())

	slow, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(slow, "POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
	require.NoError(t, err)
	require.NoError(t, slow.SetReadDeadline(time.Now().Add(15*time.Second)))
	_, _ = io.ReadAll(slow) // until the server hangs up
	require.NoError(t, slow.SetReadDeadline(time.Now().Add(15*time.Second)))
	_, err = slow.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, slow.Close())

	idle := make([]net.Conn, 2)
	for i := range idle {
		idle[i], err = net.Dial("tcp", s.Addr().String())
		require.NoError(t, err)
	}
	waits := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 300 * time.Millisecond}
	_, err = waits.Get(s.Base() + "/usual")
	require.Error(t, err, "there is no room")
	for _, c := range idle {
		require.NoError(t, c.Close())
	}
	require.Eventually(t, func() bool {
		res, err := waits.Get(s.Base() + "/usual")
		return err == nil && res.Body.Close() == nil
	}, 15*time.Second, 20*time.Millisecond)
}

// TestClose: requests that run get their answer, no new ones are taken, and a
// server that never served is closed too.
func TestClose(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s, err := Open(Config{Listen: "127.0.0.1:0"}, zerolog.Nop(), Mount{Path: "/slow", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "done")
	})})
	require.NoError(t, err)
	s.Serve()
	answered := make(chan string, 1)
	go func() {
		res, err := http.Get(s.Base() + "/slow")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		answered <- string(text)
	}()
	<-entered
	var closed atomic.Bool
	done := make(chan error, 1)
	go func() {
		err := s.Close(context.Background())
		closed.Store(true)
		done <- err
	}()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", s.Addr().String())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}, 15*time.Second, 10*time.Millisecond)
	require.False(t, closed.Load())
	close(leave)
	require.Equal(t, "done", <-answered)
	require.NoError(t, <-done)
	http.DefaultClient.CloseIdleConnections()

	s, err = Open(Config{Listen: "127.0.0.1:0"}, zerolog.Nop())
	require.NoError(t, err)
	require.NoError(t, s.Close(context.Background()))
	_, err = net.Dial("tcp", s.Addr().String())
	require.Error(t, err)
}

// TestClient: the last on the way that is no proxy of ours; nobody else is
// believed about it.
func TestClient(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		from string
		way  []string
		want string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1:5"},
		{"192.0.2.1:5", []string{"198.51.100.1"}, "192.0.2.1:5"},
		{"10.0.0.1:5", nil, "10.0.0.1:5"},
		{"10.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1:0"},
		{"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.1", "10.2.3.4"}, "198.51.100.1:0"},
		{"10.0.0.1:5", []string{"nonsense, 10.2.3.4"}, "10.2.3.4:0"},
		{"10.0.0.1:5", []string{"nonsense"}, "10.0.0.1:5"},
		{"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.1:4711, 10.2.3.4:80"}, "198.51.100.1:0"},
		{"10.0.0.1:5", []string{"[2001:db8::1]:4711"}, "[2001:db8::1]:0"},
		{"10.0.0.1:5", []string{"[2001:db8::1]"}, "[2001:db8::1]:0"},
		{"[::ffff:10.0.0.1]:5", []string{"2001:db8::1"}, "[2001:db8::1]:0"},
		{"[::1]:5", []string{" ::ffff:198.51.100.1 "}, "198.51.100.1:0"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.from
		r.Header["X-Forwarded-For"] = c.way
		require.Equal(t, c.want, client(r, proxies), "%v", c)
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	_, err := Open(Config{Listen: "192.0.2.1:1"}, zerolog.Nop())
	require.ErrorContains(t, err, "listen for HTTP")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/c.pem", []byte("no PEM"), 0o600))
	_, err = Open(Config{Listen: "127.0.0.1:0", Cert: dir + "/c.pem", Key: dir + "/none.pem"}, zerolog.Nop())
	require.ErrorContains(t, err, "none.pem")
}
