package phone

import (
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
	"github.com/stretchr/testify/require"
)

// registrar is a registrar that knows one phone and one password.
type registrar struct {
	addr string

	mu      sync.Mutex
	expires []string // of the accepted registrations
}

func openRegistrar(t *testing.T, status int) *registrar {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(silent)), sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(silent)))
	require.NoError(t, err)
	srv, err := sipgo.NewServer(ua)
	require.NoError(t, err)
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &registrar{addr: c.LocalAddr().String()}
	ask := digest.Challenge{Realm: "lab", Nonce: "n1", Algorithm: "SHA-256", QOP: []string{"auth"}}
	srv.OnRegister(func(req *sip.Request, tx sip.ServerTransaction) {
		h := req.GetHeader("Authorization")
		if status == 407 {
			h = req.GetHeader("Proxy-Authorization")
		}
		if h != nil {
			cred, err := digest.ParseCredentials(h.Value())
			want, err2 := digest.Digest(&ask, digest.Options{Method: "REGISTER", URI: cred.URI, Count: cred.Nc, Cnonce: cred.Cnonce, Username: "100", Password: "secret"})
			if err == nil && err2 == nil && want.Response == cred.Response {
				r.mu.Lock()
				r.expires = append(r.expires, req.GetHeader("Expires").Value())
				r.mu.Unlock()
				_ = tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
				return
			}
		}
		res := sip.NewResponseFromRequest(req, status, "Unauthorized", nil)
		name := map[int]string{401: "WWW-Authenticate", 407: "Proxy-Authenticate"}[status]
		if name != "" {
			res.AppendHeader(sip.NewHeader(name, ask.String()))
		}
		_ = tx.Respond(res)
	})
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.ServeUDP(c) }()
	t.Cleanup(func() { _ = c.Close(); _ = ua.Close(); <-done })
	return r
}

func TestRegister(t *testing.T) {
	for _, status := range []int{401, 407} {
		r := openRegistrar(t, status)
		p := open(t, Config{Number: "100", Password: "secret", Server: r.addr, Expires: 2 * time.Second})
		require.NoError(t, p.Register(within(t, 5*time.Second)))
		require.Eventually(t, func() bool { // it keeps itself known
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.expires) >= 2
		}, 5*time.Second, 20*time.Millisecond)
		require.NoError(t, p.Close())
		r.mu.Lock()
		require.Equal(t, "0", r.expires[len(r.expires)-1], "unregistered at the end")
		r.mu.Unlock()
	}
}

func TestRegisterRefused(t *testing.T) {
	r := openRegistrar(t, 401)
	p := open(t, Config{Number: "100", Password: "wrong", Server: r.addr})
	require.ErrorContains(t, p.Register(within(t, 5*time.Second)), "401")
	p = open(t, Config{Number: "100", Server: r.addr})
	require.ErrorContains(t, p.Register(within(t, 5*time.Second)), "no password")
	r = openRegistrar(t, 403)
	p = open(t, Config{Number: "100", Password: "secret", Server: r.addr})
	require.ErrorContains(t, p.Register(within(t, 5*time.Second)), "403")
}
