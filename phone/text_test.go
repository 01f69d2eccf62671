package phone

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
	"github.com/stretchr/testify/require"
)

func nextText(t *testing.T, p *Phone) Text {
	t.Helper()
	select {
	case m := <-p.Texts():
		return m
	case <-time.After(15 * time.Second):
		require.FailNow(t, "no text came in")
		return Text{}
	}
}

func TestText(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			from, to := pair(t, transport, nil)
			const said = "你好 😀 [x]\r\n\r\nSIP/2.0"
			status, err := from.Text(within(t, 15*time.Second), to.Number(), said)
			require.NoError(t, err)
			require.Equal(t, 200, status)
			got := nextText(t, to)
			require.Equal(t, []string{from.Number(), to.Number(), said}, []string{got.From, got.To, got.Content})

			status, err = from.Text(within(t, 15*time.Second), "+8617010000001", "1", From("+8613800000009"), WithHeader("P-Asserted-Identity", "<sip:1@x>"))
			require.NoError(t, err)
			require.Equal(t, 200, status)
			got = nextText(t, to)
			require.Equal(t, []string{"+8613800000009", "+8617010000001", "1"}, []string{got.From, got.To, got.Content})
			require.Contains(t, string(got.Raw), "P-Asserted-Identity: <sip:1@x>")
		})
	}
}

// wired exchanges messages with a phone as they are written.
type wired struct {
	t  *testing.T
	c  net.Conn
	at string
}

func wire(t *testing.T, p *Phone) *wired {
	t.Helper()
	c, err := net.Dial("udp", p.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &wired{t, c, c.LocalAddr().String()}
}

// text sends a MESSAGE and gives the status line of its answer.
func (w *wired) text(branch, id string, seq int, kind, body string) string {
	w.t.Helper()
	head := []string{"MESSAGE sip:1@x SIP/2.0", "Via: SIP/2.0/UDP " + w.at + ";rport;branch=z9hG4bK" + branch, "Max-Forwards: 70", "From: <sip:2@x>;tag=1", "To: <sip:1@x>",
		"Call-ID: " + id, fmt.Sprintf("CSeq: %d MESSAGE", seq)}
	if kind != "" {
		head = append(head, "Content-Type: "+kind)
	}
	head = append(head, fmt.Sprintf("Content-Length: %d", len(body)))
	_, err := w.c.Write([]byte(strings.Join(head, "\r\n") + "\r\n\r\n" + body))
	require.NoError(w.t, err)
	b := make([]byte, 4096)
	require.NoError(w.t, w.c.SetReadDeadline(time.Now().Add(15*time.Second)))
	n, err := w.c.Read(b)
	require.NoError(w.t, err)
	line, _, _ := strings.Cut(string(b[:n]), "\r\n")
	return line
}

// TestTextOnce: what comes again, in the same transaction or a new one, is
// answered and not shown again.
func TestTextOnce(t *testing.T) {
	t.Parallel()
	p := open(t, Config{Number: "1", Server: "127.0.0.1:9"})
	w := wire(t, p)
	for _, branch := range []string{"a", "a", "b"} {
		require.Equal(t, "SIP/2.0 200 OK", w.text(branch, "c1", 1, "text/plain", "first"))
	}
	require.Equal(t, "SIP/2.0 200 OK", w.text("c", "c1", 2, "TEXT/plain; charset=\"utf-8\"", "second"))
	require.Equal(t, "SIP/2.0 200 OK", w.text("d", "c2", 1, "text/plain", "third"))
	for _, want := range []string{"first", "second", "third"} {
		require.Equal(t, want, nextText(t, p).Content)
	}
	require.Empty(t, p.Texts())
}

func TestTextRefused(t *testing.T) {
	t.Parallel()
	p := open(t, Config{Number: "1", Server: "127.0.0.1:9"})
	w := wire(t, p)
	for i, kind := range []string{"", "text/html", "text/plain;charset=gbk", "application/vnd.3gpp.sms", "text/plain;;"} {
		require.Equal(t, "SIP/2.0 415 Unsupported Media Type", w.text(fmt.Sprint("k", i), fmt.Sprint(i), 1, kind, "x"), kind)
	}
	require.Empty(t, p.Texts())
	for i := range mostTexts {
		require.True(t, p.keep(Text{ID: fmt.Sprint(i)}, 7))
	}
	require.Equal(t, "SIP/2.0 480 Temporarily Unavailable", w.text("f", "full", 1, "text/plain", "x"))
	<-p.Texts()
	require.Equal(t, "SIP/2.0 200 OK", w.text("g", "full", 1, "text/plain", "x"), "it was not taken before")
}

// doorman answers each MESSAGE without credentials with a challenge, those
// with them with 202, or with 403 if they are wrong.
func doorman(t *testing.T) string {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(silent)), sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(silent)))
	require.NoError(t, err)
	srv, err := sipgo.NewServer(ua)
	require.NoError(t, err)
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	ask := digest.Challenge{Realm: "lab", Nonce: "n1", Algorithm: "SHA-256", QOP: []string{"auth"}}
	srv.OnMessage(func(req *sip.Request, tx sip.ServerTransaction) {
		h := req.GetHeader("Proxy-Authorization")
		if h == nil {
			res := sip.NewResponseFromRequest(req, 407, "Proxy Authentication Required", nil)
			res.AppendHeader(sip.NewHeader("Proxy-Authenticate", ask.String()))
			_ = tx.Respond(res)
			return
		}
		status := 403
		if cred, err := digest.ParseCredentials(h.Value()); err == nil {
			want, err := digest.Digest(&ask, digest.Options{Method: "MESSAGE", URI: cred.URI, Count: cred.Nc, Cnonce: cred.Cnonce, Username: "100", Password: "secret"})
			if err == nil && want.Response == cred.Response && req.CSeq().SeqNo == 2 {
				status = 202
			}
		}
		_ = tx.Respond(sip.NewResponseFromRequest(req, status, "Answer", nil))
	})
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.ServeUDP(c) }()
	t.Cleanup(func() { _ = c.Close(); _ = ua.Close(); <-done })
	return c.LocalAddr().String()
}

func TestTextChallenged(t *testing.T) {
	t.Parallel()
	server := doorman(t)
	for password, want := range map[string]int{"secret": 202, "wrong": 403, "": 407} {
		p := open(t, Config{Number: "100", Password: password, Server: server})
		status, err := p.Text(within(t, 15*time.Second), "1", "hello")
		require.Equal(t, want, status)
		if password == "" {
			require.ErrorContains(t, err, "no password")
		} else {
			require.NoError(t, err)
		}
	}
}
