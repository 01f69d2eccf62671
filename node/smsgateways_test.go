package node

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/ledger"
)

// posts is a server that notes what it is posted.
type posts struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	auth   []string
}

func newPosts(t *testing.T) *posts {
	p := &posts{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.bodies, p.auth = append(p.bodies, string(body)), append(p.auth, r.Header.Get("Authorization"))
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *posts) got() ([]string, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.bodies...), append([]string{}, p.auth...)
}

// TestSMSGateways: a text comes by one gateway, is on the disk, goes out by the
// gateway of its receiver's number, showing X, and the app's server is told;
// neither party's number is where it must not be.
func TestSMSGateways(t *testing.T) {
	const a, b, x, token = "+8613800000001", "+8613900000002", "+8617010000001", "0123456789abcdef"
	ctx := context.Background()
	out, other, told := newPosts(t), newPosts(t), newPosts(t)
	log := &strings.Builder{}
	c := config.Default()
	c.Data = t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	c.SMS.Gateways = []config.SMSGateway{
		{Name: "in", Token: token},
		{Name: "all", URL: other.URL, Timeout: 15 * time.Second},
		{Name: "some", URL: out.URL, Secret: "s3cret", Numbers: []string{"+86139"}, Timeout: 15 * time.Second},
	}
	c.Accounts = []config.Account{{Name: "demo", MaxApps: 1, SMS: true}}
	c.Apps = []config.App{{Key: "axb", Secret: "s", Account: "demo", Mode: "AXB", SMS: true, SMSURL: told.URL, Signing: "wsse", ExtDigits: 4}}
	c.Numbers = []config.Number{{X: x, App: "axb", SMS: "true"}}
	c.Bindings = []config.Binding{{App: "axb", X: x, A: a, B: b}}
	n, err := Open(ctx, c, zerolog.New(zerolog.SyncWriter(log)))
	require.NoError(t, err)
	require.NoError(t, n.Serve())
	closed := sync.OnceValue(func() error { return n.Close(ctx) })
	defer func() { require.NoError(t, closed()) }()

	send := func(name, token, id, from string) (int, map[string]any) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.web.Base()+"/sms/v1/gateways/"+name+"/messages",
			strings.NewReader(`{"id":"`+id+`","from":"`+from+`","to":"17010000001","text":"hello"}`))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		defer res.Body.Close()
		var fields map[string]any
		require.NoError(t, json.NewDecoder(res.Body).Decode(&fields))
		return res.StatusCode, fields
	}
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	status, first := send("in", token, "m-1", "13800000001")
	require.Equal(t, []any{http.StatusAccepted, "taken"}, []any{status, first["outcome"]}, first)
	status, again := send("in", token, "m-1", "13800000001")
	require.Equal(t, []any{http.StatusAccepted, "repeated", first["id"]}, []any{status, again["outcome"], again["id"]})
	status, no := send("in", token, "m-2", "13700000003")
	require.Equal(t, []any{http.StatusForbidden, 2.0}, []any{status, no["result"]}, no)
	status, _ = send("all", "", "m-3", "13800000001")
	require.Equal(t, http.StatusUnauthorized, status, "it brings no texts")

	require.Eventually(t, func() bool {
		sent, _ := out.got()
		notices, _ := told.got()
		return len(sent) == 1 && len(notices) == 2
	}, 15*time.Second, 20*time.Millisecond)
	sent, auth := out.got()
	var piece map[string]any
	require.NoError(t, json.Unmarshal([]byte(sent[0]), &piece))
	require.NotEmpty(t, piece["time"])
	delete(piece, "time")
	require.Equal(t, map[string]any{"id": first["id"].(string) + "-1", "from": x, "to": b, "text": "hello", "piece": 1.0, "pieces": 1.0}, piece)
	require.Equal(t, []string{"Bearer s3cret"}, auth)
	nobody, _ := other.got()
	require.Empty(t, nobody, "a gateway of some numbers comes before one of all")

	var results []float64
	notices, _ := told.got()
	for _, text := range notices {
		var notice struct{ SMSEvent map[string]any }
		require.NoError(t, json.Unmarshal([]byte(text), &notice))
		results = append(results, notice.SMSEvent["sendResult"].(float64))
	}
	require.ElementsMatch(t, []float64{0, 2}, results)
	page, err := n.ledger.Events(ctx, ledger.EventFilter{Session: first["id"].(string)})
	require.NoError(t, err)
	require.Len(t, page.Events, 1)
	require.NoError(t, closed())
	for _, number := range []string{"13800000001", "13900000002", "13700000003"} {
		require.NotContains(t, log.String(), number)
	}
	require.NotContains(t, log.String(), token)
}
