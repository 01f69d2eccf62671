package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

const (
	textX  = routing.X("+8617010000001")
	writer = routing.Number("+8613800000001")
)

var roomy = sms.Bounds{Waiting: 1000, Open: 8, Twins: 10 * time.Minute}

// text is one that just came and is due.
func text(id string) sms.Text {
	return sms.Text{ID: id, Key: "key-" + id, Source: "t", X: textX, Sender: writer, Text: "hello", At: t0, App: "app", SP: "demo",
		Taken: true, Binding: "b", Receiver: "+8613800000002", Split: 1, Due: t0, Ahead: true}
}

func addText(t *testing.T, l *ledger.Ledger, m sms.Text) {
	t.Helper()
	before, err := l.AddText(t.Context(), &m, "", roomy)
	require.NoError(t, err)
	require.Nil(t, before)
}

// claim takes what is due at an instant.
func claim(t *testing.T, l *ledger.Ledger, now time.Time) []sms.Text {
	t.Helper()
	list, _, err := l.ClaimTexts(t.Context(), now, now.Add(time.Minute), func(string) int { return 10 })
	require.NoError(t, err)
	return list
}

// TestTextIsKept: what is stored of a text, and later of its state, is what is
// read.
func TestTextIsKept(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		addText(t, l, text("one"))
		list := claim(t, l, t0)
		require.Len(t, list, 1)
		m := list[0]
		want := text("one")
		want.Due = t0.Add(time.Minute)
		require.Equal(t, want, m)

		m.Asked, m.Reply = true, &routing.MessageReply{Called: "+8613800000002", User: "u"}
		m.Carrier, m.Pieces, m.Sent, m.Tries, m.Fails, m.Ahead, m.Failure = "trunk", 3, 1, 2, 1, false, "timed out"
		held, err := l.SaveText(t.Context(), &m, t0.Add(2*time.Minute))
		require.NoError(t, err)
		require.True(t, held)
		list = claim(t, l, t0.Add(2*time.Minute))
		require.Len(t, list, 1)
		m.Due = t0.Add(3 * time.Minute)
		require.Equal(t, m, list[0])

		late := m
		late.Due = t0.Add(time.Minute)
		held, err = l.SaveText(t.Context(), &late, time.Time{}, events.NewSMSNotice(events.SMS{ID: "one", App: "app"}, 2))
		require.NoError(t, err)
		require.False(t, held, "its lease was over")
		page, err := l.Events(t.Context(), ledger.EventFilter{Session: "one"})
		require.NoError(t, err)
		require.Empty(t, page.Events)
	})
}

// TestTextComesOnce: of many that come at once with one key, or one twin, one
// is stored, and the others get it.
func TestTextComesOnce(t *testing.T) {
	for name, edit := range map[string]func(m *sms.Text, i int) (twin string){
		"key":  func(m *sms.Text, _ int) string { m.Key = "same"; return "" },
		"twin": func(m *sms.Text, i int) string { m.Key = fmt.Sprint("key", i); return "same" },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, l *ledger.Ledger) {
				const times = 20
				got := make([]string, times)
				var all sync.WaitGroup
				for i := range times {
					all.Go(func() {
						m := text(fmt.Sprint("t", i))
						twin := edit(&m, i)
						before, err := l.AddText(t.Context(), &m, twin, roomy)
						if err != nil {
							t.Error(err)
						} else if got[i] = m.ID; before != nil {
							got[i] = before.ID
						}
					})
				}
				all.Wait()
				page, err := l.Messages(t.Context(), ledger.MessageFilter{})
				require.NoError(t, err)
				require.Len(t, page.Messages, 1)
				for _, id := range got {
					require.Equal(t, page.Messages[0].ID, id)
				}
			})
		})
	}
}

// TestTwinsEnd: what comes under another key after ten minutes is another text.
func TestTwinsEnd(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		for i, c := range []struct {
			after time.Duration
			first string
		}{{0, ""}, {10*time.Minute - time.Second, "t0"}, {10 * time.Minute, ""}, {11 * time.Minute, "t2"}} {
			m := text(fmt.Sprint("t", i))
			m.At = t0.Add(c.after)
			before, err := l.AddText(t.Context(), &m, "twin", roomy)
			require.NoError(t, err)
			require.Equal(t, c.first == "", before == nil)
			if before != nil {
				require.Equal(t, c.first, before.ID)
			}
		}
		n, err := l.ForgetTwins(t.Context(), t0.Add(time.Hour), 10)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}
