package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/api/manage"
	"axgate/config"
	"axgate/ledger"
	"axgate/node"
)

// TestOperatorsCommand makes a token that works, lists it without its secret,
// ends it, and leaves all that in the audit log.
func TestOperatorsCommand(t *testing.T) {
	data := t.TempDir()
	cfg := config.Default()
	cfg.Data = data
	l, err := ledger.Open(t.Context(), ledger.Config{Path: node.LedgerFile(&cfg)})
	require.NoError(t, err)
	require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "demo"}, time.Now()))
	require.NoError(t, l.Close())

	var made manage.OperatorToken
	require.NoError(t, json.Unmarshal([]byte(succeed(t, "--data", data, "--json", "operators", "add", "--role", "tenant", "--sp", "demo", "carol")), &made))
	require.True(t, strings.HasPrefix(made.Token, "axg_"+made.ID+"_"))
	printed := succeed(t, "--data", data, "operators", "add", "--role", "operator", "dora")
	require.Contains(t, printed, "\naxg_")
	require.Contains(t, fail(t, exitFailed, "--data", data, "operators", "add", "--role", "tenant", "eve"), "spId")
	listed := succeed(t, "--data", data, "--json", "operators")
	require.Contains(t, listed, made.ID)
	require.NotContains(t, listed, "token")

	require.Contains(t, succeed(t, "--data", data, "operators", "revoke", made.ID), "carol")
	require.Contains(t, succeed(t, "--data", data, "operators"), "revoked")
	fail(t, exitFailed, "--data", data, "operators", "revoke", "NONE")

	l, err = ledger.Open(t.Context(), ledger.Config{Path: node.LedgerFile(&cfg)})
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	page, err := l.Audit(t.Context(), ledger.AuditFilter{})
	require.NoError(t, err)
	require.Len(t, page.Entries, 5)
	require.Equal(t, []any{"revokeOperator", 403, "1012007"}, []any{page.Entries[0].Operation, page.Entries[0].Status, page.Entries[0].Code})
	first := page.Entries[4]
	require.Equal(t, []any{"addOperator", "command line", "demo", 200, "id " + made.ID}, []any{first.Operation, first.Source, first.SP, first.Status, first.Target})
	require.NotContains(t, first.Detail, made.Token)
}
