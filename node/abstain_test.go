package node

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// TestAskedForAtTheEnd: a call that the ledger gave to a node which does not know of it ends
// when its node died, as soon as the second begins to end, and not with that one.
func TestAskedForAtTheEnd(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	c := config.Default()
	c.Node, c.Data, c.Ledger.Path, c.Recording.Dir = "a", dir, filepath.Join(dir, "axgate.db"), filepath.Join(dir, "recordings")
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", config.Off
	c.Cluster.Takeover = true
	c.Redis.Timeout = 10 * time.Second // the test asks it itself, on a busy machine
	n, err := Open(ctx, c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(ctx)) }()

	alive := time.Now().UTC().Add(-time.Minute).Truncate(time.Microsecond)
	ghost := ledgertest.Alive(t, n.ledger, "ghost", alive)
	call := events.Call{Session: "s", Node: ghost.Node, Incarnation: ghost.Incarnation, App: "app", SP: "sp", Mode: "AX", X: "+8617010000001",
		In: alive.Add(-time.Minute), Answered: alive.Add(-50 * time.Second)}
	ledgertest.Record(t, n.ledger, call, events.NewCallEvent(call, 1, events.Answer, call.Answered, ""))
	seen, _, err := n.ledger.Node(ctx, "ghost")
	require.NoError(t, err)
	won, err := n.ledger.DeclareDead(ctx, n.roster.Life(), seen)
	require.NoError(t, err)
	require.True(t, won)
	taken, err := n.ledger.TakeOver(ctx, ghost, n.roster.Life(), []ledger.Kept{{Call: call, Seq: 1}})
	require.NoError(t, err)
	require.Len(t, taken, 1)
	n.takeovers.asked[ghost] = &asked{ledger.Dead{Life: ghost, AliveAt: alive}, map[string]bool{"s": true}} // the answer is lost
	require.NoError(t, n.ledger.SettleDeath(ctx, n.roster.Life(), ghost))                                   // not to be tried again

	at, err := storeConfig(&c, zerolog.Nop())
	require.NoError(t, err)
	at.Node, at.Address = ghost.Node, n.cache.Address()
	theirs, err := openCache(ctx, at, n.ledger, "", nil, false)
	require.NoError(t, err)
	held, err := theirs.Reserve(ctx, "s", routing.X(call.X), "")
	require.NoError(t, err)
	require.True(t, held)
	require.NoError(t, theirs.Close())

	require.NoError(t, n.Serve())
	require.False(t, n.server.Draining())
	require.NoError(t, n.abstain(ctx))
	require.True(t, n.server.Draining(), "it takes no new calls")
	require.Equal(t, alive, closedCall(t, n, "s").Ended)
	require.Eventually(t, func() bool {
		held, err := n.cache.Reserve(ctx, "another", routing.X(call.X), "")
		require.NoError(t, err)
		return held
	}, 5*time.Second, 10*time.Millisecond, "its X can be called again")
}
