package ledger_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// owned is an answered call of a life, with its first events.
func owned(session string, life ledger.Life) (events.Call, []events.Event) {
	c := died(session)
	c.Node, c.Incarnation = life.Node, life.Incarnation
	c.Out, c.Alerting, c.Answered = t0, t0, t0
	var evs []events.Event
	for i, k := range []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Answer} {
		evs = append(evs, events.NewCallEvent(c, i+1, k, t0, ""))
	}
	return c, evs
}

// finished is the same call with its end, told from an event number on.
func finished(c events.Call, seq int, at time.Time) (events.Call, []events.Event) {
	c.Ended, c.EndWord = at, "talk_ended"
	return c, []events.Event{events.NewCallEvent(c, seq, events.Disconnect, at, ""), events.NewFee(c, seq+1)}
}

// declared has b declare a dead, and gives what it is heir of.
func declared(t *testing.T, l *ledger.Ledger, a, b ledger.Life) ledger.Dead {
	t.Helper()
	seen, found, err := l.Node(t.Context(), a.Node)
	require.NoError(t, err)
	require.True(t, found)
	won, err := l.DeclareDead(t.Context(), b, seen)
	require.NoError(t, err)
	require.True(t, won)
	deaths, err := l.Deaths(t.Context(), b)
	require.NoError(t, err)
	i := slices.IndexFunc(deaths, func(d ledger.Dead) bool { return d.Life == a })
	require.GreaterOrEqual(t, i, 0)
	return deaths[i]
}

// kindsOf lists the kinds of a session's events in their order.
func kindsOf(t *testing.T, l *ledger.Ledger, session string) (kinds []events.Kind) {
	t.Helper()
	page, err := l.Events(t.Context(), ledger.EventFilter{Session: session})
	require.NoError(t, err)
	for _, e := range page.Events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// feeOf reads the one fee event of a session.
func feeOf(t *testing.T, l *ledger.Ledger, session string) (fee map[string]any) {
	t.Helper()
	page, err := l.Events(t.Context(), ledger.EventFilter{Session: session})
	require.NoError(t, err)
	for _, e := range page.Events {
		if e.Kind == events.Fee {
			require.Nil(t, fee)
			require.NoError(t, json.Unmarshal(e.Body, &fee))
		}
	}
	return fee
}

// zoned is an instant as fee events have it (section 8).
func zoned(at time.Time) string { return at.Format(time.DateTime) }

var wholeCall = []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Answer, events.Disconnect, events.Fee}

// TestALateJournal: what a dead node's journal brings after others have closed or taken
// over its calls adds events that were missing, and ends nothing.
func TestALateJournal(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		a, b := ledgertest.Alive(t, l, "a", t0.Add(time.Minute)), ledgertest.Alive(t, l, "b", t0)
		closed, first := owned("closed", a)
		taken, all := owned("taken", a)
		unknown, unknownFirst := owned("unknown", a)
		alone, _ := owned("alone", a)
		over, overAll := owned("over", a)
		write(t, l, closed, first[:2]...)
		write(t, l, taken, all...)
		write(t, l, over, overAll...)
		over, ends := finished(over, 5, t0.Add(5*time.Second))
		write(t, l, over, ends...)

		d := declared(t, l, a, b)
		require.Equal(t, t0.Add(time.Minute), d.AliveAt)
		mine, err := l.TakeOver(t.Context(), a, b, []ledger.Kept{{taken, 4}, {unknown, 4}, {over, 4}})
		require.NoError(t, err)
		require.Equal(t, map[string]int{"taken": 104, "unknown": 104}, mine)
		n, err := l.CloseOpen(t.Context(), d, false, nil)
		require.NoError(t, err)
		require.Len(t, n, 1)
		require.NoError(t, l.SettleDeath(t.Context(), b, a))

		late := []events.Entry{{Call: closed, Events: first[2:]}, {Call: unknown, Events: unknownFirst}}
		for _, c := range []events.Call{closed, taken, unknown, alone} {
			c, ends := finished(c, 5, t0.Add(10*time.Second))
			late = append(late, events.Entry{Call: c, Events: ends})
		}
		for range 2 { // carried again
			refused, err := l.Record(t.Context(), late)
			require.NoError(t, err)
			require.Equal(t, map[int]error{3: ledger.ErrNotIts, 4: ledger.ErrNotIts}, refused)
		}
		require.Equal(t, wholeCall, kindsOf(t, l, "closed"), "in their order")
		require.Equal(t, "node_died", call(t, l, "closed").EndWord)
		require.Equal(t, t0.Add(time.Minute), call(t, l, "closed").Ended)
		require.Equal(t, wholeCall[:4], kindsOf(t, l, "taken"))
		require.Equal(t, wholeCall[:4], kindsOf(t, l, "unknown"))
		require.Equal(t, []events.Kind{events.Disconnect, events.Fee}, kindsOf(t, l, "alone"), "nobody else knew of it")
		require.Equal(t, "talk_ended", call(t, l, "alone").EndWord)

		for _, c := range []events.Call{taken, unknown} {
			c.Node, c.Incarnation = b.Node, b.Incarnation
			c, ends := finished(c, mine[c.Session]+1, t0.Add(20*time.Second))
			write(t, l, c, ends...)
			require.Equal(t, wholeCall, kindsOf(t, l, c.Session))
			require.Equal(t, t0.Add(20*time.Second), call(t, l, c.Session).Ended)
		}
	})
}

// TestOnlyAnHeirTakesOver: nobody has the calls of a life that goes on, nor does one
// that is over itself get any.
func TestOnlyAnHeirTakesOver(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		a, b, c := ledgertest.Alive(t, l, "a", t0), ledgertest.Alive(t, l, "b", t0), ledgertest.Alive(t, l, "c", t0)
		talk, evs := owned("talk", a)
		write(t, l, talk, evs...)
		_, err := l.TakeOver(t.Context(), a, b, []ledger.Kept{{talk, 4}})
		require.ErrorContains(t, err, "a/1 is not over")
		seen, _, err := l.Node(t.Context(), "a")
		require.NoError(t, err)
		declared(t, l, a, b)
		won, err := l.DeclareDead(t.Context(), c, seen)
		require.NoError(t, err)
		require.False(t, won, "one wins")
		declared(t, l, b, c)
		deaths, err := l.Deaths(t.Context(), c)
		require.NoError(t, err)
		require.Len(t, deaths, 2, "it is heir of what b was heir of")
		_, err = l.TakeOver(t.Context(), a, b, []ledger.Kept{{talk, 4}})
		require.ErrorIs(t, err, ledger.ErrDeclaredDead)
		won, err = l.DeclareDead(t.Context(), a, ledger.Node{Life: c})
		require.NoError(t, err)
		require.False(t, won, "the dead declare nobody")
		_, err = l.Beat(t.Context(), a, t0, 1)
		require.ErrorIs(t, err, ledger.ErrDeclaredDead)
		again, err := l.RejoinNode(t.Context(), a, ledger.Self{}, false)
		require.NoError(t, err)
		require.Equal(t, ledger.Life{Node: "a", Incarnation: 2}, again)
		_, err = l.Beat(t.Context(), a, t0, 1)
		require.ErrorIs(t, err, ledger.ErrReplaced)
	})
}

// TestOneEndWhoeverWrites: a node that is not dead and its heir write the end of
// the same calls at once: each has one disconnect and one fee.
func TestOneEndWhoeverWrites(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l, other := open(t, cfg), open(t, cfg)
			a, b := ledgertest.Alive(t, l, "a", t0), ledgertest.Alive(t, l, "b", t0)
			const calls = 120
			for i := range calls {
				c, evs := owned(fmt.Sprint("call", i), a)
				write(t, l, c, evs...)
			}
			var race sync.WaitGroup
			start := make(chan struct{})
			race.Go(func() {
				<-start
				for i := range calls / 10 {
					var batch []events.Entry
					for k := range 10 {
						c, _ := owned(fmt.Sprint("call", 10*i+k), a)
						c, ends := finished(c, 5, t0.Add(time.Second))
						batch = append(batch, events.Entry{Call: c, Events: ends})
					}
					_, err := l.Record(t.Context(), batch)
					require.NoError(t, err)
				}
			})
			race.Go(func() {
				<-start
				d := declared(t, other, a, b)
				var kept []ledger.Kept
				for i := range calls / 2 {
					c, _ := owned(fmt.Sprint("call", i), a)
					kept = append(kept, ledger.Kept{Call: c, Seq: 4})
				}
				mine, err := other.TakeOver(t.Context(), a, b, kept)
				require.NoError(t, err)
				_, err = other.CloseOpen(t.Context(), d, false, nil)
				require.NoError(t, err)
				for _, k := range kept {
					if seq, ok := mine[k.Call.Session]; ok {
						c := k.Call
						c.Node, c.Incarnation = b.Node, b.Incarnation
						c, ends := finished(c, seq+1, t0.Add(2*time.Second))
						ledgertest.Record(t, other, c, ends...)
					}
				}
			})
			close(start)
			race.Wait()
			for i := range calls {
				require.Equal(t, wholeCall, kindsOf(t, l, fmt.Sprint("call", i)), i)
			}
			page, err := l.Calls(t.Context(), ledger.CallFilter{Open: true})
			require.NoError(t, err)
			require.Empty(t, page.Calls)
		})
	}
}

// TestOwnershipModel: whatever becomes of nodes, and however late and often their journals
// are carried, a call has one end, which is that of its owner: what that one told if the
// ledger heard of it before others closed the call, else that its node died.
func TestOwnershipModel(t *testing.T) {
	l := open(t, ledgertest.SQLite(t))
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		name := func(node string) string { return fmt.Sprint(node, run) }
		lives := map[string]ledger.Life{}
		for _, n := range []string{"a", "b", "c"} {
			lives[n] = ledgertest.Alive(t, l, name(n), t0)
		}
		type journal struct {
			entries []events.Entry
			carried int
		}
		journals := map[string]*journal{"a": {}, "b": {}, "c": {}}
		type talk struct {
			call events.Call
			node string
			seq  int
			over bool // its node has told its end

			owner *ledger.Life // as the ledger has it; nil: it has not heard of the call
			word  string       // of its end there
			ended time.Time
		}
		var talks []*talk
		bySession := map[string]*talk{}
		ends := 0
		end := func(k *talk) events.Entry { // each at a time of its own
			ends++
			c, evs := finished(k.call, k.seq+1, t0.Add(time.Duration(ends)*time.Second))
			return events.Entry{Call: c, Events: evs}
		}
		carry := func(entries []events.Entry) {
			_, err := l.Record(t.Context(), entries)
			require.NoError(rt, err)
			for _, e := range entries {
				k, by := bySession[e.Call.Session], ledger.Life{Node: e.Call.Node, Incarnation: e.Call.Incarnation}
				if k.owner == nil {
					k.owner = &by
				}
				if k.word == "" && *k.owner == by && !e.Call.Ended.IsZero() {
					k.word, k.ended = e.Call.EndWord, e.Call.Ended
				}
			}
		}
		closeOpen := func(d ledger.Dead, carried bool) {
			_, err := l.CloseOpen(t.Context(), d, carried, nil)
			require.NoError(rt, err)
			for _, k := range talks {
				if k.word == "" && k.owner != nil && k.owner.Node == d.Node && k.owner.Incarnation <= d.Incarnation {
					k.word, k.ended = "node_died", t0
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"call": func(rt *rapid.T) {
				n := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "node")
				c, evs := owned(fmt.Sprint("run", run, "call", len(talks)), lives[n])
				journals[n].entries = append(journals[n].entries, events.Entry{Call: c, Events: evs})
				k := &talk{call: c, node: n, seq: 4}
				talks, bySession[c.Session] = append(talks, k), k
			},
			"end": func(rt *rapid.T) {
				if len(talks) == 0 {
					return
				}
				k := rapid.SampledFrom(talks).Draw(rt, "call")
				if k.over || k.node == "" {
					return
				}
				k.over = true
				journals[k.node].entries = append(journals[k.node].entries, end(k))
			},
			"carry": func(rt *rapid.T) {
				j := journals[rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "node")]
				to := rapid.IntRange(j.carried, len(j.entries)).Draw(rt, "to")
				from := rapid.IntRange(0, j.carried).Draw(rt, "from")
				carry(j.entries[from:to])
				j.carried = to
			},
			"die": func(rt *rapid.T) {
				dies := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "node")
				heir := map[string]string{"a": "b", "b": "c", "c": "a"}[dies]
				d := declared(t, l, lives[dies], lives[heir])
				var kept []ledger.Kept
				for _, k := range talks {
					if k.node == dies && !k.over && rapid.Bool().Draw(rt, "kept") {
						kept = append(kept, ledger.Kept{Call: k.call, Seq: k.seq})
					}
				}
				mine, err := l.TakeOver(t.Context(), d.Life, lives[heir], kept)
				require.NoError(rt, err)
				for _, k := range kept {
					_, ok := mine[k.Call.Session]
					require.Equal(rt, bySession[k.Call.Session].word == "", ok, "those that are not over are its own")
				}
				for _, k := range talks {
					if k.node != dies {
						continue
					}
					if seq, ok := mine[k.call.Session]; ok {
						by := lives[heir]
						k.owner, k.node, k.seq, k.call.Node, k.call.Incarnation = &by, heir, seq, by.Node, by.Incarnation
					} else if !k.over {
						k.node = "" // closed by the heir, or by its own node when it is back
					}
				}
				closeOpen(d, false)
				require.NoError(rt, l.SettleDeath(t.Context(), lives[heir], d.Life))
				next, err := l.RejoinNode(t.Context(), d.Life, ledger.Self{}, false)
				require.NoError(rt, err)
				lives[dies] = next
			},
		})
		for n, j := range journals {
			for _, k := range talks {
				if k.node == n && !k.over {
					j.entries = append(j.entries, end(k))
				}
			}
			carry(j.entries)
			last, settled, found, err := l.LastLife(t.Context(), lives[n])
			require.NoError(rt, err)
			if found {
				require.True(rt, settled)
				closeOpen(last, true)
			}
		}
		for _, k := range talks {
			require.Equal(rt, wholeCall, kindsOf(t, l, k.call.Session))
			c := call(t, l, k.call.Session)
			require.Equal(rt, *k.owner, ledger.Life{Node: c.Node, Incarnation: c.Incarnation}, k.call.Session)
			require.Equal(rt, []any{k.word, k.ended, t0}, []any{c.EndWord, c.Ended, c.Answered}, k.call.Session)
			fee := feeOf(t, l, k.call.Session)
			require.Equal(rt, []any{zoned(t0), zoned(k.ended)}, []any{fee["fwdAnswerTime"], fee["callEndTime"]}, k.call.Session)
		}
	})
}
