package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

// TestTextsOfNumber: a number is found as X, sender and receiver, page by page
// and together with the other filters, and so are the events of its texts.
func TestTextsOfNumber(t *testing.T) {
	const anna, bert, carl, other = routing.Number("+8613800000011"), routing.Number("+8613800000012"), routing.Number("+8613800000013"), routing.X("+8617010000009")
	each(t, func(t *testing.T, l *ledger.Ledger) {
		for i, c := range []struct {
			x        routing.X
			from, to routing.Number
			open     bool
		}{{textX, anna, bert, false}, {textX, bert, anna, false}, {other, anna, "", false}, {textX, carl, bert, true}, {other, carl, "", false}} {
			m := text(string(rune('a' + i)))
			m.X, m.Sender, m.Receiver, m.Open, m.At = c.x, c.from, c.to, c.open, t0.Add(time.Duration(i)*time.Second)
			before, err := l.AddText(t.Context(), &m, sms.Twin{}, roomy, events.NewSMSNotice(events.SMS{ID: m.ID, App: "app", At: m.At}, 1))
			require.NoError(t, err)
			require.Nil(t, before)
		}
		ids := func(f ledger.MessageFilter) string {
			t.Helper()
			page, err := l.Messages(t.Context(), f)
			require.NoError(t, err)
			all := ""
			for i := range page.Messages {
				all += page.Messages[i].ID
			}
			if page.Next != "" {
				f.After = page.Next
				list, err := l.Messages(t.Context(), f)
				require.NoError(t, err)
				all += "|"
				for i := range list.Messages {
					all += list.Messages[i].ID
				}
			}
			return all
		}
		require.Equal(t, "cba", ids(ledger.MessageFilter{Number: string(anna)}))
		require.Equal(t, "dba", ids(ledger.MessageFilter{Number: string(bert)}))
		require.Equal(t, "dba", ids(ledger.MessageFilter{Number: string(textX)}))
		require.Equal(t, "ca", ids(ledger.MessageFilter{Number: string(anna), Sender: string(anna)}))
		require.Equal(t, "c", ids(ledger.MessageFilter{Number: string(anna), X: string(other), From: t0.Add(time.Second)}))
		require.Equal(t, "cb|a", ids(ledger.MessageFilter{Number: string(anna), Limit: 2}))
		require.Empty(t, ids(ledger.MessageFilter{Number: "+8613800000099"}))
		require.Equal(t, "d", ids(ledger.MessageFilter{Open: new(true)}))
		require.Equal(t, "ba", ids(ledger.MessageFilter{Number: string(textX), Open: new(false)}))

		page, err := l.Events(t.Context(), ledger.EventFilter{Number: string(anna)})
		require.NoError(t, err)
		require.Len(t, page.Events, 3)
		require.Equal(t, "c", page.Events[0].Session)
	})
}
