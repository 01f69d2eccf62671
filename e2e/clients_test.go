//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/clients"
	"axgate/e2e/gate"
)

// The addresses of the API that the clients use.
const (
	pathAXB       = "/rest/caas/relationnumber/partners/v1.0"
	pathAX        = "/rest/provision/caas/privatenumber/v1.0"
	pathTemporary = "/rest/caas/privatenumber/calleenumber/v1.0"
	pathAXE       = "/rest/caas/extendnumber/v1.0"
	pathStop      = "/rest/httpsessions/callStop/v2.0"
)

// TestClients: clients in the languages of our users bind, modify, query and
// unbind over TLS, and calls go by it at once.
func TestClients(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	w := openWorld(t, map[string]int{appAXB: 5, appAX: 5, appAXE: 5}, func(c *gate.Config) { c.Cert, c.Key = certificate(t) })
	t.Run("clients", func(t *testing.T) {
		for i, language := range clients.Languages {
			t.Run(language, func(t *testing.T) {
				t.Parallel()
				s := &customerScene{scene: &scene{T: t, world: w, name: t.Name(), ctx: ctx}, language: language, scheme: []string{"WSSE", "AKSK"}[i%2]}
				t.Run("AXB", func(t *testing.T) { s.as(t, appAXB).pairs() })
				t.Run("AX", func(t *testing.T) { s.as(t, appAX).private() })
				t.Run("AXE", func(t *testing.T) { s.as(t, appAXE).extensions() })
			})
		}
	})
	w.close(t)
}

// customerScene is a scenario that is played by a customer's client.
type customerScene struct {
	*scene
	language, scheme string
	client           clients.Client
}

// as is the scenario with a client of an app.
func (s *customerScene) as(t *testing.T, app string) *customerScene {
	client, err := clients.Start(s.ctx, s.language, t.TempDir(),
		clients.Account{Base: s.gate.API(), Key: app, Secret: "secret-of-" + app, Scheme: s.scheme})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return &customerScene{scene: &scene{T: t, world: s.world, name: t.Name(), ctx: s.ctx}, language: s.language, scheme: s.scheme, client: client}
}

type fields map[string]any

// ask sends a request that has to be answered with a status and a code.
func (s *customerScene) ask(method, target string, body fields, status int, code string) fields {
	s.Helper()
	text := ""
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(s, err)
		text = string(b)
	}
	got, answer, err := s.client.Send(method, target, text)
	require.NoError(s, err)
	var out fields
	require.NoError(s, json.Unmarshal([]byte(answer), &out), answer)
	require.Equal(s, status, got, answer)
	require.Equal(s, code, out["resultcode"], answer)
	return out
}

func (s *customerScene) does(method, target string, body fields) fields {
	s.Helper()
	return s.ask(method, target, body, http.StatusOK, "0")
}

func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "?" + q.Encode()
}

// pairs: AXB, and a call that the customer ends.
func (s *customerScene) pairs() {
	a, b, c := s.stranger(), s.stranger(), s.stranger()
	x := s.takeX(s.T, appAXB)
	bound := s.does("POST", pathAXB, fields{"relationNum": x, "callerNum": a.Number(), "calleeNum": b.Number(), "duration": 3600, "recordFlag": "false", "userData": "order42"})
	require.Equal(s, x, bound["relationNum"])
	id := bound["subscriptionId"].(string)
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	session := s.answeredSession(x)
	s.does("POST", pathStop, fields{"sessionid": session, "signal": "call_stop"})
	s.clearedWith(out, 16)
	s.clearedWith(in, 16)
	told := s.story(x, 1, billed{state: 8017, fail: 8017, direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	require.Equal(s, "order42", told.Fee["userData"])

	s.does("PUT", pathAXB, fields{"subscriptionId": id, "calleeNum": c.Number()})
	list := s.does("GET", pathAXB+query("relationNum", x), nil)["relationNumList"].([]any)
	require.Equal(s, c.Number(), list[0].(map[string]any)["calleeNum"])
	out, in = s.connect(a, c, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.does("DELETE", pathAXB+query("subscriptionId", id), nil)
	s.refusedWith(s.dial(a, x), 403, 21)
	s.ask("GET", pathAXB+query("subscriptionId", id), nil, http.StatusForbidden, "1012007")
}

// answeredSession waits for the answer event of the first call to x.
func (s *customerScene) answeredSession(x string) string {
	s.Helper()
	session := ""
	require.Eventually(s, func() bool {
		calls := s.customer.Of(x)
		if len(calls) == 0 || calls[0].Event("answer") == nil {
			return false
		}
		session = calls[0].Session
		return true
	}, step, 5*time.Millisecond)
	return session
}

// private: AX with a temporary callee.
func (s *customerScene) private() {
	a, b := s.stranger(), s.stranger()
	x := s.takeX(s.T, appAX)
	id := s.does("POST", pathAX, fields{"origNum": a.Number(), "privateNum": x, "calleeNumDisplay": "0"})["subscriptionId"].(string)
	s.refusedWith(s.dial(a, x), 403, 21)
	s.does("PUT", pathTemporary, fields{"subscriptionId": id, "calleeNum": b.Number()})
	out, in := s.connect(a, b, x)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	list := s.does("GET", pathAX+query("origNum", a.Number()), nil)["privateNumList"].([]any)
	require.Len(s, list, 1)
	s.does("DELETE", pathAX+query("origNum", a.Number(), "privateNum", x), nil)
	s.refusedWith(s.dial(b, x), 403, 21)
}

// extensions: AXE, whose A calls back.
func (s *customerScene) extensions() {
	a, b := s.stranger(), s.stranger()
	x := s.takeX(s.T, appAXE)
	bound := s.does("POST", pathAXE, fields{"virtualNum": x, "bindNum": a.Number(), "callbackNum": b.Number(), "timeUnit": "1", "bindExpiredTime": 120})
	require.Equal(s, "0001", bound["extendNum"])
	out, in := s.connect(a, b, x)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	s.does("DELETE", pathAXE+query("virtualNum", x, "extendNum", "0001"), nil)
	s.refusedWith(s.dial(a, x), 403, 21)
}

// certificate makes a certificate that signs itself, as a test installation
// has.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	names := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "axgate"}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"axgate.example"}}
	signed, err := x509.CreateCertificate(rand.Reader, &names, &names, &secret.PublicKey, secret)
	require.NoError(t, err)
	secretText, err := x509.MarshalPKCS8PrivateKey(secret)
	require.NoError(t, err)
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
		return path
	}
	return write("cert.pem", "CERTIFICATE", signed), write("key.pem", "PRIVATE KEY", secretText)
}
