package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The test vectors of api section 2.3.
const (
	vectorKey    = "demoAppKey0001"
	vectorSecret = "demoAppSecret0001"
	vectorNonce  = "0123456789ABCDEF0123456789ABCDEF"
	vectorTime   = "2026-01-02T03:04:05Z"
	vectorWSSE   = "ax5o1VTGyRAX56cCWu+Jn+DU2CcIMgupHCu9OKsYVjc="
	vectorAKSK   = "HOVqNCIYk5NuNGO6pK0PboYWZhkrOuhIRY7O5w6nObY="
)

// table are the apps of a test.
type table map[string]Credentials

func (t table) Credentials(_ context.Context, key string) (Credentials, bool, error) {
	if key == "ill" {
		return Credentials{}, false, errors.New("the ledger is away")
	}
	c, ok := t[key]
	c.Key = key
	return c, ok, nil
}

var apps = table{
	vectorKey: {Secret: vectorSecret, App: App{Account: "sp", Mode: "AXB"}},
	"paused":  {Secret: "s", Paused: true},
	"frozen":  {Secret: "s", App: App{Frozen: true}},
}

// clock is the time of the vectors.
func clock() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func verifier(change ...func(*Config)) *Verifier {
	c := Config{Apps: apps, Now: clock, Log: zerolog.Nop()}
	for _, f := range change {
		f(&c)
	}
	return New(c)
}

func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/rest/x", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

const (
	rightWSSE = `WSSE realm="SDP",profile="UsernameToken",type="Appkey"`
	rightAKSK = `AKSK realm="SDP",profile="UsernameToken",type="Appkey"`
)

func tokenText(name, digest, nonce, created string) string {
	return fmt.Sprintf(`UsernameToken Username="%s", PasswordDigest="%s", Nonce="%s", Created="%s"`, name, digest, nonce, created)
}

// signed is a request of an app, made at a time.
func signed(scheme, key, secret, nonce, created string) *http.Request {
	return request("Authorization", scheme+` realm="SDP",profile="UsernameToken",type="Appkey"`,
		"X-"+scheme, tokenText(key, digest(scheme, secret, nonce+created), nonce, created))
}

// TestVectors: both schemes, as api section 2.3 computes them.
func TestVectors(t *testing.T) {
	for scheme, want := range map[string]string{wsse: vectorWSSE, aksk: vectorAKSK} {
		require.Equal(t, want, digest(scheme, vectorSecret, vectorNonce+vectorTime))
		app, refusal := verifier().App(request("Authorization", scheme+` realm="SDP",profile="UsernameToken",type="Appkey"`,
			"X-"+scheme, tokenText(vectorKey, want, vectorNonce, vectorTime)))
		require.Nil(t, refusal)
		require.Equal(t, App{Key: vectorKey, Account: "sp", Mode: "AXB"}, app)
	}
}

// TestSpellings: what clients in the field send.
func TestSpellings(t *testing.T) {
	attributes := []string{`Username="` + vectorKey + `"`, `PasswordDigest="` + vectorAKSK + `"`, `Nonce="` + vectorNonce + `"`, `Created="` + vectorTime + `"`}
	for name, headers := range map[string][]string{
		"no blanks":            {"Authorization", rightAKSK, "X-AKSK", "UsernameToken " + strings.Join(attributes, ",")},
		"blanks":               {"Authorization", `AKSK realm = "SDP" , profile = "UsernameToken" , type = "Appkey"`, "X-AKSK", "UsernameToken " + strings.Join(attributes, " , ")},
		"another order":        {"Authorization", `AKSK type="Appkey", realm="SDP", profile="UsernameToken"`, "X-AKSK", "UsernameToken " + attributes[3] + ", " + attributes[1] + "," + attributes[0] + "," + attributes[2]},
		"blanks alone":         {"Authorization", `AKSK realm="SDP" profile="UsernameToken" type="Appkey"`, "X-AKSK", "UsernameToken " + strings.Join(attributes, " ")},
		"commas at the ends":   {"Authorization", rightAKSK + ",", "X-AKSK", "UsernameToken ," + strings.Join(attributes, ",,") + ", "},
		"names in lower case":  {"authorization", rightAKSK, "x-aksk", strings.ToLower("UsernameToken ") + strings.ReplaceAll(strings.Join(attributes, ","), "Username", "username")},
		"UserName":             {"Authorization", rightAKSK, "X-AKSK", "UsernameToken " + strings.ReplaceAll(strings.Join(attributes, ","), "Username", "UserName")},
		"scheme in lower case": {"Authorization", "aksk" + rightAKSK[4:], "X-AKSK", "UsernameToken " + strings.Join(attributes, ",")},
		"type AppKey":          {"Authorization", strings.ReplaceAll(rightAKSK, "Appkey", "AppKey"), "X-AKSK", "UsernameToken " + strings.Join(attributes, ",")},
		"no word":              {"Authorization", rightAKSK, "X-AKSK", strings.Join(attributes, ", ")},
		"no quotes":            {"Authorization", "AKSK realm=SDP,profile=UsernameToken,type=Appkey", "X-AKSK", "UsernameToken " + strings.ReplaceAll(strings.Join(attributes, ","), `"`, "")},
		"X- of the new, Authorization of the old": {"Authorization", rightWSSE, "X-AKSK", "UsernameToken " + strings.Join(attributes, ",")},
		"X- of the old, Authorization of the new": {"Authorization", rightAKSK, "X-WSSE", tokenText(vectorKey, vectorWSSE, vectorNonce, vectorTime)},
		"both X-, the old one counts": {"Authorization", rightWSSE, "X-WSSE", tokenText(vectorKey, vectorWSSE, vectorNonce, vectorTime),
			"X-AKSK", tokenText(vectorKey, "nonsense", vectorNonce, vectorTime)},
	} {
		app, refusal := verifier().App(request(headers...))
		require.Nil(t, refusal, name)
		require.Equal(t, vectorKey, app.Key, name)
	}
}

// TestRefusals: every line of codes section 1.1 that headers alone can raise,
// with its literal text.
func TestRefusals(t *testing.T) {
	const x = `UsernameToken Username="demoAppKey0001",PasswordDigest="p",Nonce="n",Created="2026-01-02T03:04:05Z"`
	without := func(name string) string {
		var kept []string
		for _, a := range strings.Split(strings.TrimPrefix(x, "UsernameToken "), ",") {
			if !strings.HasPrefix(a, name+"=") {
				kept = append(kept, a)
			}
		}
		return "UsernameToken " + strings.Join(kept, ",")
	}
	for _, c := range []struct {
		name, want string
		headers    []string
	}{
		{"nothing", "400 1023006 Authorization not contained in the HTTP header.", nil},
		{"empty", "400 1023006 Authorization not contained in the HTTP header.", []string{"Authorization", " "}},
		{"no realm", "400 1023007 realm not contained in Authorization.", []string{"Authorization", `AKSK profile="UsernameToken",type="Appkey"`}},
		{"no profile", "400 1023008 profile not contained in Authorization.", []string{"Authorization", `AKSK realm="SDP",type="Appkey"`}},
		{"realm", "400 1023009 The value of realm in Authorization must be SDP.", []string{"Authorization", `AKSK realm="SDK",profile="UsernameToken",type="Appkey"`}},
		{"profile", "400 1023010 The value of profile in Authorization must be UsernameToken.", []string{"Authorization", `AKSK realm="SDP",profile="Token",type="Appkey"`}},
		{"type", "400 1023011 The value of type in Authorization must be app_key.", []string{"Authorization", `AKSK realm="SDP",profile="UsernameToken",type="App"`}},
		{"no type", "400 1023012 type not contained in Authorization.", []string{"Authorization", `AKSK realm="SDP",profile="UsernameToken"`}},
		{"scheme", "400 1023013 WSSE not contained in Authorization.", []string{"Authorization", `Bearer abc`}},
		{"no scheme", "400 1023013 WSSE not contained in Authorization.", []string{"Authorization", strings.TrimPrefix(rightAKSK, "AKSK ")}},
		{"no X-WSSE", "400 1023026 X-WSSE not contained in the HTTP header.", []string{"Authorization", rightWSSE}},
		{"WSSE Username", "400 1023027 Username not contained in X-WSSE.", []string{"Authorization", rightWSSE, "X-WSSE", without("Username")}},
		{"WSSE Nonce", "400 1023028 Nonce not contained in X-WSSE.", []string{"Authorization", rightWSSE, "X-WSSE", without("Nonce")}},
		{"WSSE Created", "400 1023029 Created not contained in X-WSSE.", []string{"Authorization", rightWSSE, "X-WSSE", without("Created")}},
		{"WSSE digest", "400 1023030 PasswordDigest not contained in X-WSSE.", []string{"Authorization", rightWSSE, "X-WSSE", without("PasswordDigest")}},
		{"WSSE form", "400 1023031 The format of Created is wrong.", []string{"Authorization", rightWSSE, "X-WSSE", strings.Replace(x, "02T03", "02 03", 1)}},
		{"AKSK form", "400 1023031 The format of Created is wrong.", []string{"Authorization", rightAKSK, "X-AKSK", strings.Replace(x, "01-02", "13-02", 1)}},
		{"no X-AKSK", "400 1023033 HTTP header not found X-AKSK field.", []string{"Authorization", rightAKSK}},
		{"AKSK Username", "400 1023034 UserName not contained in X-AKSK.", []string{"Authorization", rightAKSK, "X-AKSK", without("Username")}},
		{"AKSK Nonce", "400 1023035 Nonce not contained in X-AKSK.", []string{"Authorization", rightAKSK, "X-AKSK", without("Nonce")}},
		{"AKSK Created", "400 1023036 Created not contained in X-AKSK.", []string{"Authorization", rightAKSK, "X-AKSK", without("Created")}},
		{"AKSK digest", "400 1023037 PasswordDigest not contained in X-AKSK.", []string{"Authorization", rightAKSK, "X-AKSK", without("PasswordDigest")}},
		{"digest", "401 1010010 Invalid digest.", []string{"Authorization", rightAKSK, "X-AKSK", x}},
		{"digest of the other scheme", "401 1010010 Invalid digest.", []string{"Authorization", rightAKSK, "X-AKSK", tokenText(vectorKey, vectorWSSE, vectorNonce, vectorTime)}},
		{"app", "403 1010003 Invalid app_key.", []string{"Authorization", rightAKSK, "X-AKSK", tokenText("nobody", "p", "n", vectorTime)}},
		{"no app_key at all", "403 1010003 Invalid app_key.", []string{"Authorization", rightAKSK, "X-AKSK", tokenText("\xff\xfe", "p", "n", vectorTime)}},
		{"ledger", "500 1010001 Internal system error.", []string{"Authorization", rightAKSK, "X-AKSK", tokenText("ill", "p", "n", vectorTime)}},
	} {
		_, refusal := verifier().App(request(c.headers...))
		require.NotNil(t, refusal, c.name)
		require.Equal(t, c.want, fmt.Sprintf("%d %s %s", refusal.HTTP, refusal.Code, refusal.Desc), c.name)
	}
}

// TestState: an app has to prove itself before it hears of its state.
func TestState(t *testing.T) {
	_, refusal := verifier().App(signed(aksk, "paused", "s", "n", vectorTime))
	require.Equal(t, pausedApp, refusal)
	_, refusal = verifier().App(signed(aksk, "paused", "guess", "n", vectorTime))
	require.Equal(t, wrongDigest, refusal)
	app, refusal := verifier().App(signed(wsse, "frozen", "s", "n", vectorTime))
	require.Nil(t, refusal, "it may query")
	require.True(t, app.Frozen)
}

// TestWindow: Created may be UTC or, marked Z all the same, Beijing time.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		window  time.Duration
		created time.Duration // from now
		right   bool
	}{
		{0, -24 * time.Hour, true}, {0, -24*time.Hour - time.Second, false}, {0, 32 * time.Hour, true}, {0, 32*time.Hour + time.Second, false},
		{5 * time.Minute, 5 * time.Minute, true}, {5 * time.Minute, 6 * time.Minute, false}, {5 * time.Minute, -6 * time.Minute, false},
		{5 * time.Minute, 8*time.Hour - 5*time.Minute, true}, {5 * time.Minute, 8*time.Hour + 6*time.Minute, false},
	} {
		v := verifier(func(cfg *Config) { cfg.Window = c.window })
		_, refusal := v.App(signed(wsse, vectorKey, vectorSecret, "n", clock().Add(c.created).Format("2006-01-02T15:04:05Z")))
		if c.right {
			require.Nil(t, refusal, "%v", c)
		} else {
			require.Equal(t, outOfTime, refusal, "%v", c)
		}
	}
	for _, text := range []string{"2026-01-02T03:04:05.678Z", "2026-01-02T11:04:05+08:00"} {
		_, refusal := verifier().App(signed(aksk, vectorKey, vectorSecret, "n", text))
		require.Nil(t, refusal, "%s: the digest is over the text as it came", text)
	}
	_, refusal := verifier().App(signed(aksk, vectorKey, vectorSecret, "n", "9999-12-31T23:59:59Z"))
	require.Equal(t, outOfTime, refusal)
}

// TestAnyHeader: whatever stands in the headers, there is an answer.
func TestAnyHeader(t *testing.T) {
	words := []string{"AKSK", "WSSE", "UsernameToken", "realm", "profile", "type", "SDP", "Appkey", "Username", "Nonce", "Created", "PasswordDigest",
		"=", `"`, ",", " ", "\t", "x", "ü", "\xff", vectorKey, vectorTime}
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 30).Draw(t, name), "")
		}
		_, refusal := verifier().App(request("Authorization", text("authorization"), "X-AKSK", text("aksk"), "X-WSSE", text("wsse")))
		if refusal == nil {
			t.Fatal("a request without a digest was let in")
		}
	})
}
