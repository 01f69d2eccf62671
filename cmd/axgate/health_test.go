package main

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/health"
)

// TestHealth: the running node says how it is, to people, scripts and the doctor.
func TestHealth(t *testing.T) {
	file := write(t, "health: {disk_free_mib: 16777216}\n")
	at := func(args ...string) []string { return append(args, "--config", file) }
	require.Contains(t, fail(t, exitFailed, at("health")...), "no node runs")
	server := serve(t, file)
	defer func() {
		server.signals <- syscall.SIGTERM
		require.Zero(t, server.ended(t), "%s", server.errs)
	}()
	var r health.Report
	require.Eventually(t, func() bool {
		require.NoError(t, json.Unmarshal([]byte(succeed(t, at("health", "--json")...)), &r))
		return r.Status == health.Degraded
	}, 15*time.Second, 100*time.Millisecond)
	require.Equal(t, "disk", r.Reasons[0].Check)
	require.Regexp(t, `is degraded since .*\nCHECK +LEVEL +SINCE +WHY\ndisk +degraded +.* MiB are free for data`, succeed(t, at("health")...))
	require.Contains(t, succeed(t, at("doctor")...), "health     disk: ")
}
