package binding_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// call is a call of an app that came in and is up.
func (w *world) call(session, app string, mode routing.Mode) events.Call {
	w.t.Helper()
	c := events.Call{Session: session, ICID: "icid-" + session, Node: "n1", Host: "n1", App: app, SP: "demo", Mode: string(mode), X: x(routing.AX, 1), Caller: bert, In: w.clock()}
	ledgertest.Record(w.t, w.ledger, c, events.NewCallEvent(c, 1, events.CallIn, c.In, ""))
	w.calls.mu.Lock()
	defer w.calls.mu.Unlock()
	w.calls.up[session] = true
	return c
}

// TestStopCall is API 7: in all modes, for calls of the app that are up.
func TestStopCall(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE, routing.AXYB} {
			app := string(mode)
			session := "1200_1029_4294967295_20260102030405@" + app
			w.call(session, app, mode)
			order := fields{"sessionid": session, "signal": "call_stop"}
			w.judge(app, http.MethodPost, pathStop, order, map[string][]trial{
				"sessionid": {{nil, "1020001 sessionid"}, {"", "1020001 sessionid"}, {long(256), "1020152"}, {long(257), "1020001 sessionid"}, {7, "1020152"},
					{fields{}, "1020001 sessionid"}, {[]any{session}, "1020001 sessionid"}, {"a\x00b", "1020001 sessionid"}, {"none", "1020152"}, {session + " ", "1020152"}},
				"signal": {{nil, "1020001 signal"}, {"", "1020001 signal"}, {"CALL_STOP", "1020001 signal"}, {"stop", "1020001 signal"}, {1, "1020001 signal"}, {fields{}, "1020001 signal"}},
			}, nil)
			require.Equal(t, "1020001 sessionid", w.send(app, http.MethodPost, pathStop, fields{"sessionId": session, "signal": "call_stop"}).outcome(), "all lower case")
			require.Equal(t, "1020001 body", w.raw(app, http.MethodPost, pathStop, []byte("{")).outcome())
			require.Equal(t, "1020152", w.send(app+"-other", http.MethodPost, pathStop, order).code, "nobody stops others' calls")
			require.True(t, w.calls.up[session], "none of these stopped it")
			require.Equal(t, `{"resultcode":"0","resultdesc":"Success"}`, w.done(app, http.MethodPost, pathStop, order).text)
			require.False(t, w.calls.up[session])
			require.Equal(t, "1020152", w.send(app, http.MethodPost, pathStop, order).code, "it is being torn down")
		}
		c := w.call("poor@n1", "AX-poor", routing.AX)
		w.done("AX-poor", http.MethodPost, pathStop, fields{"sessionid": c.Session, "signal": "call_stop"})

		c = w.call("over@n1", "AX", routing.AX)
		c.Ended = c.In.Add(time.Second)
		ledgertest.Record(t, w.ledger, c, events.NewCallEvent(c, 2, events.Disconnect, c.Ended, ""), events.NewFee(c, 3))
		require.Equal(t, "1020152", w.send("AX", http.MethodPost, pathStop, fields{"sessionid": c.Session, "signal": "call_stop"}).code, "it is over")
	})
}
