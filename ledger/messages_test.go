package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
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
	before, err := l.AddText(t.Context(), &m, sms.Twin{}, roomy)
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
						before, err := l.AddText(t.Context(), &m, sms.Twin{Mark: twin}, roomy)
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
			before, err := l.AddText(t.Context(), &m, sms.Twin{Mark: "twin"}, roomy)
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

// TestNewTwins: what is said to be new is kept, and is the one that what comes
// behind it repeats.
func TestNewTwins(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		for i, c := range []struct {
			isNew bool
			first string
		}{{true, ""}, {true, ""}, {false, "t1"}, {true, ""}, {false, "t3"}} {
			m := text(fmt.Sprint("t", i))
			m.At = t0.Add(time.Duration(i) * time.Second)
			before, err := l.AddText(t.Context(), &m, sms.Twin{Mark: "twin", New: c.isNew}, roomy)
			require.NoError(t, err)
			require.Equal(t, c.first == "", before == nil, m.ID)
			if before != nil {
				require.Equal(t, c.first, before.ID)
			}
		}
	})
}

// TestListedTexts: filters select, pages follow each other without gap or
// repetition.
func TestListedTexts(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		var all []string // the newest first
		for i := range 7 {
			m := text(fmt.Sprint("t", i))
			m.At = t0.Add(time.Duration(i/2) * time.Second) // some at one instant
			switch i {
			case 1:
				m.App, m.SP = "other", "else"
			case 2:
				m.X = "+8617010000002"
			case 3:
				m.Sender = "+8613800000003"
			case 4:
				m.Receiver = "+8613800000004"
			case 5:
				m.Done, m.Due, m.Result = t0, time.Time{}, routing.TextBlacklisted
			case 6:
				m.Done, m.Due = t0, time.Time{}
			}
			addText(t, l, m)
			all = append([]string{m.ID}, all...)
		}
		ids := func(f ledger.MessageFilter) (list []string) {
			page, err := l.Messages(t.Context(), f)
			require.NoError(t, err)
			for _, m := range page.Messages {
				list = append(list, m.ID)
			}
			return list
		}
		yes, no, black, sent := true, false, routing.TextBlacklisted, routing.TextSent
		for name, c := range map[string]struct {
			filter ledger.MessageFilter
			want   []string
		}{
			"all":      {ledger.MessageFilter{}, all},
			"app":      {ledger.MessageFilter{App: "other"}, []string{"t1"}},
			"account":  {ledger.MessageFilter{SP: "else"}, []string{"t1"}},
			"x":        {ledger.MessageFilter{X: "+8617010000002"}, []string{"t2"}},
			"sender":   {ledger.MessageFilter{Sender: "+8613800000003"}, []string{"t3"}},
			"receiver": {ledger.MessageFilter{Receiver: "+8613800000004"}, []string{"t4"}},
			"done":     {ledger.MessageFilter{Done: &yes}, []string{"t6", "t5"}},
			"pending":  {ledger.MessageFilter{Done: &no, App: "app"}, []string{"t4", "t3", "t2", "t0"}},
			"result":   {ledger.MessageFilter{Result: &black}, []string{"t5"}},
			"sent":     {ledger.MessageFilter{Result: &sent}, []string{"t6"}},
			"time":     {ledger.MessageFilter{From: t0.Add(time.Second), To: t0.Add(2 * time.Second)}, []string{"t3", "t2"}},
		} {
			require.Equal(t, c.want, ids(c.filter), name)
		}
		var pages []string
		f := ledger.MessageFilter{Limit: 2}
		for {
			page, err := l.Messages(t.Context(), f)
			require.NoError(t, err)
			for _, m := range page.Messages {
				pages = append(pages, m.ID)
			}
			if f.After = page.Next; f.After == "" {
				break
			}
		}
		require.Equal(t, all, pages)
		_, err := l.Messages(t.Context(), ledger.MessageFilter{After: "x"})
		var bad *ledger.CursorError
		require.ErrorAs(t, err, &bad)
		_, err = l.Message(t.Context(), "none")
		require.ErrorIs(t, err, ledger.ErrNoMessage)
	})
}

// TestClaimedTexts: what is due is claimed by one, as much of an app as is
// wanted, and nothing behind an earlier one of its sender to X.
func TestClaimedTexts(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		for i := range 30 {
			m := text(fmt.Sprintf("t%02d", i))
			m.Sender, m.App = routing.Number(fmt.Sprint("+86138000000", 10+i)), fmt.Sprint("app", i%3)
			addText(t, l, m)
		}
		later := text("later")
		later.Sender, later.App, later.At, later.Due = "+8613800000010", "app0", t0.Add(time.Second), t0.Add(-time.Second)
		addText(t, l, later)

		var mu sync.Mutex
		seen := map[string]int{}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 10 {
					list, _, err := l.ClaimTexts(t.Context(), t0, t0.Add(time.Minute), func(app string) int {
						if app == "app2" {
							return 0
						}
						return 3
					})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, m := range list {
						seen[m.ID]++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		require.Len(t, seen, 20)
		for id, times := range seen {
			require.Equal(t, 1, times, id)
		}
		require.NotContains(t, seen, "later")
		first, err := l.Message(t.Context(), "t00")
		require.NoError(t, err)
		first.Ahead = false // it is tried again later
		held, err := l.SaveText(t.Context(), &first, t0.Add(time.Hour))
		require.NoError(t, err)
		require.True(t, held)
		list, more, err := l.ClaimTexts(t.Context(), t0, t0.Add(time.Minute), func(string) int { return 100 })
		require.NoError(t, err)
		require.False(t, more)
		require.Len(t, list, 11)
	})
}

// TestTextsOfFaster: of more texts than one statement takes those that somebody
// else has moved since they were seen stay his; the others come as they are due.
func TestTextsOfFaster(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l := open(t, cfg)
			var want []string
			for i := range 100 {
				m := text(fmt.Sprintf("t%02d", 99-i))
				m.Sender, m.App, m.Due = routing.Number(fmt.Sprint("+86138000000", 10+i)), "app1", t0.Add(time.Duration(i-100)*time.Second)
				addText(t, l, m)
				if i != 40 && i != 99 {
					want = append(want, m.ID)
				}
			}
			next := text("a")
			next.App = "app2"
			addText(t, l, next)
			his := t0.Add(30 * time.Second)
			list, _, err := l.ClaimTexts(t.Context(), t0, t0.Add(time.Minute), func(app string) int {
				if app == "app2" { // those of app1 were seen
					execute(t, cfg, fmt.Sprintf("UPDATE messages SET due_at = %d WHERE id IN ('t59', 't00')", his.UnixMicro()))
				}
				return 100
			})
			require.NoError(t, err)
			var got []string
			for _, m := range list {
				require.Equal(t, t0.Add(time.Minute), m.Due)
				got = append(got, m.ID)
			}
			require.Equal(t, append(want, "a"), got)
			m, err := l.Message(t.Context(), "t59")
			require.NoError(t, err)
			require.Equal(t, his, m.Due)
		})
	}
}

// TestTextJourneys: many texts are claimed by as many journeys to the server as one.
func TestTextJourneys(t *testing.T) {
	cfg, count := counted(t)
	l := open(t, cfg)
	took := map[int]int{}
	for _, n := range []int{1, 2, 100} { // 1: statements that stay are compiled
		for i := range n {
			m := text(fmt.Sprint("of", n, "-", i))
			m.Sender = routing.Number(fmt.Sprint("+8613800000", 100+i))
			addText(t, l, m)
		}
		took[n] = count(func() {
			list, _, err := l.ClaimTexts(t.Context(), t0, t0.Add(time.Hour), func(string) int { return 1000 })
			require.NoError(t, err)
			require.Len(t, list, n)
		})
		execute(t, cfg, "DELETE FROM messages") // they go before later ones of their senders
	}
	t.Logf("journeys to claim texts: %d", took[100])
	require.Equal(t, took[2], took[100])
	require.LessOrEqual(t, took[100], 6)
}

// TestTextsUseIndexes: no question that is asked all the time reads whole
// tables, or all that an X ever had.
func TestTextsUseIndexes(t *testing.T) {
	cfg := ledgertest.SQLite(t)
	for query, index := range ledger.TextQueries() {
		plan := explain(t, cfg, "", parameter.ReplaceAllString(query, "1"))
		require.NotRegexp(t, `SCAN (m|e|messages)\n`, plan, query)
		require.NotContains(t, plan, "B-TREE FOR ORDER BY", query)
		require.Contains(t, plan, "INDEX "+index, query)
	}
}
