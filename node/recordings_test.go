package node

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/media/wav"
)

// TestStartLeavesOpenRecordings: a node that starts does not remove the first part of
// a recording, short as it is, while another node has its call.
func TestStartLeavesOpenRecordings(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	c.Ledger.Path, c.Node, c.Data = filepath.Join(dir, "axgate.db"), "a", filepath.Join(dir, "a")
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", config.Off
	c.Recording.MinTalk = time.Hour
	files := RecordDir(&c)
	require.NoError(t, os.MkdirAll(files, 0o700))
	h := wav.Header(1, 0)
	for _, name := range []string{"open.wav.part", "over.wav.part"} {
		require.NoError(t, os.WriteFile(filepath.Join(files, name), append(h[:], make([]byte, 8000)...), 0o600))
	}
	l, err := ledger.Open(t.Context(), ledgerConfig(&c))
	require.NoError(t, err)
	now := time.Now().UTC().Truncate(time.Microsecond)
	life := ledgertest.Alive(t, l, "heir", now)
	call := events.Call{Session: "s", Node: life.Node, Incarnation: life.Incarnation, App: "app", SP: "sp", Mode: "AX", X: "+8617010000001",
		In: now, Answered: now, RecordWanted: true, Recording: now, RecordFile: "open.wav"}
	ledgertest.Record(t, l, call, events.NewCallEvent(call, 1, events.CallIn, now, ""))
	n, err := Open(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close(context.Background())); require.NoError(t, l.Close()) })
	left, err := filepath.Glob(filepath.Join(files, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(files, "open.wav.part")}, left)
}
