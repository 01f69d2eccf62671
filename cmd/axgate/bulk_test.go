package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBulkImport: beside a running node and without one, from the first line
// and from any other, each binding is made once and what is bad is named.
func TestBulkImport(t *testing.T) {
	file := write(t, "")
	server := serve(t, file)
	list := filepath.Join(t.TempDir(), "pairs.csv")
	text := "x,a,b\n"
	const pairs = 2500 // more than are bound at once
	for i := range pairs {
		text += fmt.Sprintf("+8617010000001,+86139%08d,+86137%08d\n", i, i)
	}
	require.NoError(t, os.WriteFile(list, []byte(text), 0o600))
	require.Equal(t, "500 bound, 0 stood already, 0 failed\n", succeed(t, "bulk", "import", "--app", "axb", list, "--from-line", "2002", "--config", file))
	server.signals <- syscall.SIGTERM
	require.Zero(t, server.ended(t), "%s", server.errs)
	require.Equal(t, "2000 bound, 500 stood already, 0 failed\n", succeed(t, "bulk", "import", "--app", "axb", list, "--config", file))
	require.Contains(t, succeed(t, "number", "show", "17010000001", "--config", file), "2500 bindings")

	require.NoError(t, os.WriteFile(list, []byte("+8617010000001,+8613900000001,+8613600000000\n"), 0o600))
	r := start("bulk", "import", "--app", "axb", list, "--config", file)
	require.Equal(t, 1, r.ended(t), "%s", r.errs)
	require.Equal(t, "line 1  1012010 +8617010000001 has +86139****0001 bound already\n0 bound, 0 stood already, 1 failed\n", r.out.String())
	require.Contains(t, fail(t, 1, "bulk", "import", "--app", "nobody", list, "--config", file), "there is no app of that key")
	require.Contains(t, fail(t, 1, "bulk", "import", "--app", "axb", filepath.Join(t.TempDir(), "none.csv"), "--config", file), "no such file")
}
