package node

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/api/manage"
	"axgate/config"
	"axgate/ledger"
	"axgate/provision"
)

// TestManagement asks a running node through its HTTP server: the document,
// why a call would go as it would, and an order to hang up.
func TestManagement(t *testing.T) {
	c := config.Default()
	c.Node, c.Data, c.Redis.Embedded = "n1", t.TempDir(), "127.0.0.1:0"
	c.SIP.UDP, c.SIP.TCP, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0"
	n, err := Open(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(context.WithoutCancel(t.Context()))) }()
	require.NoError(t, n.Serve())
	_, token, err := n.office.AddOperator(t.Context(), provision.NewOperator{Name: "carol", Role: ledger.RoleOperator})
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}
	ask := func(method, path, body string) (int, map[string]any) {
		r, err := http.NewRequestWithContext(t.Context(), method, n.web.Base()+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+string(token))
		res, err := client.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		out := map[string]any{}
		require.NoError(t, json.Unmarshal(text, &out), "%s", text)
		return res.StatusCode, out
	}
	status, doc := ask(http.MethodGet, manage.Document, "")
	require.Equal(t, []any{http.StatusOK, "3.1.0"}, []any{status, doc["openapi"]})
	status, verdict := ask(http.MethodPost, manage.Prefix+"/explain", `{"x": "+8617010000999", "caller": "+8613800000001"}`)
	require.Equal(t, []any{http.StatusOK, "unknown_x"}, []any{status, verdict["end"]}, "%v", verdict)
	status, bans := ask(http.MethodGet, manage.Prefix+"/bans", "")
	require.Equal(t, []any{http.StatusOK, []any{}}, []any{status, bans["items"]})
	status, _ = ask(http.MethodGet, manage.Prefix+"/defence", "")
	require.Equal(t, http.StatusOK, status)
	status, _ = ask(http.MethodDelete, manage.Prefix+"/bans/192.0.2.7", "")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = ask(http.MethodPost, manage.Prefix+"/calls/none/hangup", "")
	require.Equal(t, http.StatusNotFound, status)
}
