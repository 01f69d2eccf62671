package node

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestADrainingNodeRests: a node that drains pushes no events and sends no texts while
// another one is up, which does; alone, it does.
func TestADrainingNodeRests(t *testing.T) {
	const token = "0123456789abcdef"
	out, told := newPosts(t), newPosts(t)
	c := config.Default()
	c.Data = t.TempDir()
	c.Ledger.Path = filepath.Join(c.Data, "axgate.db")
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	c.SMS.Gateways = []config.SMSGateway{{Name: "gate", Token: token, URL: out.URL, Secret: "s3cret", Timeout: 15 * time.Second}}
	c.Accounts = []config.Account{{Name: "demo", MaxApps: 1, SMS: true}}
	c.Apps = []config.App{{Key: "axb", Secret: "s", Account: "demo", Mode: "AXB", SMS: true, StatusURL: told.URL, FeeURL: told.URL, Signing: "wsse", ExtDigits: 4}}
	c.Numbers = []config.Number{{X: "+8617010000001", App: "axb", SMS: "true"}}
	c.Bindings = []config.Binding{{App: "axb", X: "+8617010000001", A: "+8613800000001", B: "+8613900000002"}}
	n, err := Open(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	defer func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		require.NoError(t, n.Close(over))
	}()
	require.NoError(t, n.Serve())
	until := func(what string, cond func() bool) {
		t.Helper()
		require.Eventually(t, cond, 15*time.Second, 10*time.Millisecond, what)
	}
	other, ends := beating(t, n.ledger, "other", time.Now())
	_, err = n.ledger.DrainNode(t.Context(), c.Node, true)
	require.NoError(t, err)
	until("another does its work", n.rests)

	call := events.Call{Session: "s", Node: other.Node, Incarnation: other.Incarnation, App: "axb", SP: "demo", Mode: "AXB", X: "+8617010000001", In: time.Now().UTC()}
	ledgertest.Record(t, n.ledger, call, events.NewCallEvent(call, 1, events.CallIn, call.In, ""))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.web.Base()+"/sms/v1/gateways/gate/messages",
		strings.NewReader(`{"id":"m-1","from":"13800000001","to":"17010000001","text":"hello"}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusAccepted, res.StatusCode)

	// Both look for what is due at least every half second, and are woken besides.
	time.Sleep(1500 * time.Millisecond)
	pushed, _ := told.got()
	require.Empty(t, pushed, "the other pushes")
	sent, _ := out.got()
	require.Empty(t, sent, "the other sends")

	ends()
	require.NoError(t, n.ledger.LeaveNode(t.Context(), other))
	until("nobody else does it", func() bool {
		pushed, _ := told.got()
		sent, _ := out.got()
		return len(pushed) > 0 && len(sent) > 0
	})
	require.True(t, n.roster.Draining())
}

// TestEndingIsNobodysHeir: the first that a node does when it ends is to leave deaths to
// others.
func TestEndingIsNobodysHeir(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	n, err := Open(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	defer func() { require.NoError(t, n.Close(over)) }()
	require.NoError(t, n.Serve())
	_, dies := beating(t, n.ledger, "other", time.Now())
	require.Eventually(t, n.roster.OthersUp, 15*time.Second, 10*time.Millisecond)
	last := len(n.close.list) - 1
	require.NoError(t, n.close.list[last].close(over))
	n.close.list = n.close.list[:last]
	dies()
	time.Sleep(4 * time.Second) // others would be found silent after 2.8 s
	other, _, err := n.ledger.Node(t.Context(), "other")
	require.NoError(t, err)
	require.Equal(t, ledger.NodeUp, other.State)
	require.Eventually(t, n.roster.Holds, 15*time.Second, 10*time.Millisecond, "it goes on to its end")
}
