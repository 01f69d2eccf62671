package ledger_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
)

// TestAccess: what requests are held to is kept with the app, and what tells
// whether a request is the app's is read at once.
func TestAccess(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		want := ledger.Access{Rate: 60, Networks: []string{"192.0.2.7", "2001:db8::/32"}, OnceNonce: true}
		key := addApp(t, l, routing.AXB, func(a *ledger.App) { a.Access = want })
		a, err := l.App(ctx, key)
		require.NoError(t, err)
		require.Equal(t, want, a.Access)
		c, err := l.Credentials(ctx, key)
		require.NoError(t, err)
		require.Equal(t, ledger.Credentials{Key: key, SP: "demo", Mode: "AXB", Secret: "s", Access: want}, c)

		_, err = l.ChangeApp(ctx, key, func(a *ledger.App) error {
			a.Secret, a.Paused, a.Access = "t", true, ledger.Access{Rate: -1}
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, l.ChangeAccount(ctx, "demo", func(acc *ledger.Account) error { acc.MaxApps, acc.Frozen = 10, true; return nil }))
		c, err = l.Credentials(ctx, key)
		require.NoError(t, err)
		require.Equal(t, ledger.Credentials{Key: key, SP: "demo", Mode: "AXB", Secret: "t", Paused: true, Frozen: true, Access: ledger.Access{Rate: -1}}, c)
		_, err = l.Credentials(ctx, "nobody")
		require.ErrorIs(t, err, ledger.ErrUnknownApp)
	})
}

// TestSecret: all who ask for a name get the same, whoever was first.
func TestSecret(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		const askers = 8
		got := make([]string, askers)
		var all sync.WaitGroup
		for i := range askers {
			all.Go(func() {
				var err error
				got[i], err = l.Secret(t.Context(), "links")
				require.NoError(t, err)
			})
		}
		all.Wait()
		for _, s := range got {
			require.Equal(t, got[0], s)
		}
		require.GreaterOrEqual(t, len(got[0]), 32)
		other, err := l.Secret(t.Context(), "others")
		require.NoError(t, err)
		require.NotEqual(t, got[0], other)
	})
}

// TestRecording: an app finds its own recordings once their fee event is
// written; their time begins with its push.
func TestRecording(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		for _, mode := range []routing.Mode{routing.AXB, routing.AX} {
			addApp(t, l, mode, func(a *ledger.App) { a.FeeURL = "http://127.0.0.1/" })
		}
		record := func(session, app, file string) events.Call {
			c := died(session)
			c.App, c.RecordFile, c.Answered = app, file, t0
			write(t, l, c, events.NewCallEvent(c, 1, events.CallIn, t0, ""))
			_, err := l.Recording(ctx, app, file)
			require.ErrorIs(t, err, ledger.ErrNoRecording, "the call is not over")
			c.Ended = t0.Add(time.Minute)
			write(t, l, c, events.NewCallEvent(c, 2, events.Disconnect, c.Ended, ""), events.NewFee(c, 3))
			return c
		}
		record("s1", "appAXB", "1.wav")
		ended := record("s2", "appAX", "2.wav").Ended
		r, err := l.Recording(ctx, "appAXB", "1.wav")
		require.NoError(t, err)
		require.Equal(t, ledger.Recording{App: "appAXB", File: "1.wav", Node: "n"}, r, "the push is owed")
		for _, c := range [][2]string{{"appAX", "1.wav"}, {"appAXB", "2.wav"}, {"appAXB", ""}, {"", "1.wav"}, {"appAXB", "3.wav"}} {
			_, err = l.Recording(ctx, c[0], c[1])
			require.ErrorIs(t, err, ledger.ErrNoRecording)
		}
		pushed := t0.Add(time.Hour)
		claimed, _, err := l.Outbox().Claim(ctx, pushed, pushed.Add(time.Minute), func(events.Lane) int { return 10 })
		require.NoError(t, err)
		var done []events.Outcome
		for _, c := range claimed {
			o := events.Outcome{Claimed: c, At: pushed, Done: pushed}
			if c.App == "appAX" { // nobody takes it
				o.Done = time.Time{}
			}
			done = append(done, o)
		}
		require.NotEmpty(t, done)
		require.NoError(t, l.Outbox().Finish(ctx, done))
		r, err = l.Recording(ctx, "appAXB", "1.wav")
		require.NoError(t, err)
		require.True(t, pushed.Equal(r.Kept), "%v", r.Kept)
		r, err = l.Recording(ctx, "appAX", "2.wav")
		require.NoError(t, err)
		require.True(t, ended.Equal(r.Kept), "%v", r.Kept)

		require.NoError(t, l.SetBase(ctx, "n", "http://one.example"))
		require.NoError(t, l.SetBase(ctx, "m", "http://two.example"))
		require.NoError(t, l.SetBase(ctx, "n", "https://one.example"))
		bases, err := l.Bases(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]string{"n": "https://one.example", "m": "http://two.example"}, bases)
	})
}
