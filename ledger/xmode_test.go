package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// TestXModeApp: what is done without an answer is kept with the app.
func TestXModeApp(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		key := addApp(t, l, routing.XMode, func(a *ledger.App) { a.Fallback, a.AnswerIn = tel(1), 1500*time.Millisecond }, x1)
		a, err := l.App(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, tel(1), a.Fallback)
		require.Equal(t, 1500*time.Millisecond, a.AnswerIn)
		_, err = l.ChangeApp(t.Context(), key, func(a *ledger.App) error { a.Fallback, a.AnswerIn = "", 0; return nil })
		require.NoError(t, err)
		list, err := l.Apps(t.Context())
		require.NoError(t, err)
		require.Empty(t, list[0].Fallback)
		require.Zero(t, list[0].AnswerIn)
		n, err := l.Number(t.Context(), x1)
		require.NoError(t, err)
		require.Zero(t, n.Room, "nothing is bound to it")
		f, err := l.Facts(t.Context(), routing.Question{Session: "s", X: x1, Caller: tel(2), At: t0})
		require.NoError(t, err)
		require.True(t, f.Known)
		require.Nil(t, f.ByCaller)
	})
}

func TestReceiverOfApp(t *testing.T) {
	a := ledger.App{StatusURL: "s", FeeURL: "f", Secret: "x", Signing: ledger.SignAKSK}
	require.Equal(t, events.Receiver{CallIn: "s", Status: "s", Fee: "f", Number: "s", Secret: "x", AKSK: true}, a.Receiver())
	a.CallInURL, a.NumberURL = "c", "n"
	require.Equal(t, events.Receiver{CallIn: "c", Status: "s", Fee: "f", Number: "n", Secret: "x", AKSK: true}, a.Receiver())
}

func record(t *testing.T, l *ledger.Ledger, entries ...events.Entry) {
	t.Helper()
	refused, err := l.Record(t.Context(), entries)
	require.NoError(t, err)
	require.Empty(t, refused)
}

func asked(seq int, a events.Inquiry) events.Entry {
	a.Session, a.Seq = "one", seq
	return events.Entry{Asked: &a}
}

// TestQuestionIsNotPushed: it is in the log with what became of it, is never
// due, not even by a replay, and holds up nothing.
func TestQuestionIsNotPushed(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		key := addApp(t, l, routing.XMode, nil, x1)
		c := events.Call{Session: "one", Node: "n", App: key, SP: "demo", Mode: "X", X: string(x1), Caller: string(tel(1)), In: t0}
		question := events.NewQuestion(c, 1, t0)
		record(t, l, events.Entry{Call: c, Events: []events.Event{question}}, asked(1, events.Inquiry{At: t0.Add(time.Second), Failure: "no answer in time"}))
		c.Ended = t0.Add(time.Minute)
		ledgertest.Record(t, l, c, events.NewCallEvent(c, 2, events.Disconnect, c.Ended, ""), events.NewFee(c, 3))
		look := func() ledger.LoggedEvent {
			page, err := l.Events(t.Context(), ledger.EventFilter{Session: "one"})
			require.NoError(t, err)
			require.Len(t, page.Events, 3)
			return page.Events[0]
		}
		e := look()
		require.Equal(t, events.CallIn, e.Kind)
		require.JSONEq(t, string(question.Body), string(e.Body))
		require.Equal(t, 1, e.Tries)
		require.True(t, e.Due.IsZero() && e.Done.IsZero())
		require.Equal(t, "no answer in time", e.Failure)
		require.Equal(t, ledger.PushFailed, e.Push())

		n, err := l.Replay(t.Context(), ledger.ReplayFilter{From: t0.Add(-time.Hour), To: t0.Add(time.Hour)}, t0.Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Zero(t, look().Due)
		now := t0.Add(2 * time.Hour)
		taken, _, err := l.Outbox().Claim(t.Context(), now, now.Add(time.Minute), func(events.Lane) int { return 10 })
		require.NoError(t, err)
		kinds := []events.Kind{}
		for _, c := range taken {
			kinds = append(kinds, c.Kind)
		}
		require.ElementsMatch(t, []events.Kind{events.Disconnect, events.Fee}, kinds)

		record(t, l, asked(1, events.Inquiry{At: t0, Done: t0.Add(time.Second)}))
		require.Equal(t, ledger.PushTaken, new(look()).Push())
		record(t, l, asked(2, events.Inquiry{At: t0, Failure: "x"}))
		page, err := l.Events(t.Context(), ledger.EventFilter{Session: "one"})
		require.NoError(t, err)
		require.Empty(t, page.Events[1].Failure, "only a question was asked")
	})
}

// TestMovedNumber: the app that loses X to another one is told that it is gone.
func TestMovedNumber(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		one := addApp(t, l, routing.AX, func(a *ledger.App) { a.PushNumbers = true }, x1)
		two := addApp(t, l, routing.AXB, func(a *ledger.App) { a.PushNumbers = true })
		_, _, err := l.SetStatus(t.Context(), x1, routing.StatusReturned, "", t0)
		require.NoError(t, err)
		_, err = l.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: x1, App: two}}, t0)
		require.NoError(t, err)
		_, _, err = l.SetStatus(t.Context(), x1, routing.StatusPaused, "", t0)
		require.NoError(t, err)
		for app, want := range map[string]string{one: `{"number":"+8617010000001","status":"10","cause":"1"}`, two: `{"number":"+8617010000001","status":"9"}`} {
			page, err := l.Events(t.Context(), ledger.EventFilter{Session: events.NumberSession(app, string(x1))})
			require.NoError(t, err)
			require.Len(t, page.Events, 1, app)
			require.JSONEq(t, want, string(page.Events[0].Body))
			require.Equal(t, app, page.Events[0].App)
		}
	})
}
