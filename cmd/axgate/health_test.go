package main

import (
	"bytes"
	"encoding/json"
	"os"
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

// TestHealthWhereItIsHeard: a node without http.listen is asked at metrics.listen, and
// one without both says why it cannot be.
func TestHealthWhereItIsHeard(t *testing.T) {
	for figures, want := range map[string]string{"127.0.0.1:0": "", "off": "http.listen and metrics.listen are off, set one of them"} {
		file := write(t, "metrics: {listen: \""+figures+"\"}\n")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		text = bytes.Replace(text, []byte(`http: {listen: "127.0.0.1:0"}`), []byte(`http: {listen: off}`), 1)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		server := serve(t, file)
		if want == "" {
			require.Regexp(t, `^test is (ok|degraded) since `, succeed(t, "health", "--config", file))
			require.Regexp(t, `health +(the node finds itself well|disk: )`, succeed(t, "doctor", "--config", file))
		} else {
			require.Contains(t, fail(t, exitFailed, "health", "--config", file), want)
			require.Regexp(t, `health +the node is not asked how it is`, succeed(t, "doctor", "--config", file))
		}
		server.signals <- syscall.SIGTERM
		require.Zero(t, server.ended(t), "%s", server.errs)
	}
}
