package manage_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestNodes: they are listed with their states, and drained and undrained while they are alive.
func TestNodes(t *testing.T) {
	w := newWorld(t)
	a := ledgertest.Alive(t, w.ledger, "gw1", time.Now())
	b := ledgertest.Alive(t, w.ledger, "gw2", time.Now())
	require.NoError(t, w.ledger.AnnounceNode(t.Context(), a, ledger.Addresses{UDP: "192.0.2.10:5060", HTTP: "192.0.2.10:8080"}))
	require.NoError(t, w.ledger.LeaveNode(t.Context(), b))
	require.Equal(t, []string{"gw1", "gw2"}, w.get(theOperator, "/nodes").column("name"))
	require.Equal(t, []string{"up", "gone"}, w.get(theOperator, "/nodes").column("state"))
	page := w.get(theOperator, "/nodes?limit=1").is(http.StatusOK)
	require.Equal(t, []string{"gw2"}, w.get(theOperator, "/nodes?after="+page["next"].(string)).column("name"))

	n := w.get(theOperator, "/nodes/gw1").is(http.StatusOK)
	require.Equal(t, []any{"up", 1.0, 0.0, "192.0.2.10:5060", "192.0.2.10:8080"}, []any{n["state"], n["incarnation"], n["calls"], n["udp"], n["http"]})
	w.get(theOperator, "/nodes/gw3").is(http.StatusNotFound)

	require.Equal(t, "draining", w.ask(theOperator, http.MethodPost, "/nodes/gw1/drain", nil).is(http.StatusOK)["state"])
	require.Equal(t, "draining", w.get(theOperator, "/nodes/gw1").is(http.StatusOK)["state"])
	require.Equal(t, "up", w.ask(theOperator, http.MethodPost, "/nodes/gw1/undrain", nil).is(http.StatusOK)["state"])
	w.ask(theOperator, http.MethodPost, "/nodes/gw2/drain", nil).is(http.StatusConflict)
	w.ask(theOperator, http.MethodPost, "/nodes/gw3/undrain", nil).is(http.StatusNotFound)
	require.Contains(t, string(w.get(theOperator, "/audit").body), `node gw1`)
}
