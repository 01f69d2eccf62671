package node

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/config"
	"axgate/health"
	"axgate/store"
	"axgate/store/redistest"
)

// TestRedisOverTLS: a node keeps its cache in a real redis-server that wants a
// certificate; it speaks with none that shows the certificate of another authority or
// host, and goes on when certificate and authority are renewed.
func TestRedisOverTLS(t *testing.T) {
	ca, next := certtest.New(t), certtest.New(t)
	server, own := ca.Issue("127.0.0.1"), ca.Issue("n1")
	port := redistest.FreePort(t)
	secure := net.JoinHostPort("127.0.0.1", port)
	r := redistest.Start(t, "--tls-port", port, "--tls-cert-file", server.Cert, "--tls-key-file", server.Key, "--tls-ca-cert-file", ca.File, "--tls-auth-clients", "yes")

	const x = "+8617010000001"
	c := config.Default()
	c.Data, c.Health.DiskFree = t.TempDir(), 0
	c.SIP.UDP, c.SIP.TCP, c.HTTP.Listen = "127.0.0.1:0", config.Off, config.Off
	c.Redis.Address, c.Redis.TLS, c.Redis.TLSCA, c.Redis.TLSCert, c.Redis.TLSKey = secure, true, ca.File, own.Cert, own.Key
	c.Apps = []config.App{{Key: "axb", Secret: "s", Account: "demo", Mode: "AXB", Signing: "wsse", ExtDigits: 4}}
	c.Accounts = []config.Account{{Name: "demo", MaxApps: 1}}
	c.Numbers = []config.Number{{X: x, App: "axb"}}
	c.Bindings = []config.Binding{{App: "axb", X: x, A: "+8613800000001", B: "+8613900000002"}}

	for name, spoil := range map[string]func(*config.Redis){
		"another authority": func(r *config.Redis) { r.TLSCA = next.File },
		"another host":      func(r *config.Redis) { r.TLSName = "redis.example" },
		"no certificate":    func(r *config.Redis) { r.TLSCert, r.TLSKey = "", "" },
		"no TLS":            func(r *config.Redis) { r.TLS = false },
	} {
		bad := c
		spoil(&bad.Redis)
		s, err := storeConfig(&bad, zerolog.Nop())
		require.NoError(t, err, name)
		cache, err := store.Open(s)
		require.NoError(t, err, name)
		require.Error(t, cache.Ping(t.Context()), name)
		require.NoError(t, cache.Close())
	}

	n, err := Open(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(context.Background())) }()
	require.NoError(t, n.Serve())
	loaded := func() bool { return r.Ask("exists", "axgate:{"+x+"}") == int64(1) }
	require.Eventually(t, loaded, 15*time.Second, 20*time.Millisecond, "X is loaded")

	text, err := os.ReadFile(next.File)
	require.NoError(t, err)
	renewed := next.Issue("127.0.0.1")
	require.NoError(t, os.WriteFile(ca.File+".new", text, 0o600))
	r.Ask("config", "set", "tls-cert-file", renewed.Cert, "tls-key-file", renewed.Key)
	require.NoError(t, os.Rename(ca.File+".new", ca.File))
	r.Ask("flushall")
	r.Ask("client", "kill", "type", "normal", "skipme", "yes")
	require.Eventually(t, func() bool { return n.cache.Ping(t.Context()) == nil }, 15*time.Second, 50*time.Millisecond, "its new certificate is of the new authority")
	require.Eventually(t, func() bool { level, _ := n.redisHealth(); return level == health.OK }, 15*time.Second, 50*time.Millisecond)
}
