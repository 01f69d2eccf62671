package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
)

// TestFailed: what the database refuses is no failure of it.
func TestFailed(t *testing.T) {
	for _, err := range []error{nil, sql.ErrNoRows, ledger.ErrUnknownX, context.Canceled, &pgconn.PgError{Code: "23505"}, &pgconn.PgError{Code: "40001"}} {
		require.False(t, ledger.Failed(err), "%v", err)
	}
	for _, err := range []error{context.DeadlineExceeded, &net.OpError{Op: "read", Err: errors.New("reset")}, &pgconn.PgError{Code: "57P01"}, &pgconn.PgError{Code: "53300"}, sql.ErrConnDone} {
		require.True(t, ledger.Failed(fmt.Errorf("store: %w", err)), "%v", err)
	}
}

// TestWatch: each piece of work is told of once, with its kind.
func TestWatch(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[ledger.Work]int{}
	l, err := ledger.Open(context.Background(), ledger.Config{Path: t.TempDir() + "/l.db", Watch: func(w ledger.Work, took time.Duration, failed bool) {
		mu.Lock()
		defer mu.Unlock()
		require.False(t, failed)
		require.Less(t, took, time.Minute)
		seen[w]++
	}})
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	require.NoError(t, l.Settled(context.Background(), nil))
	_, err = l.Marks(context.Background())
	require.NoError(t, err)
	require.Equal(t, map[ledger.Work]int{ledger.Change: 1, ledger.Read: 1}, seen)
}

// TestFigures: what is owed, waits and is bound is counted, on both databases.
func TestFigures(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		owed, err := l.Outbox().Owed(ctx)
		require.NoError(t, err)
		require.Zero(t, owed)
		waiting, err := l.WaitingTexts(ctx)
		require.NoError(t, err)
		require.Zero(t, waiting)

		app := addApp(t, l, routing.AXB, func(a *ledger.App) { a.StatusURL = "http://192.0.2.1/" }, x1, x2)
		_, _, err = l.Bind(ctx, axb(app, x1, tel(1), tel(2)))
		require.NoError(t, err)
		stock, err := l.Stock(ctx)
		require.NoError(t, err)
		require.Equal(t, ledger.Stock{Numbers: 2, Bindings: 1, Unsettled: 2}, stock)

		c := died("one")
		c.App = app
		record(t, l, events.Entry{Call: c, Events: []events.Event{events.NewCallEvent(c, 1, events.CallIn, time.Now().Add(-time.Hour), "")}})
		owed, err = l.Outbox().Owed(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, owed.Events)
		require.InDelta(t, time.Hour, owed.Oldest, float64(time.Minute))

		m := text("1")
		m.At = time.Now().Add(-time.Minute)
		addText(t, l, m)
		waiting, err = l.WaitingTexts(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{1, 0}, []int{waiting.Whole, waiting.Retried})
		require.InDelta(t, time.Minute, waiting.Oldest, float64(30*time.Second))
	})
}

// TestUnsettledStock: a change counts as not settled only when the cache's word has
// been due for long, so that changes all the time are no reason to worry.
func TestUnsettledStock(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l := open(t, cfg)
			app := addApp(t, l, routing.AXB, nil, x1, x2)
			execute(t, cfg, "DELETE FROM unsettled")
			for _, x := range []routing.X{x1, x2} {
				b := axb(app, x, tel(1), tel(2))
				b.CreatedAt = time.Now()
				_, _, err := l.Bind(t.Context(), b)
				require.NoError(t, err)
			}
			unsettled := func() int64 {
				stock, err := l.Stock(t.Context())
				require.NoError(t, err)
				return stock.Unsettled
			}
			require.Zero(t, unsettled(), "they were made a moment ago")
			execute(t, cfg, "UPDATE unsettled SET since = since - 61000000 WHERE x = '"+string(x1)+"'")
			require.EqualValues(t, 1, unsettled())
		})
	}
}
