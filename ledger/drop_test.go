package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
	"axgate/sms"
)

// ended journals a call that is over, with disconnect and fee event.
func ended(t *testing.T, l *ledger.Ledger, session string, at time.Time, edit func(*events.Call)) events.Call {
	t.Helper()
	c := died(session)
	c.In, c.Ended, c.EndWord = at, at.Add(time.Minute), "talk_ended"
	if edit != nil {
		edit(&c)
	}
	write(t, l, c, events.NewCallEvent(c, 1, events.CallIn, c.In, ""), events.NewCallEvent(c, 2, events.Disconnect, c.Ended, ""), events.NewFee(c, 3))
	return c
}

// push has all that is due taken, or given up, at an instant.
func push(t *testing.T, l *ledger.Ledger, at time.Time, taken bool) {
	t.Helper()
	for more := true; more; {
		list, _, err := l.Outbox().Claim(t.Context(), at, at.Add(time.Minute), func(events.Lane) int { return 1000 })
		require.NoError(t, err)
		var outcomes []events.Outcome
		for _, c := range list {
			o := events.Outcome{Claimed: c}
			o.Due, o.Tries, o.First = time.Time{}, 1, at
			if o.Failure = "nobody took it"; taken {
				o.Done, o.Failure = at, ""
			}
			outcomes = append(outcomes, o)
		}
		require.NoError(t, l.Outbox().Finish(t.Context(), outcomes))
		more = len(list) > 0
	}
}

func sessions(t *testing.T, l *ledger.Ledger) (list []string) {
	t.Helper()
	page, err := l.Calls(t.Context(), ledger.CallFilter{Limit: 1000})
	require.NoError(t, err)
	for i := range page.Calls {
		list = append(list, page.Calls[i].Session)
	}
	return list
}

// TestDropCalls: what is open, owed, recorded or young stays, and the rest goes
// with its events.
func TestDropCalls(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		before := t0.Add(31 * 24 * time.Hour)
		for i := range 5 {
			ended(t, l, fmt.Sprint("old", i), t0.Add(time.Duration(i)*time.Second), nil)
		}
		ended(t, l, "recorded", t0, func(c *events.Call) { c.RecordFile = "a.wav" })
		ended(t, l, "other", t0, func(c *events.Call) { c.App = "other" })
		ended(t, l, "young", before, nil)
		push(t, l, before.Add(2*time.Minute), true)
		ended(t, l, "owed", t0, nil)
		write(t, l, died("open"))

		d := ledger.Drop{App: "app", Before: before, Most: 2}
		var n, evs int
		for more := true; more; {
			out, err := l.DropCalls(t.Context(), d)
			require.NoError(t, err)
			require.LessOrEqual(t, out.Rows, 2)
			n, evs, d.From, more = n+out.Rows, evs+out.Events, out.Last, out.More
		}
		require.Equal(t, []int{5, 15}, []int{n, evs})
		require.ElementsMatch(t, []string{"recorded", "other", "young", "owed", "open"}, sessions(t, l))
		out, err := l.DropEvents(t.Context(), ledger.Drop{App: "app", Before: before.Add(time.Hour), Most: 100})
		require.NoError(t, err)
		require.Zero(t, out.Rows, "they are of calls")

		gone, err := l.RecordingsGone(t.Context(), []string{"recorded", "owed"}, before)
		require.NoError(t, err)
		require.Equal(t, 1, gone)
		push(t, l, before.Add(time.Hour), false)
		out, err = l.DropCalls(t.Context(), ledger.Drop{App: "app", Before: before, Most: 100})
		require.NoError(t, err)
		require.Equal(t, 2, out.Rows, "recorded and owed")
		require.ElementsMatch(t, []string{"other", "young", "open"}, sessions(t, l))
	})
}

// TestDropTextsAndEvents: texts go with their parts and notices once all is
// done; events that are nobody's go alone.
func TestDropTextsAndEvents(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		before := t0.Add(31 * 24 * time.Hour)
		for _, id := range []string{"done", "noticed"} {
			m := text(id)
			m.Done, m.Due, m.Ahead = t0, time.Time{}, false
			notice := events.NewSMSNotice(events.SMS{ID: id, App: "app", At: t0}, 1)
			_, err := l.AddText(t.Context(), &m, sms.Twin{}, roomy, notice)
			require.NoError(t, err)
			if id == "done" {
				push(t, l, t0.Add(time.Minute), true)
			}
		}
		addText(t, l, text("waiting"))
		out, err := l.DropTexts(t.Context(), ledger.Drop{App: "app", Before: before, Most: 100})
		require.NoError(t, err)
		require.Equal(t, []int{1, 1}, []int{out.Rows, out.Events})
		_, err = l.Message(t.Context(), "done")
		require.ErrorIs(t, err, ledger.ErrNoMessage)
		for _, id := range []string{"noticed", "waiting"} {
			_, err = l.Message(t.Context(), id)
			require.NoError(t, err)
		}
	})
}

// TestDropStrayEvents: events of nobody go unless they are owed.
func TestDropStrayEvents(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l := open(t, cfg)
			ended(t, l, "gone", t0, nil)
			push(t, l, t0.Add(time.Minute), true)
			ended(t, l, "owed", t0, nil)
			execute(t, cfg, "DELETE FROM calls")
			out, err := l.DropEvents(t.Context(), ledger.Drop{App: "app", Before: t0.Add(time.Hour), Most: 100})
			require.NoError(t, err)
			require.Equal(t, 3, out.Rows)
			page, err := l.Events(t.Context(), ledger.EventFilter{})
			require.NoError(t, err)
			require.Len(t, page.Events, 3)
		})
	}
}

// TestDropBindings: those that stand stay, whatever their age.
func TestDropBindings(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		app := addApp(t, l, routing.AXB, nil, x1)
		stands, _, err := l.Bind(t.Context(), axb(app, x1, tel(1), tel(2)))
		require.NoError(t, err)
		over, _, err := l.Bind(t.Context(), axb(app, x1, tel(3), tel(4)))
		require.NoError(t, err)
		_, err = l.Unbind(t.Context(), app, over.ID, t0.Add(time.Hour))
		require.NoError(t, err)
		out, err := l.DropBindings(t.Context(), ledger.Drop{App: app, Before: t0.Add(time.Hour), Most: 100})
		require.NoError(t, err)
		require.Zero(t, out.Rows)
		out, err = l.DropBindings(t.Context(), ledger.Drop{App: app, Before: t0.Add(2 * time.Hour), Most: 100})
		require.NoError(t, err)
		require.Equal(t, 1, out.Rows)
		_, err = l.Binding(t.Context(), stands.ID, t0.Add(2*time.Hour))
		require.NoError(t, err)
	})
}

// TestDropAudit: the newest stay.
func TestDropAudit(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		for i := range 5 {
			_, err := l.BeginAudit(t.Context(), ledger.AuditEntry{At: t0.Add(time.Duration(i) * time.Hour)})
			require.NoError(t, err)
		}
		out, err := l.DropAudit(t.Context(), t0.Add(3*time.Hour), 2)
		require.NoError(t, err)
		require.True(t, out.More)
		require.Equal(t, 2, out.Rows)
		out, err = l.DropAudit(t.Context(), t0.Add(3*time.Hour), 2)
		require.NoError(t, err)
		require.False(t, out.More)
		page, err := l.Audit(t.Context(), ledger.AuditFilter{})
		require.NoError(t, err)
		require.Len(t, page.Entries, 2)
	})
}

// TestReplayedRecording: the time of a recording begins with the first push of
// its fee event; whatever is pushed later gives it no more, and what was deleted
// is never found again.
func TestReplayedRecording(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		replay := func(at time.Time) {
			n, err := l.Replay(t.Context(), ledger.ReplayFilter{From: t0, To: t0.Add(time.Hour)}, at)
			require.NoError(t, err)
			require.NotZero(t, n)
		}
		kept := func(file string) time.Time {
			r, err := l.Recording(t.Context(), "app", file)
			require.NoError(t, err)
			return r.Kept
		}
		taken := ended(t, l, "taken", t0, func(c *events.Call) { c.RecordFile = "taken.wav" })
		require.Zero(t, kept("taken.wav"), "it is owed")
		replay(t0.Add(time.Minute))
		require.Zero(t, kept("taken.wav"), "it still is")
		first := t0.Add(time.Hour)
		push(t, l, first, true)
		require.Equal(t, first, kept("taken.wav"))
		given := ended(t, l, "given up", t0, func(c *events.Call) { c.RecordFile = "given.wav" })
		push(t, l, first, false)
		require.Equal(t, given.Ended, kept("given.wav"))

		replay(t0.Add(2 * time.Hour))
		require.Equal(t, first, kept("taken.wav"))
		require.Equal(t, given.Ended, kept("given.wav"))
		push(t, l, t0.Add(3*time.Hour), true)
		require.Equal(t, first, kept("taken.wav"))
		require.Equal(t, given.Ended, kept("given.wav"))

		_, err := l.RecordingsGone(t.Context(), []string{taken.Session}, t0)
		require.NoError(t, err)
		_, err = l.Recording(t.Context(), "app", "taken.wav")
		require.ErrorIs(t, err, ledger.ErrNoRecording)
		replay(t0.Add(4 * time.Hour))
		_, err = l.Recording(t.Context(), "app", "taken.wav")
		require.ErrorIs(t, err, ledger.ErrNoRecording)
		states, err := l.RecordingStates(t.Context(), []string{"taken.wav", "given.wav", "none.wav"})
		require.NoError(t, err)
		require.Equal(t, map[string]ledger.RecordingState{"taken.wav": ledger.RecordingDeleted, "given.wav": ledger.RecordingKept}, states)
	})
}

// TestJob: one holder at a time, and not before it is due.
func TestJob(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		take := func(who string, now time.Time, early bool) error {
			return l.TakeJob(context.Background(), "job", who, now, now.Add(time.Minute), early)
		}
		require.NoError(t, take("a", t0, false))
		require.NoError(t, take("a", t0, false), "it has it")
		require.ErrorIs(t, take("b", t0.Add(time.Minute-1), true), ledger.ErrJobHeld)
		require.NoError(t, l.KeepJob(t.Context(), "job", "a", t0.Add(2*time.Minute)))
		require.ErrorIs(t, take("b", t0.Add(time.Minute), false), ledger.ErrJobHeld)
		require.NoError(t, take("b", t0.Add(2*time.Minute), false), "a is silent")
		require.ErrorIs(t, l.KeepJob(t.Context(), "job", "a", t0.Add(time.Hour)), ledger.ErrJobHeld)
		done := ledger.Job{Name: "job", Holder: "b", Due: t0.Add(time.Hour), Done: t0, By: "node", Result: "{}"}
		require.NoError(t, l.FinishJob(t.Context(), done))
		is, err := l.Job(t.Context(), "job")
		require.NoError(t, err)
		require.Equal(t, done, is)
		require.ErrorIs(t, take("a", t0.Add(time.Hour-1), false), ledger.ErrJobHeld)
		require.NoError(t, take("a", t0.Add(time.Hour-1), true))
		require.NoError(t, l.FinishJob(t.Context(), ledger.Job{Name: "job", Holder: "a", Due: t0.Add(time.Hour)}))
		require.NoError(t, take("b", t0.Add(time.Hour), false))
	})
}

// TestDropByIndex: nothing that is deleted hourly is looked for in a whole table.
func TestDropByIndex(t *testing.T) {
	cfg := ledgertest.SQLite(t)
	for query, index := range ledger.DropQueries() {
		plan := explain(t, cfg, "", parameter.ReplaceAllString(query, "'1'"))
		require.NotRegexp(t, `SCAN (old|c|e|m|calls|events|messages|bindings)\b`, plan, query)
		require.Contains(t, plan, "INDEX "+index, query)
	}
}
