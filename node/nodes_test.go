package node

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/api/manage"
	"axgate/config"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// twoNodes are two on one ledger and one Redis; with a key they encrypt at rest.
func twoNodes(t *testing.T, key string) (a, b *Node) {
	dir := t.TempDir()
	c := config.Default()
	c.Keys.Ring = key
	c.Ledger.Path = filepath.Join(dir, "axgate.db")
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	c.Redis.Timeout = 10 * time.Second // tests ask it themselves, on a busy machine
	open := func(name string, change func(*config.Config)) *Node {
		own := c
		own.Node, own.Data = name, filepath.Join(dir, name)
		change(&own)
		n, err := Open(t.Context(), own, zerolog.Nop())
		require.NoError(t, err)
		t.Cleanup(func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			require.NoError(t, n.Close(ctx))
		})
		require.NoError(t, n.Serve())
		return n
	}
	a = open("a", func(*config.Config) {})
	b = open("b", func(c *config.Config) { c.Redis.Address = a.Running().Redis })
	return a, b
}

// beating is a life of a node that is heard of until it dies; an instant is all that its own
// clock shows.
func beating(t *testing.T, l *ledger.Ledger, name string, at time.Time) (life ledger.Life, dies func()) {
	life = ledgertest.Alive(t, l, name, at)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = l.Beat(ctx, life, at, 1)
			case <-ctx.Done():
				return
			}
		}
	})
	dies = func() { cancel(); done.Wait() }
	t.Cleanup(dies)
	return life, dies
}

// TestTwoNodes: of a node that is killed one of the others closes the calls, with one fee
// event each, and frees what it was about to push; a node is drained by way of
// another, and orders reach the node that has a call.
func TestTwoNodes(t *testing.T) {
	a, b := twoNodes(t, "")
	ctx := t.Context()

	ghost, err := ledger.Open(ctx, ledgerConfig(&a.cfg))
	require.NoError(t, err)
	died := time.Now().UTC().Truncate(time.Microsecond)
	life := ledgertest.Alive(t, ghost, "ghost", died)
	const calls = 30
	for i := range calls {
		c := events.Call{Session: fmt.Sprint("ghost", i), Node: life.Node, Incarnation: life.Incarnation, App: "app", SP: "sp", Mode: "AX", X: "+8617010000001",
			In: died.Add(-time.Minute), Answered: died.Add(-50 * time.Second)}
		ledgertest.Record(t, ghost, c, events.NewCallEvent(c, 1, events.CallIn, c.In, ""), events.NewCallEvent(c, 2, events.Answer, c.Answered, ""))
	}
	require.NoError(t, ghost.Close()) // and it is heard of no more
	for i := range calls {
		c := closedCall(t, a, fmt.Sprint("ghost", i))
		require.Equal(t, died, c.Ended)
		require.Equal(t, "node_died", c.EndWord)
		page, err := b.ledger.Events(ctx, ledger.EventFilter{Session: c.Session})
		require.NoError(t, err)
		require.Len(t, page.Events, 4)
	}
	gone, _, err := a.ledger.Node(ctx, "ghost")
	require.NoError(t, err)
	require.Equal(t, ledger.NodeDead, gone.State)
	for _, n := range []*Node{a, b} {
		row, _, err := a.ledger.Node(ctx, n.cfg.Node)
		require.NoError(t, err)
		require.Equal(t, []any{int64(1), ledger.NodeUp}, []any{row.Incarnation, row.State}, "nobody else died")
	}

	post := func(path string) int {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.web.Base()+manage.Prefix+path, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+a.token)
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}).Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	until := func(what string, cond func() bool) {
		require.Eventually(t, cond, 15*time.Second, 20*time.Millisecond, what)
	}
	require.Equal(t, http.StatusOK, post("/nodes/b/drain"))
	until("b drains", b.server.Draining)
	require.False(t, a.server.Draining())
	until("a does its work", b.rests)
	require.False(t, a.rests())
	require.Equal(t, http.StatusOK, post("/nodes/b/undrain"))
	until("b is back", func() bool { return !b.server.Draining() })

	mine := events.Call{Session: "of b", Node: "b", Incarnation: b.roster.Incarnation(), App: "app", SP: "sp", Mode: "AX", X: "+8617010000001", In: died}
	ledgertest.Record(t, a.ledger, mine, events.NewCallEvent(mine, 1, events.CallIn, died, ""))
	up, err := a.hangUp(ctx, "of b")
	require.NoError(t, err, "b has answered")
	require.False(t, up, "it is not up there")
}
