package manage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/provision"
)

func TestTokens(t *testing.T) {
	w := newWorld(t)
	me := w.get(theTenant, "/whoami").is(http.StatusOK)
	require.Equal(t, "tenant", me["role"])
	require.Equal(t, "demo", me["spId"])

	for name, header := range map[string]string{
		"none": "", "another scheme": "Basic " + w.tokens[theOperator], "no token": "Bearer ", "nonsense": "Bearer nonsense",
		"unknown": "Bearer axg_ABCDEFGHIJKL_" + strings.Repeat("A", 26), "wrong secret": "Bearer " + w.tokens[theOperator][:len(w.tokens[theOperator])-1] + "_",
		"too long": "Bearer " + w.tokens[theOperator] + strings.Repeat("A", 500),
	} {
		a := w.ask(nobody, http.MethodGet, "/whoami", nil, func(r *http.Request) { r.Header.Set("Authorization", header) })
		a.is(http.StatusUnauthorized)
		require.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer", name)
	}
	spaced := w.ask(nobody, http.MethodGet, "/whoami", nil, func(r *http.Request) { r.Header.Set("Authorization", "bearer  "+w.tokens[theOperator]+" ") })
	spaced.is(http.StatusOK)
}

func TestTokensEnd(t *testing.T) {
	w := newWorld(t)
	made := w.post(theOperator, "/operators", map[string]any{"name": "carol", "role": "read-only", "expires": w.now().Add(time.Hour)}).is(http.StatusCreated)
	w.tokens["carol"] = made["token"].(string)
	w.get("carol", "/whoami").is(http.StatusOK)
	w.pass(2 * time.Hour)
	w.get("carol", "/whoami").is(http.StatusUnauthorized)

	made = w.post(theOperator, "/operators", map[string]any{"name": "dora", "role": "tenant", "spId": "demo"}).is(http.StatusCreated)
	w.tokens["dora"] = made["token"].(string)
	w.get("dora", "/apps/ax").is(http.StatusOK)
	path := "/operators/" + made["id"].(string) + "/revoke"
	require.Equal(t, false, w.post(theOperator, path, nil).is(http.StatusOK)["works"])
	w.post(theOperator, path, nil).is(http.StatusOK)
	w.get("dora", "/apps/ax").is(http.StatusUnauthorized)
	w.post(theOperator, "/operators/NONE/revoke", nil).is(http.StatusNotFound)

	w.post(theOperator, "/operators", map[string]any{"name": "dora", "role": "operator"}).wrong("name")
	w.post(theOperator, "/operators", map[string]any{"name": "eve", "role": "tenant"}).wrong("spId")
	w.post(theOperator, "/operators", map[string]any{"name": "eve", "role": "tenant", "spId": "none"}).wrong("spId")
	w.post(theOperator, "/operators", map[string]any{"name": "eve", "role": "operator", "spId": "demo"}).wrong("role")
	w.post(theOperator, "/operators", map[string]any{"name": "eve", "role": "queen"}).wrong("role")
	w.post(theOperator, "/operators", map[string]any{"name": "eve", "role": "operator", "expires": w.now().Add(-time.Hour)}).wrong("expires")
	require.Contains(t, w.get(theOperator, "/operators").column("name"), "carol")
	require.NotContains(t, string(w.get(theOperator, "/operators").body), w.tokens["dora"][len("axg_ABCDEFGHIJKL_"):])
}

// TestGuessing locks out an address for a while, the right token too: else the
// lock would tell when a guess was right.
func TestGuessing(t *testing.T) {
	w := newWorld(t)
	w.tokens["guess"] = "axg_ABCDEFGHIJKL_" + strings.Repeat("A", 26)
	for range 9 {
		w.get("guess", "/whoami").is(http.StatusUnauthorized)
	}
	w.get(theOperator, "/whoami").is(http.StatusOK)
	w.get("guess", "/whoami").is(http.StatusUnauthorized)
	a := w.get(theOperator, "/whoami")
	a.is(http.StatusTooManyRequests)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	w.pass(5*time.Minute + time.Second)
	w.get(theOperator, "/whoami").is(http.StatusOK)
	for range 5 {
		w.get("guess", "/whoami").is(http.StatusUnauthorized)
	}
	w.pass(time.Minute)
	for range 9 {
		w.get("guess", "/whoami").is(http.StatusUnauthorized)
	}
}

// TestKept finds neither token nor secret where they do not belong.
func TestKept(t *testing.T) {
	w := newWorld(t)
	secret := w.post(theOperator, "/apps/ax/secret", nil).is(http.StatusOK)["appSecret"].(string)
	_, token, err := w.office.AddOperator(t.Context(), provision.NewOperator{Name: "zoe", Role: "operator"})
	require.NoError(t, err)
	for _, hidden := range []string{secret, string(token)[len("axg_ABCDEFGHIJKL_"):]} {
		require.NotContains(t, w.log.String(), hidden)
		for _, path := range []string{"/audit", "/apps", "/apps/ax", "/operators"} {
			require.NotContains(t, string(w.get(theOperator, path).body), hidden, path)
		}
	}
}
