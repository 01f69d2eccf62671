package main

import (
	"encoding/json"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAXYB binds and unbinds at the command line, beside a running server.
func TestAXYB(t *testing.T) {
	file := write(t, "")
	server := serve(t, file)
	at := func(args ...string) []string { return append(args, "--config", file) }
	const a, b = "+8613800000001", "+8613800000002"
	var part, relation shownBinding
	require.NoError(t, json.Unmarshal([]byte(succeed(t, at("bind", "axyb", "--json", "--app", "axyb", "--a", a, "--area", "0755")...)), &part))
	require.NoError(t, json.Unmarshal([]byte(succeed(t, at("bind", "yb", "--json", "--id", part.ID, "--b", b)...)), &relation))
	require.Equal(t, part.ID, relation.ID)
	require.ElementsMatch(t, []string{"+8617010000004", "+8617010000005"}, []string{relation.X, relation.Y})
	for _, c := range []struct{ x, from, want string }{
		{relation.Y, a, "call " + b + ", showing " + relation.X}, {relation.X, b, "call " + a + ", showing " + relation.Y},
		{relation.X, a, "its own X"}, {relation.Y, b, "has bindings, but none with"},
	} {
		require.Contains(t, succeed(t, at("call", "--explain", "--x", c.x, "--from", c.from)...), c.want)
	}
	for _, x := range []string{relation.X, relation.Y} {
		require.Contains(t, succeed(t, at("bindings", "--x", x)...), relation.BindID)
	}
	require.Contains(t, fail(t, 1, at("unbind", "--id", part.ID, "--b", a)...), "1012007")
	succeed(t, at("unbind", "--id", part.ID, "--b", b)...)
	require.Contains(t, succeed(t, at("call", "--explain", "--x", relation.Y, "--from", a)...), "has no bindings")
	require.Contains(t, succeed(t, at("call", "--explain", "--x", relation.X, "--from", a)...), "its own X", "the AX part stands")
	succeed(t, at("unbind", "--id", part.ID)...)
	require.Contains(t, succeed(t, at("call", "--explain", "--x", relation.X, "--from", a)...), "has no bindings")

	require.NoError(t, json.Unmarshal([]byte(succeed(t, at("bind", "ax", "--json", "--x", "+8617010000002", "--a", a)...)), &part))
	require.Contains(t, fail(t, exitUsage, at("unbind", "--id", part.ID, "--b", b)...), "they are for AXYB")
	succeed(t, at("doctor")...)
	server.signals <- syscall.SIGTERM
	require.Zero(t, server.ended(t), "%s", server.errs)
}
