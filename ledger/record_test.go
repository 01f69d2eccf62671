package ledger_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
)

// TestRefusedRecord: an entry that cannot be stored is told apart from the
// others, which stand.
func TestRefusedRecord(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		var entries []events.Entry
		for i := range 20 {
			c := died(fmt.Sprint("call", i))
			e := events.NewCallEvent(c, 1, events.CallIn, t0, "")
			if i == 13 {
				e.Session = "another"
			}
			entries = append(entries, events.Entry{Call: c, Events: []events.Event{e}})
		}
		entries = append(entries, events.Entry{})
		refused, err := l.Record(t.Context(), entries)
		require.NoError(t, err)
		require.Len(t, refused, 2)
		require.ErrorContains(t, refused[13], "came with the call")
		require.ErrorContains(t, refused[20], "no session")
		page, err := l.Events(t.Context(), ledger.EventFilter{Kind: events.CallIn})
		require.NoError(t, err)
		require.Len(t, page.Events, 19)
		calls, err := l.Calls(t.Context(), ledger.CallFilter{Open: true})
		require.NoError(t, err)
		require.Len(t, calls.Calls, 19)
	})
}

// TestRefusedByDatabase: what PostgreSQL does not take as text is refused for
// good, and a ledger that cannot write at the moment refuses nothing.
func TestRefusedByDatabase(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		c := died("one")
		c.UserData = "\x00"
		refused, err := l.Record(t.Context(), []events.Entry{{Call: c}, {Call: died("two")}})
		require.NoError(t, err)
		for i, why := range refused { // SQLite takes it
			require.Zero(t, i)
			require.True(t, ledger.NoText(why), why)
		}
		require.NoError(t, l.Close())
		refused, err = l.Record(t.Context(), []events.Entry{{Call: died("three")}})
		require.Error(t, err)
		require.Empty(t, refused)
	})
}

// TestManyAtOnce: rows of any number go together, the last state of each call
// with all its events, and once more changes nothing.
func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		const calls, kinds = 111, 3
		var entries []events.Entry
		for seq, kind := range []events.Kind{events.CallIn, events.CallOut, events.Answer} {
			for i := range calls {
				c := died(fmt.Sprint("call", i))
				c.Why = string(kind)
				entries = append(entries, events.Entry{Call: c, Events: []events.Event{events.NewCallEvent(c, seq+1, kind, t0, "")}})
			}
		}
		for _, part := range [][]events.Entry{entries, entries[:calls], entries[calls:]} {
			record(t, l, part...)
			page, err := l.Events(t.Context(), ledger.EventFilter{Limit: 1000})
			require.NoError(t, err)
			require.Len(t, page.Events, calls*kinds)
			list, err := l.Calls(t.Context(), ledger.CallFilter{Limit: 1000})
			require.NoError(t, err)
			require.Len(t, list.Calls, calls)
			for _, c := range list.Calls {
				require.Equal(t, string(events.Answer), c.Why)
			}
		}
	})
}

// TestCalleeIsFound: whether the call is up or over, and whomever it was put
// through to before.
func TestCalleeIsFound(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		c := died("one")
		write(t, l, c, events.NewCallEvent(c, 1, events.CallIn, t0, ""))
		found := func(f ledger.CallFilter) int {
			t.Helper()
			page, err := l.Calls(t.Context(), f)
			require.NoError(t, err)
			return len(page.Calls)
		}
		first, second := c.Callee, string(tel(77))
		require.Equal(t, 1, found(ledger.CallFilter{Callee: first}))
		require.Equal(t, 1, found(ledger.CallFilter{Number: first}))
		c.Callee, c.Ended = second, t0
		write(t, l, c, events.NewCallEvent(c, 2, events.Disconnect, t0, ""))
		require.Zero(t, found(ledger.CallFilter{Callee: first}))
		require.Equal(t, 1, found(ledger.CallFilter{Number: second}))
		write(t, l, c, events.NewFee(c, 3))
		require.Equal(t, 1, found(ledger.CallFilter{Callee: second}))
		require.Equal(t, 1, found(ledger.CallFilter{Number: second}))
		require.Equal(t, 1, found(ledger.CallFilter{Number: c.X, Callee: second}))
		require.Zero(t, found(ledger.CallFilter{Number: c.X, Callee: first}))
		evs, err := l.Events(t.Context(), ledger.EventFilter{Number: second})
		require.NoError(t, err)
		require.Len(t, evs.Events, 3)
	})
}
