package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/journal"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/roster"
	"axgate/vault"
)

// beyond is a ledger that cannot be reached.
type beyond struct{}

func (beyond) Record(context.Context, []events.Entry) (map[int]error, error) {
	return nil, errors.New("it is out of reach")
}

// TestTheLastSecond: what a node that is killed had on its disk alone - an answer, an end, a
// call - is in the records that its heir completes; nobody's number stands in Redis as it is.
func TestTheLastSecond(t *testing.T) {
	key, err := vault.NewKey("k")
	require.NoError(t, err)
	a, b := twoNodes(t, key)
	ctx := t.Context()
	died := time.Now().UTC().Truncate(time.Microsecond)
	at := func(seconds int) time.Time { return died.Add(time.Duration(seconds) * time.Second) }
	life, dies := beating(t, a.ledger, "ghost", died)
	call := func(session string) events.Call {
		return events.Call{Session: session, Node: life.Node, Incarnation: life.Incarnation, App: "app", SP: "sp", Mode: "AXB", X: "+8617010000001",
			Caller: "+8613800000001", Callee: "+8613800000002", Direction: 1, In: at(-60)}
	}

	j, err := journal.Open(journal.Config{Dir: t.TempDir(), Ledger: beyond{}, Log: zerolog.Nop()})
	require.NoError(t, err)
	copying, end := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		j.Copy(copying, &copies{life: func() ledger.Life { return life }, others: func() bool { return true }, cache: b.cache, ring: b.ring})
	})
	defer func() {
		end()
		done.Wait()
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = j.Close(over) // its ledger is out of reach
	}()
	var sessions []string
	write := func(c events.Call, evs ...events.Event) {
		// The copies begin a moment after the journal does: an entry may be written again.
		require.Eventually(t, func() bool {
			require.NoError(t, <-j.Write(c, evs...))
			all, err := copied(t, b, life)
			return err == nil && strings.Contains(all, c.Session+fmt.Sprint(evs[len(evs)-1].Seq))
		}, 10*time.Second, 50*time.Millisecond)
		sessions = append(sessions, c.Session)
	}
	answered := call("answered")
	ledgertest.Record(t, a.ledger, answered, events.NewCallEvent(answered, 1, events.CallIn, at(-60), ""))
	answered.Out, answered.Answered = at(-50), at(-1)
	write(answered, events.NewCallEvent(answered, 2, events.Answer, at(-1), ""))
	ended := call("ended")
	ended.Out, ended.Answered = at(-50), at(-40)
	ledgertest.Record(t, a.ledger, ended, events.NewCallEvent(ended, 1, events.CallIn, at(-60), ""), events.NewCallEvent(ended, 2, events.Answer, at(-40), ""))
	ended.Ended, ended.EndWord, ended.ReleasedBy = at(-5), "talk_ended", 2
	write(ended, events.NewCallEvent(ended, 3, events.Disconnect, at(-5), ""), events.NewFee(ended, 4))
	unknown := call("unknown")
	write(unknown, events.NewCallEvent(unknown, 1, events.CallIn, at(-1), ""))
	require.NoError(t, b.cache.JournalOf(ctx, life.String(), func(page string) error {
		require.NotContains(t, page, "13800000001", "numbers are encrypted")
		return nil
	}))

	dies()
	for _, session := range sessions {
		closedCall(t, a, session)
	}
	fee := func(session string) (fee map[string]any) {
		page, err := a.ledger.Events(ctx, ledger.EventFilter{Session: session})
		require.NoError(t, err)
		for _, e := range page.Events {
			if e.Kind == events.Fee {
				require.Nil(t, fee, "one fee event")
				require.NoError(t, json.Unmarshal(e.Body, &fee))
			}
		}
		return fee
	}
	require.Equal(t, []any{at(-1), died, "node_died"}, ending(t, a, "answered"))
	require.Equal(t, at(-1).Format(time.DateTime), fee("answered")["fwdAnswerTime"])
	require.NotContains(t, fee("answered"), "failTime")
	require.Equal(t, []any{at(-40), at(-5), "talk_ended"}, ending(t, a, "ended"))
	require.Equal(t, at(-5).Format(time.DateTime), fee("ended")["callEndTime"])
	require.Equal(t, []any{time.Time{}, died, "node_died"}, ending(t, a, "unknown"))
	require.NotContains(t, fee("unknown"), "fwdAnswerTime")
	left, err := copied(t, b, life)
	require.NoError(t, err)
	require.Empty(t, left, "nothing of it is left")
}

// TestAPageThatCannotBeOpened: what an heir cannot read of a dead node is not thrown away.
func TestAPageThatCannotBeOpened(t *testing.T) {
	key, err := vault.NewKey("k")
	require.NoError(t, err)
	_, b := twoNodes(t, key)
	for page, left := range map[string]int{"sealed by nobody": 1, "": 0} {
		life := ledger.Life{Node: "ghost" + fmt.Sprint(left), Incarnation: 1}
		if page == "" {
			page, err = b.ring.SealText(journalPlace(life.String()), "")
			require.NoError(t, err)
		}
		require.NoError(t, b.cache.KeepJournal(t.Context(), life.String(), "1-1", "0-1", page))
		require.NoError(t, b.carryCopies(t.Context(), roster.Dead{Life: life}))
		found := 0
		require.NoError(t, b.cache.JournalOf(t.Context(), life.String(), func(string) error { found++; return nil }))
		require.Equal(t, left, found, page)
	}
}

// TestARefusedEndFreesNobody: the end of a call that another node goes on with takes nothing
// from that call.
func TestARefusedEndFreesNobody(t *testing.T) {
	a, b := twoNodes(t, "")
	const x = "+8617010000001"
	c := events.Call{Session: "s", Node: "a", Incarnation: a.roster.Incarnation(), App: "app", SP: "sp", Mode: "AXB", X: x, In: time.Now().UTC()}
	ledgertest.Record(t, a.ledger, c, events.NewCallEvent(c, 1, events.CallIn, c.In, ""))
	held, err := a.cache.Reserve(t.Context(), "s", x, "")
	require.NoError(t, err)
	require.True(t, held)
	c.Node, c.Ended = "ghost", c.In
	require.NoError(t, b.carryCopied(t.Context(), []events.Entry{{Call: c, Events: []events.Event{events.NewFee(c, 2)}}}))
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		held, err := b.cache.Reserve(t.Context(), "another", x, "")
		require.NoError(t, err)
		require.False(t, held)
	}
}

// copied is what stands in Redis of the journal of a life: its sessions with the numbers of
// their last events.
func copied(t *testing.T, n *Node, life ledger.Life) (all string, err error) {
	err = n.cache.JournalOf(t.Context(), life.String(), func(page string) error {
		text, err := n.ring.OpenText(journalPlace(life.String()), page)
		if err != nil {
			return err
		}
		list, err := journal.ReadPage([]byte(text))
		if err != nil {
			return err
		}
		for _, e := range list {
			all += e.Session() + fmt.Sprint(e.Events[len(e.Events)-1].Seq) + " "
		}
		return nil
	})
	return all, err
}

// ending is when a call was answered and ended, and why.
func ending(t *testing.T, n *Node, session string) []any {
	page, err := n.ledger.Calls(t.Context(), ledger.CallFilter{Session: session})
	require.NoError(t, err)
	require.Len(t, page.Calls, 1)
	c := page.Calls[0]
	return []any{c.Answered, c.Ended, c.EndWord}
}

// TestANodeCopiesItsJournal: it does so while there is another node, which would read it;
// nothing is left of it when the node has ended, nor when nobody else is there any more.
func TestANodeCopiesItsJournal(t *testing.T) {
	a, b := twoNodes(t, "")
	lives := map[*Node]ledger.Life{a: a.roster.Life(), b: b.roster.Life()}
	for n, life := range lives {
		require.Eventually(t, n.roster.Others, 10*time.Second, 10*time.Millisecond)
		i := 0
		require.Eventually(t, func() bool { // the ledger may have one sooner
			i++
			c := events.Call{Session: fmt.Sprint("s", i, "of", n.cfg.Node), Node: life.Node, Incarnation: life.Incarnation, App: "app", SP: "sp", Mode: "AXB", X: "+8617010000001", In: time.Now().UTC()}
			require.NoError(t, <-n.journal.Write(c, events.NewCallEvent(c, 1, events.CallIn, c.In, "")))
			all, err := copied(t, a, life)
			return err == nil && strings.Contains(all, "s")
		}, 10*time.Second, 10*time.Millisecond)
	}
	require.NoError(t, b.Close(t.Context()))
	left, err := copied(t, a, lives[b])
	require.NoError(t, err)
	require.Empty(t, left, "all is in the ledger")
	require.Eventually(t, func() bool { left, err := copied(t, a, lives[a]); return err == nil && left == "" }, 15*time.Second, 20*time.Millisecond, "nobody would read it")
}
