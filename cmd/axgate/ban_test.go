package main

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/node"
)

// TestBans: a scanner is banned by the running node, seen, and let in again.
func TestBans(t *testing.T) {
	file := write(t, "")
	at := func(args ...string) []string { return append(args, "--config", file) }
	require.Contains(t, fail(t, exitFailed, at("ban")...), "no node runs")
	server := serve(t, file)
	defer func() {
		server.signals <- syscall.SIGTERM
		require.Zero(t, server.ended(t), "%s", server.errs)
	}()
	require.Equal(t, "there are none\n", succeed(t, at("ban")...))

	r, ok := node.FindRunning(strings.TrimSuffix(file, "axgate.yaml") + "data")
	require.True(t, ok)
	scanner, err := net.Dial("udp", r.UDP)
	require.NoError(t, err)
	defer scanner.Close()
	require.Eventually(t, func() bool {
		for i := range 15 {
			_, err := fmt.Fprintf(scanner, "OPTIONS sip:100@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[3]d\r\nFrom: <sip:100@%[1]s>;tag=%[3]d\r\nTo: <sip:100@%[1]s>\r\n"+
				"Call-ID: %[3]d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n", r.UDP, scanner.LocalAddr(), i)
			require.NoError(t, err)
		}
		return strings.Contains(succeed(t, at("ban", "list")...), "127.0.0.1")
	}, 15*time.Second, 50*time.Millisecond)
	require.Contains(t, succeed(t, at("ban", "list", "--json")...), `"source": "127.0.0.1"`)
	require.Equal(t, "127.0.0.1 is heard again\n", succeed(t, at("ban", "remove", "127.0.0.1")...))
	require.Equal(t, "there are none\n", succeed(t, at("ban")...))
	require.Contains(t, fail(t, exitFailed, at("ban", "remove", "127.0.0.1")...), "not banned")
	require.Contains(t, fail(t, exitUsage, at("ban", "remove", "somebody")...), "address")
}
