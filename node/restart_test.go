package node

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/events"
	"axgate/journal"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
	"axgate/roster"
)

// TestCallsOfAKilledNode: a call that a killed node left open ends when that
// node was last alive, not when the next one starts: nobody pays for the time
// in between.
func TestCallsOfAKilledNode(t *testing.T) {
	ctx := context.Background()
	c := config.Default()
	c.Data = t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"

	died := time.Now().Add(-10 * time.Hour).UTC().Truncate(time.Microsecond)
	l, err := ledger.Open(ctx, ledgerConfig(&c))
	require.NoError(t, err)
	call := events.Call{Session: "1_1_1_20260102030405@host", ICID: "i", Node: c.Node, Host: "host", App: "app", SP: "sp", Mode: "AXB", X: "+8617010000001",
		Caller: "+8613800000001", Callee: "+8613800000002", Direction: 1,
		In: died.Add(-time.Minute), Out: died.Add(-time.Minute), Answered: died.Add(-30 * time.Second)}
	ledgertest.Record(t, l, call, events.NewCallEvent(call, 1, events.Answer, call.Answered, ""))
	lived(t, l, &c, died)
	require.NoError(t, l.Close())

	n, err := Open(ctx, c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(ctx)) }()
	require.NoError(t, n.Serve())
	closed := closedCall(t, n, call.Session)
	require.Equal(t, died, closed.Ended.UTC())
	require.Equal(t, 8020, closed.StateCode)
}

// TestWhatIsLeftIsCarriedFirst: a node that comes no further than to its place among the
// others has carried what was in its journal: whoever closes its calls knows of it.
func TestWhatIsLeftIsCarriedFirst(t *testing.T) {
	ctx := t.Context()
	c := config.Default()
	c.Data = t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	j, err := journal.Open(journal.Config{Dir: JournalDir(&c), Ledger: beyond{}, Log: zerolog.Nop()})
	require.NoError(t, err)
	at := time.Now().UTC().Truncate(time.Microsecond)
	call := events.Call{Session: "s", Node: c.Node, Incarnation: 1, App: "app", SP: "sp", Mode: "AXB", X: "+8617010000001", In: at, Answered: at}
	require.NoError(t, <-j.Write(call, events.NewCallEvent(call, 1, events.Answer, at, "")))
	over, cancel := context.WithCancel(ctx)
	cancel()
	_ = j.Close(over) // its ledger is out of reach

	l, err := ledger.Open(ctx, ledgerConfig(&c))
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	_, dies := beating(t, l, c.Node, at) // another of its name
	defer dies()
	_, err = Open(ctx, c, zerolog.Nop())
	require.ErrorIs(t, err, roster.ErrAlive)
	page, err := l.Calls(ctx, ledger.CallFilter{Session: "s"})
	require.NoError(t, err)
	require.Len(t, page.Calls, 1)
	require.Equal(t, at, page.Calls[0].Answered)
}

// lived has a node have a life until an instant.
func lived(t *testing.T, l *ledger.Ledger, c *config.Config, until time.Time) {
	id, err := home(c.Data)
	require.NoError(t, err)
	life, err := l.JoinNode(t.Context(), c.Node, id, ledger.Node{})
	require.NoError(t, err)
	_, err = l.Beat(t.Context(), life, until, 1)
	require.NoError(t, err)
}

// closedCall waits until a call is closed.
func closedCall(t *testing.T, n *Node, session string) events.Call {
	var page ledger.CallPage
	require.Eventually(t, func() bool {
		open, err := n.ledger.Calls(t.Context(), ledger.CallFilter{Session: session, Open: true})
		require.NoError(t, err)
		return len(open.Calls) == 0
	}, 15*time.Second, 10*time.Millisecond)
	page, err := n.ledger.Calls(t.Context(), ledger.CallFilter{Session: session})
	require.NoError(t, err)
	require.Len(t, page.Calls, 1)
	return page.Calls[0]
}

// TestOneName: nodes that share a PostgreSQL have names of their own, or the
// second would close the calls of the first; a node is not its own second.
func TestOneName(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a PostgreSQL and waits for a node's lease")
	}
	server, err := pgtest.Start()
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	ctx := context.Background()
	c := config.Default()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	c.Ledger.Driver, c.Ledger.DSN = ledger.Postgres, server.Database(t)

	c.Data = t.TempDir()
	n, err := Open(ctx, c, zerolog.Nop())
	require.NoError(t, err)
	second := c
	second.Data = t.TempDir()
	_, err = Open(ctx, second, zerolog.Nop())
	require.ErrorContains(t, err, "give each node a name of its own")
	require.NoError(t, n.Close(ctx))
}
