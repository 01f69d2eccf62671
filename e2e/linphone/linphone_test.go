//go:build e2e

package linphone_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
	"github.com/stretchr/testify/require"

	"axgate/e2e/linphone"
	"axgate/e2e/ports"
	"axgate/phone"
)

const number, password = "+8613900000001", "secret"

// server asks for a digest, registers, and takes texts, but for those to 403.
type server struct {
	addr  netip.AddrPort
	texts chan string
}

func open(t *testing.T) *server {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(silent)), sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(silent)))
	require.NoError(t, err)
	srv, err := sipgo.NewServer(ua)
	require.NoError(t, err)
	port, err := ports.Take(1)
	require.NoError(t, err)
	udp, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	s := &server{addr: udp.LocalAddr().(*net.UDPAddr).AddrPort(), texts: make(chan string, 10)}
	tcp, err := net.Listen("tcp", s.addr.String())
	require.NoError(t, err)
	srv.OnRegister(func(req *sip.Request, tx sip.ServerTransaction) { s.answer(req, tx) })
	srv.OnMessage(func(req *sip.Request, tx sip.ServerTransaction) {
		if s.answer(req, tx) {
			s.texts <- fmt.Sprintf("%s %s: %s", req.From().Address.User, req.To().Address.User, req.Body())
		}
	})
	done := make(chan struct{}, 2)
	go func() { _ = srv.ServeUDP(udp); done <- struct{}{} }()
	go func() { _ = srv.ServeTCP(tcp); done <- struct{}{} }()
	t.Cleanup(func() { _ = udp.Close(); _ = tcp.Close(); _ = ua.Close(); <-done; <-done })
	return s
}

func (s *server) answer(req *sip.Request, tx sip.ServerTransaction) bool {
	ask := digest.Challenge{Realm: "lab", Nonce: "n1", Algorithm: "MD5", QOP: []string{"auth"}}
	status := 401
	if h := req.GetHeader("Authorization"); h != nil {
		cred, err := digest.ParseCredentials(h.Value())
		want, err2 := digest.Digest(&ask, digest.Options{Method: string(req.Method), URI: cred.URI, Count: cred.Nc, Cnonce: cred.Cnonce, Username: number, Password: password})
		if err == nil && err2 == nil && want.Response == cred.Response {
			status = 200
		}
	}
	if status == 200 && req.Recipient.User == "403" {
		status = 403
	}
	res := sip.NewResponseFromRequest(req, status, "", nil)
	if status == 401 {
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", ask.String()))
	}
	if h := req.Contact(); h != nil {
		res.AppendHeader(h)
	}
	return tx.Respond(res) == nil && status == 200
}

func TestTexts(t *testing.T) {
	for _, tcp := range []bool{false, true} {
		t.Run(fmt.Sprintf("TCP %v", tcp), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			s := open(t)
			at, err := ports.Take(1)
			require.NoError(t, err)
			l, err := linphone.Start(ctx, linphone.Config{Dir: t.TempDir(), Number: number, Display: "Real Name", Password: password,
				Server: s.addr, TCP: tcp, IP: "127.0.0.1", SIPPort: at})
			require.NoError(t, err)
			defer func() { require.NoError(t, l.Close()) }()
			for _, text := range []string{"hello", `Grüße, 你好 😀 "…"  @13900000002`} {
				accepted, err := l.Text(ctx, "17010000001", text)
				require.NoError(t, err)
				require.True(t, accepted)
				require.Equal(t, number+" 17010000001: "+text, <-s.texts)
			}
			accepted, err := l.Text(ctx, "403", "hello")
			require.NoError(t, err)
			require.False(t, accepted)

			transport := "udp"
			if tcp {
				transport = "tcp"
			}
			p, err := phone.New(phone.Config{Number: "+8617010000001", Server: fmt.Sprintf("127.0.0.1:%d", at), Transport: transport})
			require.NoError(t, err)
			defer p.Close()
			texts := []string{"hello", "two\nlines\n\n\"你好\" 😀", "Event-type: message-received [From+8613900000002]"}
			var want []linphone.Text
			for _, text := range texts {
				want = append(want, linphone.Text{From: "+8617010000001", Body: text})
				status, err := p.Text(ctx, number, text)
				require.NoError(t, err)
				require.Equal(t, 200, status)
			}
			require.Eventually(t, func() bool { return len(l.Texts()) == len(want) }, 10*time.Second, 20*time.Millisecond, "%v\n%s", l.Texts(), l.Log())
			require.Equal(t, want, l.Texts())
		})
	}
}

func TestNotRegistered(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := open(t)
	at, err := ports.Take(1)
	require.NoError(t, err)
	_, err = linphone.Start(ctx, linphone.Config{Dir: t.TempDir(), Number: number, Password: "wrong", Server: s.addr, IP: "127.0.0.1", SIPPort: at})
	require.ErrorContains(t, err, "not registered")
}
