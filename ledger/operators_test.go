package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

func TestOperators(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		require.NoError(t, l.EnsureAccount(ctx, ledger.Account{SP: "demo", MaxApps: 1}, t0))
		carol := ledger.Operator{ID: "c1", Name: "carol", Role: ledger.RoleReadOnly, SP: "demo", Unmasked: true, Hash: "h", Created: t0, Expires: t0.Add(time.Hour)}
		require.NoError(t, l.AddOperator(ctx, carol))
		require.NoError(t, l.AddOperator(ctx, ledger.Operator{ID: "a1", Name: "anna", Role: ledger.RoleOperator, Hash: "h", Created: t0}))
		require.ErrorIs(t, l.AddOperator(ctx, ledger.Operator{ID: "a2", Name: "anna", Role: ledger.RoleOperator, Hash: "h", Created: t0}), ledger.ErrOperatorExists)
		require.ErrorIs(t, l.AddOperator(ctx, ledger.Operator{ID: "b1", Name: "bert", Role: ledger.RoleTenant, SP: "nobody", Hash: "h", Created: t0}), ledger.ErrUnknownAccount)

		is, err := l.Operator(ctx, "c1")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(carol, is))
		require.True(t, is.Works(t0))
		require.False(t, is.Works(t0.Add(time.Hour)), "it has expired")
		_, err = l.Operator(ctx, "c2")
		require.ErrorIs(t, err, ledger.ErrUnknownOperator)

		for _, id := range []string{"a\x00b", "a\xffb"} {
			_, err = l.Operator(ctx, id)
			require.True(t, ledger.NoText(err) || errors.Is(err, ledger.ErrUnknownOperator), "%v", err)
		}

		gone, err := l.RevokeOperator(ctx, "c1", t0.Add(time.Minute))
		require.NoError(t, err)
		require.False(t, gone.Works(t0.Add(2*time.Minute)))
		again, err := l.RevokeOperator(ctx, "c1", t0.Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, gone.Revoked, again.Revoked, "the first time counts")
		_, err = l.RevokeOperator(ctx, "c2", t0)
		require.ErrorIs(t, err, ledger.ErrUnknownOperator)

		list, err := l.Operators(ctx, "", 10)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "anna", list[0].Name)
		list, err = l.Operators(ctx, "anna", 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

func TestAudit(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		for i := range 5 {
			sp := []string{"demo", "other"}[i%2]
			e := ledger.AuditEntry{At: t0.Add(time.Duration(i) * time.Second), Operator: "a1", Name: "anna", Role: ledger.RoleOperator, Source: "10.0.0.1", Operation: "changeApp", SP: sp, Target: "app"}
			seq, err := l.BeginAudit(ctx, e)
			require.NoError(t, err)
			require.Equal(t, int64(i+1), seq)
			if i == 4 {
				break // nobody knows how it went
			}
			e.Seq, e.Done, e.Status, e.Code, e.Detail = seq, e.At.Add(time.Second), 422, "1010002", "name"
			require.NoError(t, l.FinishAudit(ctx, e))
		}
		page, err := l.Audit(ctx, ledger.AuditFilter{Limit: 2})
		require.NoError(t, err)
		require.Len(t, page.Entries, 2)
		require.Zero(t, page.Entries[0].Status)
		require.True(t, page.Entries[0].Done.IsZero())
		require.Empty(t, cmp.Diff(ledger.AuditEntry{Seq: 4, At: t0.Add(3 * time.Second), Done: t0.Add(4 * time.Second), Operator: "a1", Name: "anna", Role: ledger.RoleOperator,
			Source: "10.0.0.1", Operation: "changeApp", SP: "other", Target: "app", Detail: "name", Status: 422, Code: "1010002"}, page.Entries[1]))
		page, err = l.Audit(ctx, ledger.AuditFilter{Limit: 2, After: page.Next})
		require.NoError(t, err)
		require.Equal(t, int64(3), page.Entries[0].Seq)
		page, err = l.Audit(ctx, ledger.AuditFilter{SP: "other", Operator: "a1", Operation: "changeApp", From: t0, To: t0.Add(2 * time.Second)})
		require.NoError(t, err)
		require.Len(t, page.Entries, 1)
		_, err = l.Audit(ctx, ledger.AuditFilter{After: "x"})
		var wrong *ledger.CursorError
		require.ErrorAs(t, err, &wrong)
	})
}

// TestCallsAndEventsByFilter finds each call and event by what it is, and by
// nothing else.
func TestCallsAndEventsByFilter(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		addApp(t, l, routing.AXB, func(a *ledger.App) { a.StatusURL, a.FeeURL = "http://127.0.0.1/", "http://127.0.0.1/" }, x1)
		write := func(session string, caller, callee string, at time.Time, end routing.End, answered bool) {
			c := events.Call{Session: session, Node: "n", App: "appAXB", SP: "demo", Mode: "AXB", X: string(x1), Caller: caller, Callee: callee, Binding: "b-" + session, CallerTrunk: "from-" + session, In: at, Why: "why " + session}
			if answered {
				c.Answered = at.Add(time.Second)
			}
			ledgertest.Record(t, l, c, events.NewCallEvent(c, 1, events.CallIn, at, ""))
			c.CalleeTrunk = "over-" + session
			c.Ended, c.FailReason, c.EndWord = at.Add(2*time.Second), end.FailReason, end.Word
			ledgertest.Record(t, l, c, events.NewCallEvent(c, 2, events.Disconnect, c.Ended, ""), events.NewFee(c, 3))
		}
		write("s1", string(tel(1)), string(tel(2)), t0, routing.EndTalk, true)
		write("s2", string(tel(2)), string(tel(3)), t0.Add(time.Minute), routing.EndBusy, false)
		no, yes, busy, fine := false, true, routing.EndBusy.FailReason, 0
		for name, c := range map[string]struct {
			filter ledger.CallFilter
			want   []string
		}{
			"all":     {ledger.CallFilter{}, []string{"s2", "s1"}},
			"number":  {ledger.CallFilter{Number: string(tel(2))}, []string{"s2", "s1"}},
			"caller":  {ledger.CallFilter{Caller: string(tel(2))}, []string{"s2"}},
			"callee":  {ledger.CallFilter{Callee: string(tel(2))}, []string{"s1"}},
			"X":       {ledger.CallFilter{X: string(x1), Limit: 1}, []string{"s2"}},
			"binding": {ledger.CallFilter{Binding: "b-s1"}, []string{"s1"}},
			"end":     {ledger.CallFilter{End: "callee_busy"}, []string{"s2"}},
			"from":    {ledger.CallFilter{Trunk: "from-s1", Number: string(tel(2))}, []string{"s1"}},
			"over":    {ledger.CallFilter{Trunk: "over-s2"}, []string{"s2"}},
			"code":    {ledger.CallFilter{Code: &busy}, []string{"s2"}},
			"code 0":  {ledger.CallFilter{Code: &fine}, []string{"s1"}},
			"talked":  {ledger.CallFilter{Talked: &yes}, []string{"s1"}},
			"not":     {ledger.CallFilter{Talked: &no}, []string{"s2"}},
			"account": {ledger.CallFilter{SP: "demo", Number: string(tel(1))}, []string{"s1"}},
			"other":   {ledger.CallFilter{SP: "other"}, nil},
		} {
			page, err := l.Calls(ctx, c.filter)
			require.NoError(t, err, name)
			var got []string
			for _, call := range page.Calls {
				got = append(got, call.Session)
				require.Equal(t, "why "+call.Session, call.Why)
			}
			require.Equal(t, c.want, got, name)
		}
		count := func(f ledger.EventFilter) int {
			n := 0
			for f.Limit = 2; ; {
				page, err := l.Events(ctx, f)
				require.NoError(t, err)
				n += len(page.Events)
				if f.After = page.Next; page.Next == "" {
					return n
				}
				require.Len(t, page.Events, 2)
			}
		}
		require.Equal(t, 6, count(ledger.EventFilter{}))
		require.Equal(t, 3, count(ledger.EventFilter{Session: "s1"}))
		require.Equal(t, 3, count(ledger.EventFilter{Number: string(tel(1))}))
		require.Equal(t, 6, count(ledger.EventFilter{Number: string(x1), SP: "demo", App: "appAXB"}))
		require.Equal(t, 2, count(ledger.EventFilter{Kind: events.Fee}))
		require.Equal(t, 6, count(ledger.EventFilter{Push: ledger.PushDue}))
		require.Zero(t, count(ledger.EventFilter{Push: ledger.PushTaken}))
		require.Zero(t, count(ledger.EventFilter{SP: "other"}))
		_, err := l.Events(ctx, ledger.EventFilter{After: "nonsense"})
		var wrong *ledger.CursorError
		require.ErrorAs(t, err, &wrong)
	})
}
