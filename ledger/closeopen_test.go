package ledger_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// died is a call on node n that was cut off in some state.
func died(session string) events.Call {
	return events.Call{Session: session, ICID: "i", Node: "n", Host: "n.example", App: "app", SP: "demo", Mode: "AXB", X: "+8617010000001",
		Caller: "+8613800000001", Callee: "+8613800000002", Binding: "b1", Direction: 1, In: t0}
}

// dead is node n after its last beat.
var dead = ledger.Dead{Life: ledger.Life{Node: "n", Incarnation: 1}, AliveAt: t0.Add(time.Minute)}

// never is node n if it never had a beat.
var never = ledger.Dead{Life: dead.Life}

// write journals a call with some of its events, and leaves it so.
func write(t *testing.T, l *ledger.Ledger, c events.Call, evs ...events.Event) {
	t.Helper()
	ledgertest.Record(t, l, c, evs...)
}

// story reads the kinds of a session's events, and the bodies of the last two.
func story(t *testing.T, l *ledger.Ledger, session string) (kinds []events.Kind, disconnect, fee map[string]any) {
	t.Helper()
	page, err := l.Events(t.Context(), ledger.EventFilter{Session: session})
	require.NoError(t, err)
	for i, e := range page.Events {
		require.Equal(t, i+1, e.Seq, "no gaps")
		require.False(t, e.Due.IsZero(), "it is owed")
		kinds = append(kinds, e.Kind)
		switch e.Kind {
		case events.Disconnect:
			require.NoError(t, json.Unmarshal(e.Body, &disconnect))
		case events.Fee:
			require.NoError(t, json.Unmarshal(e.Body, &fee))
		}
	}
	return kinds, disconnect, fee
}

func call(t *testing.T, l *ledger.Ledger, session string) events.Call {
	t.Helper()
	page, err := l.Calls(t.Context(), ledger.CallFilter{Session: session})
	require.NoError(t, err)
	require.Len(t, page.Calls, 1)
	return page.Calls[0]
}

// TestCloseOpen: a node that was killed finds its calls and ends them at the
// last instant at which it was alive (section 9, "node died").
func TestCloseOpen(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			before, err := ledger.Open(t.Context(), cfg)
			require.NoError(t, err)
			at := func(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

			talking := died("talking")
			talking.Out, talking.Alerting, talking.Answered = at(1), at(2), at(5)
			for i, k := range []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Answer} {
				write(t, before, talking, events.NewCallEvent(talking, i+1, k, at(i), ""))
			}
			talking.RecordWanted, talking.Recording, talking.RecordFile = true, at(6), "260102030411.wav"
			write(t, before, talking) // a state without an event of its own
			ringing := died("ringing")
			ringing.Out, ringing.Alerting = at(1), at(2)
			write(t, before, ringing, events.NewCallEvent(ringing, 1, events.CallIn, at(0), ""), events.NewCallEvent(ringing, 2, events.CallOut, at(1), ""),
				events.NewCallEvent(ringing, 3, events.Alerting, at(2), ""))
			undecided := died("undecided")
			undecided.Callee, undecided.Binding, undecided.Mode, undecided.Direction = "", "", "AXE", 0
			write(t, before, undecided, events.NewCallEvent(undecided, 1, events.CallIn, at(0), ""))
			late := died("late") // answered after the last heartbeat
			late.In, late.Out, late.Answered = at(70), at(71), at(75)
			write(t, before, late, events.NewCallEvent(late, 1, events.CallIn, at(70), ""), events.NewCallEvent(late, 2, events.Answer, at(75), ""))
			ending := died("ending") // its end was written in part
			ending.Out, ending.Answered, ending.Ended, ending.ReleasedBy, ending.EndWord = at(1), at(5), at(30), 2, "talk_ended"
			write(t, before, ending, events.NewCallEvent(ending, 1, events.CallIn, at(0), ""), events.NewCallEvent(ending, 2, events.Disconnect, at(30), ""))
			ending.Recording, ending.RecordFile, ending.RecordBytes = at(6), "finished.wav", 192_044
			write(t, before, ending)
			ended := died("ended")
			ended.Ended, ended.ReleasedBy, ended.ReleaseCause, ended.ReleaseStatus, ended.ChargingID = at(9), 1, 20, 480, "icid;of a carrier"
			ended.CallerTrunk, ended.CalleeTrunk = "carrier-a", "phone"
			write(t, before, ended, events.NewCallEvent(ended, 1, events.Disconnect, at(9), ""), events.NewFee(ended, 2))
			elsewhere := died("elsewhere")
			elsewhere.Node = "m"
			write(t, before, elsewhere, events.NewCallEvent(elsewhere, 1, events.CallIn, at(0), ""))
			require.NoError(t, before.Close())

			l := open(t, cfg)
			var asked []string
			repaired := func(c events.Call) (string, int64, bool) {
				asked = append(asked, c.Session)
				return c.RecordFile, 432_044, true
			}
			n, err := l.CloseOpen(t.Context(), dead, true, repaired)
			require.NoError(t, err)
			require.Len(t, n, 5)
			require.Equal(t, []string{"talking"}, asked, "only it was recorded")
			require.Equal(t, ended, call(t, l, "ended"))

			kinds, disconnect, fee := story(t, l, "talking")
			require.Equal(t, []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Answer, events.Disconnect, events.Fee}, kinds)
			require.EqualValues(t, 8020, disconnect["stateCode"])
			require.Equal(t, "2026-01-02 03:05:05", disconnect["timestamp"])
			require.Equal(t, "+8613800000002", disconnect["called"])
			want := map[string]any{"ulFailReason": 8020., "fwdUnaswRsn": 0., "sipStatusCode": 0., "direction": 1., "subscriptionId": "b1", "serviceType": "004",
				"fwdAnswerTime": "2026-01-02 03:04:10", "callEndTime": "2026-01-02 03:05:05", "callDuration": 55., "recordFlag": 1.,
				"recordObjectName": "260102030411.wav", "recordStartTime": "2026-01-02 03:04:11", "recordBucketName": "sp-app"}
			for key, value := range want {
				require.Equal(t, value, fee[key], key)
			}
			require.NotContains(t, fee, "failTime")
			c := call(t, l, "talking")
			require.Equal(t, at(60), c.Ended)
			require.Equal(t, "node_died", c.EndWord)
			require.Equal(t, int64(432_044), c.RecordBytes)

			kinds, disconnect, fee = story(t, l, "ringing")
			require.Equal(t, []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Disconnect, events.Fee}, kinds)
			require.EqualValues(t, 8020, disconnect["stateCode"])
			require.EqualValues(t, 8020, fee["ulFailReason"])
			require.EqualValues(t, 500, fee["sipStatusCode"])
			require.EqualValues(t, 0, fee["recordFlag"])
			require.NotContains(t, fee, "fwdAnswerTime")
			require.Equal(t, "2026-01-02 03:05:05", fee["failTime"])

			_, _, fee = story(t, l, "undecided")
			require.NotContains(t, fee, "fwdDstNum")
			require.NotContains(t, fee, "subscriptionId")
			require.EqualValues(t, 0, fee["direction"])

			_, disconnect, fee = story(t, l, "late")
			require.Equal(t, "2026-01-02 03:05:20", disconnect["timestamp"], "no end before what happened")
			require.EqualValues(t, 0, fee["callDuration"])

			kinds, disconnect, fee = story(t, l, "ending")
			require.Equal(t, []events.Kind{events.CallIn, events.Disconnect, events.Fee}, kinds)
			require.EqualValues(t, 0, disconnect["stateCode"], "what it was told stays")
			require.EqualValues(t, 0, fee["ulFailReason"])
			require.Equal(t, "2026-01-02 03:04:35", fee["callEndTime"])
			require.EqualValues(t, 2, fee["callRelDirection"])
			require.Equal(t, "finished.wav", fee["recordObjectName"], "nothing is left to repair")

			kinds, _, _ = story(t, l, "ended")
			require.Len(t, kinds, 2)
			kinds, _, _ = story(t, l, "elsewhere")
			require.Len(t, kinds, 1, "it lives on another node")

			n, err = l.CloseOpen(t.Context(), dead, true, repaired)
			require.NoError(t, err)
			require.Empty(t, n, "each is closed once")
			page, err := l.Calls(t.Context(), ledger.CallFilter{Open: true})
			require.NoError(t, err)
			require.Len(t, page.Calls, 1)
			require.Equal(t, "elsewhere", page.Calls[0].Session)
		})
	}
}

// TestCloseOpenWithoutTape: a recording of which nothing is left is not billed
// as one.
func TestCloseOpenWithoutTape(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		c := died("one")
		c.Out, c.Answered, c.Recording, c.RecordWanted, c.RecordFile = t0, t0, t0, true, "lost.wav"
		for i, repaired := range []ledger.Repaired{nil, func(events.Call) (string, int64, bool) { return "", 0, false }} {
			c.Session = fmt.Sprint("call", i)
			write(t, l, c, events.NewCallEvent(c, 1, events.Answer, t0, ""))
			n, err := l.CloseOpen(t.Context(), never, true, repaired)
			require.NoError(t, err, "a node that never had a heartbeat")
			require.Len(t, n, 1)
			_, _, fee := story(t, l, c.Session)
			require.EqualValues(t, 0, fee["recordFlag"])
			require.NotContains(t, fee, "recordObjectName")
			require.NotContains(t, fee, "recordStartTime")
			require.Equal(t, "2026-01-02 03:04:05", fee["callEndTime"])
		}
	})
}

// TestCloseOpenTogether: of several that close the same calls each call is
// closed by one; more calls than one batch.
func TestCloseOpenTogether(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		const calls = 230
		for i := range calls {
			c := died(fmt.Sprint("call", i))
			write(t, l, c, events.NewCallEvent(c, 1, events.CallIn, t0, ""))
		}
		type result struct {
			n   int
			err error
		}
		results := make(chan result)
		for range 2 {
			go func() {
				n, err := l.CloseOpen(t.Context(), never, true, nil)
				results <- result{len(n), err}
			}()
		}
		a, b := <-results, <-results
		require.NoError(t, a.err)
		require.NoError(t, b.err)
		require.Equal(t, calls, a.n+b.n)
		kinds, _, _ := story(t, l, "call229")
		require.Equal(t, []events.Kind{events.CallIn, events.Disconnect, events.Fee}, kinds)
	})
}

// TestCloseOpenGoesOn: a call that cannot be closed does not keep the others
// open.
func TestCloseOpenGoesOn(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l := open(t, cfg)
			for _, session := range []string{"a", "b", "c"} {
				c := died(session)
				write(t, l, c, events.NewCallEvent(c, 1, events.CallIn, t0, ""))
			}
			execute(t, cfg, "UPDATE calls SET quality = 'broken' WHERE session = 'b'")
			n, err := l.CloseOpen(t.Context(), never, true, nil)
			require.ErrorContains(t, err, "close call b")
			require.Len(t, n, 2)
			kinds, _, _ := story(t, l, "c")
			require.Len(t, kinds, 3)
		})
	}
}
