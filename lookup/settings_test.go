package lookup_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/lookup"
	"axgate/routing"
	"axgate/vault"
)

// withKey is the ledger as a node uses it that has a key which this one lacks.
func (w *world) withKey() *ledger.Ledger {
	w.t.Helper()
	line, err := vault.NewKey("new")
	require.NoError(w.t, err)
	ring, err := vault.ReadRing(strings.NewReader(line))
	require.NoError(w.t, err)
	l, err := ledger.Open(w.ctx, ledger.Config{Path: w.path, Ring: ring})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, l.Close()) })
	return l
}

// TestUnopenedSecrets: secrets that another node has encrypted with a key that this
// one does not have concern their apps alone, and those only where they sign.
func TestUnopenedSecrets(t *testing.T) {
	const warning = "secrets of apps cannot be opened"
	a := newAsking(t, nil)
	require.Eventually(t, func() bool { return !a.router.Told(events.Lane{App: "X", Target: events.ToFee}) }, 10*time.Second, 20*time.Millisecond, "the settings of before are read")
	a.pair(anna, bert)
	a.says(connects(bert))
	other := a.withKey()
	for _, key := range []string{"X", "AXE"} {
		_, err := other.ChangeApp(a.ctx, key, func(app *ledger.App) error {
			app.Retries = 2
			return nil
		})
		require.NoError(t, err)
	}
	paused := func(key string) {
		_, err := a.office.ChangeApp(a.ctx, key, func(app *ledger.App) error {
			app.Paused = true
			return nil
		})
		require.NoError(t, err)
	}
	require.Equal(t, bert, dials(a.decide("before", xAXB, anna)))
	paused("AXB")
	require.Eventually(t, func() bool {
		return dials(a.decide("after", xAXB, anna)) == "app_paused"
	}, 10*time.Second, 20*time.Millisecond, "other apps' settings are followed")
	d, session, err := a.call(t.Context(), anna)
	require.NoError(t, err)
	require.Equal(t, bert, dials(d), d.Why)
	require.Equal(t, "done", a.logged(session), "its server is asked with the secret of before")
	warned := a.log.count(warning)
	require.Positive(t, warned)
	time.Sleep(1200 * time.Millisecond) // two looks more
	require.Equal(t, warned, a.log.count(warning), "once for a change")
	require.Zero(t, a.log.count("this node goes by what it knew"))

	_, err = other.ChangeApp(a.ctx, "X", func(app *ledger.App) error {
		app.Paused = true
		return nil
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		d, err := a.router.Peek(a.ctx, asks("peek", xX, anna))
		return err == nil && dials(d) == "app_paused"
	}, 10*time.Second, 20*time.Millisecond, "its own settings are followed, too")
	require.Equal(t, warned+1, a.log.count(warning))
}

// TestUnopenedFromTheBeginning: the server of an app whose secret was never known is
// not asked, and the call goes by what holds for a server that is silent.
func TestUnopenedFromTheBeginning(t *testing.T) {
	a := &asking{world: newWorld(t)}
	const made routing.X = "+8617010000008"
	_, err := a.withKey().CreateApp(a.ctx, ledger.App{App: routing.App{Key: "made", SP: "demo", Mode: routing.XMode, Fallback: carl}, Secret: "s", Signing: ledger.SignWSSE, CallInURL: "http://127.0.0.1:1/"})
	require.NoError(t, err)
	_, err = a.office.AddNumber(a.ctx, ledger.Number{XNumber: routing.XNumber{X: made, App: "made", AreaCode: "0755"}, Voice: true})
	require.NoError(t, err)
	q := asks("made", made, anna)
	var d routing.Decision
	require.Eventually(t, func() bool {
		d, err = a.router.Decide(a.ctx, q)
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, routing.Ask, d.Step, d.Why)
	c := events.Call{Session: q.Session, Node: "n1", App: "made", SP: "demo", Mode: "X", X: string(made), Caller: anna, In: q.At}
	question := events.NewQuestion(c, 1, q.At)
	ledgertest.Record(t, a.ledger, c, question)
	d, err = a.router.Ask(a.ctx, q, d, question)
	require.NoError(t, err)
	require.Equal(t, carl, dials(d), d.Why)
	require.Contains(t, a.logged(q.Session), "add key")
}

// TestWarnsOnce: settings that are read again and again, because somebody cannot take
// them over, have the log warn once.
func TestWarnsOnce(t *testing.T) {
	w := newWorld(t)
	var read atomic.Int32
	var log lines
	r, err := lookup.New(w.ctx, lookup.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "n1", Roster: inRoster(t, w.ledger, "n1"), Log: zerolog.New(&log),
		Settings: func(context.Context) error {
			if read.Add(1) > 1 {
				return errors.New("not now")
			}
			return nil
		}})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) })
	t.Cleanup(func() { stop(); done.Wait() })
	_, err = w.withKey().ChangeApp(w.ctx, "AXE", func(app *ledger.App) error {
		app.Retries = 2
		return nil
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return read.Load() > 4 }, 15*time.Second, 20*time.Millisecond)
	require.Equal(t, 1, log.count("secrets of apps cannot be opened"))
}
