package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
)

// owing is a ledger that owes events.
type owing struct {
	*testing.T
	*ledger.Ledger
	cfg ledger.Config
	now time.Time
}

func eachOwing(t *testing.T, test func(o owing)) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) { test(owing{t, open(t, cfg), cfg, time.Now().UTC().Truncate(time.Microsecond)}) })
	}
}

// owe writes events of a call, numbered from first.
func (o owing) owe(session string, first int, kinds ...events.Kind) {
	o.oweTo("app", session, first, kinds...)
}

func (o owing) oweTo(app, session string, first int, kinds ...events.Kind) {
	c := events.Call{Session: session, Node: "n", App: app, SP: "demo", Mode: "AXB", X: "+8617010000001", In: t0, Ended: t0}
	var evs []events.Event
	for i, k := range kinds {
		if k == events.Fee {
			evs = append(evs, events.NewFee(c, first+i))
		} else {
			evs = append(evs, events.NewCallEvent(c, first+i, k, t0, ""))
		}
	}
	ledgertest.Record(o, o.Ledger, c, evs...)
}

func (o owing) claim(by *ledger.Outbox) []events.Claimed {
	taken, _, err := by.Claim(context.Background(), o.now, o.now.Add(time.Minute), func(events.Lane) int { return 1000 })
	require.NoError(o, err)
	return taken
}

func namesOf(taken []events.Claimed) (list []string) {
	for _, c := range taken {
		list = append(list, fmt.Sprint(c.Session, " ", c.Seq))
	}
	return list
}

// due tells when the events of a session are due, from now on.
func (o owing) due(session string) (list []string) {
	page, err := o.Events(context.Background(), ledger.EventFilter{Session: session})
	require.NoError(o, err)
	for _, e := range page.Events {
		switch {
		case e.Due.IsZero():
			list = append(list, "never")
		case !e.Due.After(o.now):
			list = append(list, "now")
		default:
			list = append(list, e.Due.Sub(o.now).String())
		}
	}
	return list
}

// counted is an empty PostgreSQL, and tells how many journeys to it some work takes.
func counted(t *testing.T) (cfg ledger.Config, count func(work func()) int) {
	if testing.Short() {
		t.Skip("-short: it wants PostgreSQL")
	}
	cfg = ledgertest.Postgres(t)
	way := pgtest.NewWay(t, cfg.DSN)
	cfg.DSN = way.DSN
	return cfg, func(work func()) int {
		before := way.Journeys()
		work()
		return way.Journeys() - before
	}
}

// TestJourneys: what is claimed, parked and stored takes as many journeys to the server for
// much as for little.
func TestJourneys(t *testing.T) {
	cfg, count := counted(t)
	o := owing{t, open(t, cfg), cfg, time.Now().UTC().Truncate(time.Microsecond)}
	took := map[int][]int{}
	for _, n := range []int{1, 2, 200} { // 1: statements that stay are compiled
		var taken []events.Claimed
		name := func(i int) string { return fmt.Sprint("of", n, "-", i) }
		for i := range n {
			o.owe(name(i), 1, events.CallOut, events.Fee)
		}
		took[n] = append(took[n], count(func() { taken = o.claim(o.Outbox()) }))
		require.Len(t, taken, 2*n)
		for i := range n {
			o.owe(name(i), 3, events.Alerting)
		}
		took[n] = append(took[n], count(func() { require.Empty(t, o.claim(o.Outbox()), "parked") }))
		require.Equal(t, []string{"1m0s", "1m0s", "1m0.000001s"}, o.due(name(n-1)))
		var outcomes []events.Outcome
		for _, c := range taken {
			outcomes = append(outcomes, events.Outcome{Claimed: c, At: o.now, Done: o.now})
		}
		took[n] = append(took[n], count(func() { require.NoError(t, o.Outbox().Finish(t.Context(), outcomes)) }))
		for i := range n {
			require.Equal(t, []string{"never", "never", "now"}, o.due(name(i)))
		}
		rest := o.claim(o.Outbox())
		require.Len(t, rest, n)
		for _, c := range rest {
			require.NoError(t, o.Outbox().Finish(t.Context(), []events.Outcome{{Claimed: c, At: o.now, Done: o.now}}))
		}
	}
	t.Logf("journeys to claim, park and finish: %v", took[200])
	require.Equal(t, took[2], took[200])
	for _, n := range took[200] {
		require.LessOrEqual(t, n, 8)
	}
}

// TestFasterOther: of a session nothing is claimed behind a row that somebody else has moved
// since it was seen, and that row stays his.
func TestFasterOther(t *testing.T) {
	eachOwing(t, func(o owing) {
		sees := func(then string) *ledger.Outbox { // then happens between the look and the claim
			return o.Outbox().Held(func() ledger.Life {
				execute(o, o.cfg, then)
				return ledger.Life{Node: "n", Incarnation: 1}
			})
		}
		o.owe("one", 1, events.CallOut, events.Alerting, events.Answer, events.Disconnect, events.Fee)
		o.owe("two", 1, events.CallOut, events.Alerting)
		his := o.now.Add(30 * time.Second).UnixMicro()
		move := fmt.Sprintf("UPDATE events SET due_at = %d, holder = 'his' WHERE ", his)
		taken := o.claim(sees(move + "session = 'one' AND seq IN (3, 5)"))
		require.ElementsMatch(o, []string{"one 1", "one 2", "two 1", "two 2"}, namesOf(taken))
		require.Equal(o, []string{"1m0s", "1m0s", "30s", "now", "30s"}, o.due("one"))
		n, err := o.FreeClaims(o.Context(), ledger.Life{Node: "n", Incarnation: 1})
		require.NoError(o, err)
		require.EqualValues(o, 4, n, "what was put back has nobody")

		o.now = time.Now().Add(time.Second) // the rows are due by the ledger's clock
		require.Empty(o, o.claim(sees(move+"session IN ('one', 'two') AND seq = 1")))
		require.Equal(o, "now", o.due("two")[1])
	})
}

// TestOutcomesTogether: outcomes that are stored together count as if they had been stored one
// after the other.
func TestOutcomesTogether(t *testing.T) {
	eachOwing(t, func(o owing) {
		out := o.Outbox()
		done := func(c events.Claimed) events.Outcome {
			c.Tries++
			return events.Outcome{Claimed: c, At: o.now, Done: o.now}
		}
		failed := func(c events.Claimed, in time.Duration) events.Outcome {
			c.Tries, c.Failure = c.Tries+1, "no"
			return events.Outcome{Claimed: c, At: o.now, Due: o.now.Add(in)}
		}
		find := func(list []events.Claimed, name string) events.Claimed {
			for _, c := range list {
				if fmt.Sprint(c.Session, " ", c.Seq) == name {
					return c
				}
			}
			o.Fatalf("%s is not in %v", name, namesOf(list))
			return events.Claimed{}
		}
		for _, session := range []string{"again", "givesup", "other", "bill"} {
			o.owe(session, 1, events.CallOut, events.Alerting)
		}
		o.owe("bill", 3, events.Fee)
		taken := o.claim(out)
		require.Len(o, taken, 9)
		for _, session := range []string{"again", "givesup", "other", "bill"} {
			o.owe(session, 4, events.Answer)
		}
		require.Empty(o, o.claim(out), "parked")
		execute(o, o.cfg, "UPDATE events SET due_at = due_at + 7000000 WHERE session = 'other' AND seq < 4")
		givesUp := failed(find(taken, "givesup 2"), 0)
		givesUp.Due = time.Time{}
		require.NoError(o, out.Finish(o.Context(), []events.Outcome{
			done(find(taken, "other 1")), done(find(taken, "other 2")),
			done(find(taken, "bill 3")),
			done(find(taken, "givesup 1")), givesUp,
			done(find(taken, "again 1")), failed(find(taken, "again 2"), time.Hour),
		}))
		require.Equal(o, []string{"never", "1h0m0s", "1m0.000001s"}, o.due("again"), "the last waits for the second")
		require.Equal(o, []string{"never", "never", "now"}, o.due("givesup"))
		require.Equal(o, []string{"1m7s", "1m7s", "1m0.000001s"}, o.due("other"), "somebody else has them by now")
		require.Equal(o, []string{"1m0s", "1m0s", "never", "1m0.000001s"}, o.due("bill"), "a fee event lets go nothing")
		page, err := o.Events(o.Context(), ledger.EventFilter{Session: "again"})
		require.NoError(o, err)
		require.Equal(o, []int{1, 1, 0}, []int{page.Events[0].Tries, page.Events[1].Tries, page.Events[2].Tries})
		require.Equal(o, "no", page.Events[1].Failure)

		// The word of a claim that was over comes with that of the next.
		first := find(taken, "bill 1")
		o.now = o.now.Add(2 * time.Minute)
		second := find(o.claim(out), "bill 1")
		require.NoError(o, out.Finish(o.Context(), []events.Outcome{failed(second, time.Hour), done(first)}))
		require.Equal(o, "1h0m0s", o.due("bill")[0])
	})
}

// TestManyOutcomes: more than one statement takes, of both kinds of lanes.
func TestManyOutcomes(t *testing.T) {
	eachOwing(t, func(o owing) {
		const calls = 333
		for i := range calls {
			o.owe(fmt.Sprint("call", i), 1, events.CallOut, events.Disconnect, events.Fee)
		}
		seen := map[string]int{}
		for taken := o.claim(o.Outbox()); len(taken) > 0; taken = o.claim(o.Outbox()) {
			var outcomes []events.Outcome
			for _, c := range taken {
				seen[fmt.Sprint(c.Session, c.Seq)]++
				outcomes = append(outcomes, events.Outcome{Claimed: c, At: o.now, Done: o.now})
			}
			require.NoError(o, o.Outbox().Finish(o.Context(), outcomes))
		}
		require.Len(o, seen, 3*calls)
		for i := range calls {
			require.Equal(o, "never never never", strings.Join(o.due(fmt.Sprint("call", i)), " "))
		}
	})
}

// TestOutboxIndexes: nothing that is asked or changed all the time goes through all that is
// pending.
func TestOutboxIndexes(t *testing.T) {
	cfg := ledgertest.SQLite(t)
	for query, index := range ledger.OutboxQueries() {
		plan := explain(t, cfg, "", parameter.ReplaceAllString(query, "1"))
		require.Contains(t, plan, "INDEX "+index, query)
		require.NotRegexp(t, `SCAN (e|events)\n`, plan, query)
	}
}

// TestDueLanes: whose lanes have something due is asked app by app, lane by lane, whatever else is
// pending. Lanes by (app, target) > (...) would be a walk through all that is pending of one.
func TestDueLanes(t *testing.T) {
	plan := explain(t, ledgertest.SQLite(t), "", parameter.ReplaceAllString(ledger.DueLanes, "1"))
	require.Contains(t, plan, "INDEX events_due (app>?)")
	require.NotContains(t, plan, "(app,target)")
	eachOwing(t, func(o owing) {
		ask := func(take events.Lane) (asked []events.Lane) {
			_, _, err := o.Outbox().Claim(o.Context(), o.now, o.now.Add(time.Minute), func(l events.Lane) int {
				asked = append(asked, l)
				return map[bool]int{true: 1}[l == take]
			})
			require.NoError(o, err)
			return asked
		}
		require.Empty(o, ask(events.Lane{}))
		var want []events.Lane
		for _, app := range []string{"a", "b", "bb", "c"} {
			for kind, target := range map[events.Kind]events.Target{events.CallIn: events.ToCallIn, events.Answer: events.ToStatus, events.Fee: events.ToFee} {
				o.oweTo(app, app+string(kind), 1, kind)
				want = append(want, events.Lane{App: app, Target: target})
			}
		}
		for len(want) > 0 {
			i := rand.IntN(len(want))
			require.ElementsMatch(o, want, ask(want[i]))
			want = slices.Delete(want, i, i+1)
		}
		require.Empty(o, ask(events.Lane{}))
	})
}
