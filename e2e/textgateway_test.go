//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/e2e/leak"
)

// The gateway that is not SIP (docs/sms-gateway.md): what its numbers begin
// with, and both tokens.
const (
	gatewayNumbers = "+86136"
	gatewayToken   = "token-of-the-gateway"
	gatewaySecret  = "secret-of-axgate"
)

// smsGateway is the server of the gateway, on an address of its own.
type smsGateway struct {
	at netip.AddrPort

	mu      sync.Mutex
	answers map[string][]int // by receiver: the statuses of the next posts; none left: 200
	posts   []gatewayPost
}

// gatewayPost is one post of axgate.
type gatewayPost struct {
	Path   string
	Header http.Header
	Body   map[string]any
}

// openGateway opens the server, and names it in the configuration.
func openGateway(t *testing.T) (*smsGateway, func(*gate.Config)) {
	t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(takeHost(), 0).String())
	require.NoError(t, err)
	g := &smsGateway{at: netip.MustParseAddrPort(l.Addr().String()), answers: make(map[string][]int)}
	server := &http.Server{Handler: http.HandlerFunc(g.serve), ReadHeaderTimeout: step}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() { require.NoError(t, server.Close()); <-done })
	return g, func(c *gate.Config) {
		c.SMS["gateways"] = []map[string]any{{"name": "web", "token": gatewayToken, "url": "http://" + g.at.String() + "/out", "secret": gatewaySecret, "numbers": []string{gatewayNumbers}}}
	}
}

func (g *smsGateway) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	p := gatewayPost{Path: r.Method + " " + r.URL.Path, Header: r.Header.Clone()}
	_ = json.Unmarshal(body, &p.Body) // what is none has no fields
	g.mu.Lock()
	defer g.mu.Unlock()
	g.posts = append(g.posts, p)
	to, _ := p.Body["to"].(string)
	status := http.StatusOK
	if list := g.answers[to]; len(list) > 0 {
		status, g.answers[to] = list[0], list[1:]
	}
	w.WriteHeader(status)
}

// to are the posts so far for a number.
func (g *smsGateway) to(number string) (all []gatewayPost) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.posts {
		if p.Body["to"] == number {
			all = append(all, p)
		}
	}
	return all
}

func (g *smsGateway) will(number string, statuses ...int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers[number] = statuses
}

// takeGatewayNumber gives a mobile number that the gateway serves.
func (s *scene) takeGatewayNumber() string {
	return gatewayNumbers + strings.TrimPrefix(s.takeWriter(), "+86137")
}

// gatewayPair are two bound numbers of the gateway, and the gateway where the
// first one writes.
type gatewayPair struct {
	*scene
	*raised
	client *http.Client
}

// pair has what is sent to the gateway searched: where the first one writes it
// may have his number alone, and where texts go that of the second one.
func (g *smsGateway) pair(s *scene) gatewayPair {
	r := &raised{app: textAXB, x: s.takeX(s.T, textAXB), a: s.takeGatewayNumber(), b: s.takeGatewayNumber()}
	bindAXB()(s, r)
	host := takeHost()
	s.watch(host, r.a)
	s.addParty(&party{scene: s.Name(), own: []string{r.b}, Party: leak.Party{Name: s.Name() + ": the gateway", Addrs: []netip.AddrPort{g.at}}})
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: host.AsSlice()}}).DialContext}
	s.Cleanup(transport.CloseIdleConnections)
	return gatewayPair{s, r, &http.Client{Transport: transport, Timeout: 2 * step}}
}

// post posts a text as the gateway does, and gives the status and the answer.
func (p gatewayPair) post(token string, text map[string]any) (int, map[string]any) {
	p.Helper()
	body, err := json.Marshal(text)
	require.NoError(p, err)
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.gate.API()+"/sms/v1/gateways/web/messages", bytes.NewReader(body))
	require.NoError(p, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := p.client.Do(req)
	require.NoError(p, err)
	defer res.Body.Close()
	answer := make(map[string]any)
	require.NoError(p, json.NewDecoder(res.Body).Decode(&answer))
	return res.StatusCode, answer
}

// writes posts a text that is taken.
func (p gatewayPair) writes(text string) {
	p.Helper()
	status, answer := p.post(gatewayToken, map[string]any{"id": text + p.a, "from": p.a, "to": p.x, "text": text})
	require.Equal(p, 202, status, answer)
}

func (g *smsGateway) scenarios() []scenario {
	return []scenario{
		{"text gateway: in and out", g.inAndOut}, {"text gateway: refused", g.refused}, {"text gateway: another carrier", g.another}, {"text gateway: tried again", g.triedAgain},
		{"text gateway: not taken", g.notTaken},
	}
}

func (g *smsGateway) inAndOut(s *scene) {
	r := g.pair(s)
	text := map[string]any{"id": "m-" + r.a, "from": strings.TrimPrefix(r.a, "+86"), "to": strings.TrimPrefix(r.x, "+86"), "text": "你好 \"Björn\" 😀\nzweite Zeile"}
	status, first := r.post(gatewayToken, text)
	require.Equal(s, []any{202, "taken"}, []any{status, first["outcome"]})
	status, second := r.post(gatewayToken, text)
	require.Equal(s, []any{202, "repeated", first["id"]}, []any{status, second["outcome"], second["id"]})
	told := s.told(r.x, 1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.Equal(s, first["id"], told.ID())

	posts := g.to(r.b)
	require.Len(s, posts, 1)
	p := posts[0]
	id := told.ID() + "-1"
	require.Equal(s, []string{"POST /out", "Bearer " + gatewaySecret, id}, []string{p.Path, p.Header.Get("Authorization"), p.Header.Get("Idempotency-Key")})
	require.Equal(s, map[string]any{"id": id, "from": r.x, "to": r.b, "text": text["text"], "piece": 1.0, "pieces": 1.0, "time": told.Info["timeStamp"]}, p.Body)
}

func (g *smsGateway) refused(s *scene) {
	r := g.pair(s)
	who := s.takeGatewayNumber()
	text := map[string]any{"id": "m-" + who, "from": who, "to": r.x, "text": "hello"}
	status, _ := r.post("another-token-that-is-wrong", text)
	require.Equal(s, 401, status)
	for range 2 { // told the same again
		status, answer := r.post(gatewayToken, text)
		require.Equal(s, []any{403, 2.0}, []any{status, answer["result"]})
	}
	s.told(r.x, 1, notice{app: textAXB, result: 2, direction: 2, sender: who})
	text["id"], text["to"] = "n-"+who, "+8617099999999"
	status, _ = r.post(gatewayToken, text)
	require.Equal(s, 404, status)
	delete(text, "text")
	status, answer := r.post(gatewayToken, text)
	require.Equal(s, 400, status)
	require.Equal(s, []any{map[string]any{"field": "text", "message": "it is missing"}}, answer["errors"])
	require.Empty(s, g.to(r.b))
	require.Len(s, s.customer.NoticesOf(r.x), 1)
}

// another: a gateway that is down has not sent the text: the trunk does.
func (g *smsGateway) another(s *scene) {
	r := g.pair(s)
	s.getsTexts(r.b)
	g.will(r.b, http.StatusServiceUnavailable)
	r.writes("hello")
	require.Equal(s, "hello", s.delivered(r.b, r.x, 1))
	s.told(r.x, 1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.Len(s, g.to(r.b), 1)
}

// triedAgain: the gateway may have sent the text: it is asked again, and can
// tell.
func (g *smsGateway) triedAgain(s *scene) {
	r := g.pair(s)
	g.will(r.b, http.StatusGatewayTimeout)
	r.writes("hello")
	s.told(r.x, 1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	posts := g.to(r.b)
	require.Len(s, posts, 2)
	require.Equal(s, posts[0].Body, posts[1].Body)
	require.Equal(s, posts[0].Header.Get("Idempotency-Key"), posts[1].Header.Get("Idempotency-Key"))
	require.Empty(s, s.deliveredTo(r.b))
}

// notTaken: the gateway says that it cannot be sent.
func (g *smsGateway) notTaken(s *scene) {
	r := g.pair(s)
	g.will(r.b, http.StatusUnprocessableEntity)
	r.writes("hello")
	s.told(r.x, 1, notice{app: textAXB, result: 10, direction: 1, binding: r.binding, sender: r.a})
	require.Len(s, g.to(r.b), 1)
	require.Empty(s, s.deliveredTo(r.b))
}
