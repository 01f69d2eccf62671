package node

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/api"
	"axgate/api/answer"
	"axgate/config"
	"axgate/e2e/redis"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
	"axgate/store"
)

// gates are two servers of the API on one ledger and one Redis, as two nodes
// have them.
type gates struct {
	*testing.T
	base [2]string
}

func openGates(t *testing.T, change func(*config.HTTP), apps ...ledger.App) *gates {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no redis-server")
	}
	ctx := context.Background()
	server, err := redis.Start(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	l, err := ledger.Open(ctx, ledgertest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	require.NoError(t, l.EnsureAccount(ctx, ledger.Account{SP: "sp", MaxApps: 10}, time.Now()))
	for _, a := range apps {
		a.SP, a.Mode, a.Secret, a.Created = "sp", routing.AXB, "s", time.Now()
		_, err := l.CreateApp(ctx, a)
		require.NoError(t, err)
	}
	g := &gates{T: t}
	for i := range g.base {
		n := &Node{cfg: config.Default(), ledger: l, log: zerolog.Nop()}
		change(&n.cfg.HTTP)
		n.cache, err = store.Open(store.Config{Address: server.Addr, Node: fmt.Sprint("n", i), Timeout: 10 * time.Second, Log: zerolog.Nop()})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, n.cache.Close()) })
		require.NoError(t, n.cache.Ping(ctx))
		v := n.verifier()
		s, err := api.Open(api.Config{Listen: "127.0.0.1:0"}, zerolog.Nop(), api.Mount{Path: "/", Short: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, refusal := v.App(r); refusal != nil {
				refusal.Write(w)
				return
			}
			answer.JSON(w, http.StatusOK, answer.Success)
		})})
		require.NoError(t, err)
		s.Serve()
		t.Cleanup(func() { require.NoError(t, s.Close(ctx)) })
		g.base[i] = s.Base()
	}
	return g
}

// ask sends a request of an app to one of the servers and gives the status and
// what was answered.
func (g *gates) ask(to int, app, secret, nonce string) string {
	g.Helper()
	created := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	sum := sha256.Sum256([]byte(nonce + created + secret))
	req, err := http.NewRequest(http.MethodGet, g.base[to], nil)
	require.NoError(g, err)
	req.Header.Set("Authorization", `WSSE realm="SDP",profile="UsernameToken",type="Appkey"`)
	req.Header.Set("X-WSSE", fmt.Sprintf(`UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s",Created="%s"`, app, base64.StdEncoding.EncodeToString(sum[:]), nonce, created))
	res, err := http.DefaultClient.Do(req)
	require.NoError(g, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(g, err)
	return fmt.Sprintf("%d %s", res.StatusCode, body)
}

const (
	taken       = `200 {"resultcode":"0","resultdesc":"Success"}`
	wrongDigest = `401 {"resultcode":"1010010","resultdesc":"Invalid digest."}`
	lockedOut   = `403 {"resultcode":"1020176","resultdesc":"Authentication failed, try again later"}`
	overRate    = `403 {"resultcode":"1010010","resultdesc":"The flow control upper limit is reached on the platform."}`
	notListed   = `403 {"resultcode":"1020166","resultdesc":"The app client ip is not in ip white list."}`
	usedUp      = `401 {"resultcode":"1010013","resultdesc":"Time out limit."}`
)

// TestLockoutOverNodes: failures on two nodes count together, and the address
// is refused on both; after its time it is let in again.
func TestLockoutOverNodes(t *testing.T) {
	g := openGates(t, func(h *config.HTTP) { h.LockoutAfter, h.LockoutFor = 6, 10*time.Second }, ledger.App{App: routing.App{Key: "app"}})
	for to := range g.base {
		require.Equal(t, taken, g.ask(to, "app", "s", "n"))
	}
	for i := range 6 {
		require.Equal(t, wrongDigest, g.ask(i%2, "app", "guess", "n"))
	}
	for to := range g.base {
		require.Eventually(t, func() bool { return g.ask(to, "app", "s", "n") == lockedOut }, 8*time.Second, 50*time.Millisecond, "node %d", to)
	}
	for to := range g.base {
		require.Eventually(t, func() bool { return g.ask(to, "app", "s", "n") == taken }, 20*time.Second, 100*time.Millisecond, "node %d", to)
	}
}

// TestAccessOverNodes: the rate of an app is that of all nodes together, a
// nonce counts once on all of them, and an app may say where it calls from.
func TestAccessOverNodes(t *testing.T) {
	app := func(key string, a ledger.Access) ledger.App { return ledger.App{App: routing.App{Key: key}, Access: a} }
	g := openGates(t, func(h *config.HTTP) { h.Rate = 4 }, app("usual", ledger.Access{}), app("free", ledger.Access{Rate: -1}),
		app("once", ledger.Access{OnceNonce: true}), app("here", ledger.Access{Networks: []string{"192.0.2.7", "127.0.0.0/8"}}),
		app("elsewhere", ledger.Access{Networks: []string{"192.0.2.0/24"}}))
	for i := range 8 {
		want := taken
		if i >= 4 {
			want = overRate
		}
		require.Equal(t, want, g.ask(i%2, "usual", "s", "n"), "request %d", i)
		require.Equal(t, taken, g.ask(i%2, "free", "s", "n"))
	}
	require.Equal(t, taken, g.ask(0, "once", "s", "n"))
	require.Equal(t, usedUp, g.ask(1, "once", "s", "n"))
	require.Equal(t, taken, g.ask(1, "once", "s", "m"))
	require.Equal(t, taken, g.ask(0, "here", "s", "n"))
	require.Equal(t, notListed, g.ask(0, "elsewhere", "s", "n"))
}
