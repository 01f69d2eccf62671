package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/node"
	"axgate/retention"
)

// TestRetentionCommand deletes what is too old, and tells of it.
func TestRetentionCommand(t *testing.T) {
	data := t.TempDir()
	cfg := config.Default()
	cfg.Data = data
	l, err := ledger.Open(t.Context(), ledger.Config{Path: node.LedgerFile(&cfg)})
	require.NoError(t, err)
	for age, session := range map[time.Duration]string{time.Hour: "young", 32 * 24 * time.Hour: "old"} {
		at := time.Now().Add(-age)
		c := events.Call{Session: session, Node: "n", In: at, Ended: at}
		ledgertest.Record(t, l, c, events.NewCallEvent(c, 1, events.Disconnect, at, ""), events.NewFee(c, 2))
	}
	require.Contains(t, succeed(t, "--data", data, "retention"), "last: -")
	require.Equal(t, "nothing was too old\n", succeed(t, "--data", data, "retention", "run"), "it is still to be pushed")
	_, _, err = l.Outbox().Claim(t.Context(), time.Now(), time.Now().Add(time.Minute), func(events.Lane) int { return 100 })
	require.NoError(t, err)
	list, _, err := l.Outbox().Claim(t.Context(), time.Now().Add(2*time.Minute), time.Now().Add(time.Hour), func(events.Lane) int { return 100 })
	require.NoError(t, err)
	var outcomes []events.Outcome
	for _, c := range list {
		outcomes = append(outcomes, events.Outcome{Claimed: c, At: time.Now(), Done: time.Now()})
	}
	require.NoError(t, l.Outbox().Finish(t.Context(), outcomes))
	require.NoError(t, l.Close())
	var c retention.Counts
	require.NoError(t, json.Unmarshal([]byte(succeed(t, "--data", data, "--json", "retention", "run")), &c))
	require.Equal(t, retention.Counts{Calls: 1, Events: 2}, c)
	require.Contains(t, succeed(t, "--data", data, "retention"), "deleted: 1 calls, 2 events")
}
