package ledger_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
)

// TestRefusedRecord: a record that cannot be written fails alone, and those
// that were queued with it stand.
func TestRefusedRecord(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		var written []<-chan error
		for i := range 20 {
			c := died(fmt.Sprint("call", i))
			e := events.NewCallEvent(c, 1, events.CallIn, t0, "")
			if i == 13 {
				e.Session = "another"
			}
			written = append(written, l.Journal().Write(c, e))
		}
		l.Journal().Hurry()
		for i, done := range written {
			if err := <-done; i == 13 {
				require.ErrorContains(t, err, "came with the call")
			} else {
				require.NoError(t, err)
			}
		}
		page, err := l.Events(t.Context(), ledger.EventFilter{Kind: events.CallIn})
		require.NoError(t, err)
		require.Len(t, page.Events, 19)
		calls, err := l.Calls(t.Context(), ledger.CallFilter{Open: true})
		require.NoError(t, err)
		require.Len(t, calls.Calls, 19)
	})
}

// TestManyAtOnce: rows of any number go together, the last state of each call
// with all its events.
func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		const calls, kinds = 111, 3
		var written []<-chan error
		for seq, kind := range []events.Kind{events.CallIn, events.CallOut, events.Answer} {
			for i := range calls {
				c := died(fmt.Sprint("call", i))
				c.Why = string(kind)
				written = append(written, l.Journal().Write(c, events.NewCallEvent(c, seq+1, kind, t0, "")))
			}
		}
		l.Journal().Hurry()
		for _, done := range written {
			require.NoError(t, <-done)
		}
		page, err := l.Events(t.Context(), ledger.EventFilter{Limit: 1000})
		require.NoError(t, err)
		require.Len(t, page.Events, calls*kinds)
		list, err := l.Calls(t.Context(), ledger.CallFilter{Limit: 1000})
		require.NoError(t, err)
		require.Len(t, list.Calls, calls)
		for _, c := range list.Calls {
			require.Equal(t, string(events.Answer), c.Why)
		}
	})
}

// TestTakenAlong: what nobody waits for is written with the next that somebody
// waits for, and at the latest when the ledger is closed.
func TestTakenAlong(t *testing.T) {
	l := open(t, configs(t)["sqlite"])
	for i := range 50 {
		c := died(fmt.Sprint("call", i))
		written := l.Journal().Write(c, events.NewCallEvent(c, 1, events.CallIn, t0, ""))
		_, err := l.RaiseEpoch(t.Context(), "test")
		require.NoError(t, err)
		select {
		case err := <-written:
			require.NoError(t, err)
		default:
			require.Fail(t, "it stays behind")
		}
	}
	c := died("last")
	written := l.Journal().Write(c, events.NewCallEvent(c, 1, events.CallIn, t0, ""))
	require.NoError(t, l.Close())
	require.NoError(t, <-written)
}

// TestFullJournal: no more records wait than may, and what was taken is
// written.
func TestFullJournal(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			cfg.Queue = 3
			l := open(t, cfg)
			var taken, refused int
			var waiting []<-chan error
			for i := range 100 {
				c := died(fmt.Sprint("call", i))
				waiting = append(waiting, l.Journal().Write(c, events.NewCallEvent(c, 1, events.CallIn, t0, "")))
			}
			for _, done := range waiting {
				if err := <-done; err != nil {
					require.ErrorIs(t, err, ledger.ErrJournalFull)
					refused++
				} else {
					taken++
				}
			}
			require.NotZero(t, refused)
			page, err := l.Calls(t.Context(), ledger.CallFilter{Limit: 1000})
			require.NoError(t, err)
			require.Len(t, page.Calls, taken)
		})
	}
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
