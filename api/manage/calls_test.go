package manage_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger/ledgertest"
	"axgate/provision"
	"axgate/routing"
)

// began is when the calls of the tests come in, each a minute after the last.
var began = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// call writes an answered call that is over, with its events.
func (w *world) call(session, app, sp, mode, x, caller, callee string, edit ...func(*events.Call)) {
	w.t.Helper()
	c := events.Call{Session: session, ICID: "icid-" + session, Node: "n1", Host: "host", App: app, SP: sp, Mode: mode, X: x, Caller: caller, Callee: callee, Binding: "binding-" + session,
		UserData: "order 13800000009", In: began, Why: "the reason of " + session}
	c.Out, c.Alerting, c.Answered = c.In.Add(time.Second), c.In.Add(2*time.Second), c.In.Add(3*time.Second)
	c.Ended, c.EndWord, c.ReleasedBy = c.In.Add(63*time.Second), routing.EndTalk.Word, 1
	for _, e := range edit {
		e(&c)
	}
	kinds := []struct {
		kind events.Kind
		at   time.Time
	}{{events.CallIn, c.In}, {events.CallOut, c.Out}, {events.Alerting, c.Alerting}, {events.Answer, c.Answered}, {events.Disconnect, c.Ended}}
	var evs []events.Event
	for _, k := range kinds {
		if !k.at.IsZero() {
			evs = append(evs, events.NewCallEvent(c, len(evs)+1, k.kind, k.at, ""))
		}
	}
	if !c.Ended.IsZero() {
		evs = append(evs, events.NewFee(c, len(evs)+1))
	}
	ledgertest.Record(w.t, w.ledger, c, evs...)
}

// threeCalls are one of ax, one of axb that was busy, and one that is up.
func (w *world) threeCalls() {
	w.call("s1", "ax", "demo", "AX", xa, bert, anna, func(c *events.Call) {
		c.RecordFile, c.RecordBytes, c.Recording = "rec.wav", 44, c.Answered
		c.ReleaseCause, c.ChargingID, c.CallerTrunk, c.CalleeTrunk = 31, "icid-1", "carrier-a", "carrier-b"
	})
	w.call("s2", "axb", "demo", "AXB", xb, anna, bert, func(c *events.Call) {
		c.In, c.Out = began.Add(time.Minute), began.Add(61*time.Second)
		c.Alerting, c.Answered, c.Ended = time.Time{}, time.Time{}, began.Add(62*time.Second)
		c.EndWord, c.StateCode, c.FailReason, c.SIPStatus, c.ReleasedBy = routing.EndBusy.Word, 8102, 8102, 486, 0
		c.UserData = "=1+1"
	})
	w.call("s3", "axe", "demo", "AXE", xe, carl, anna, func(c *events.Call) {
		c.In, c.Out = began.Add(2*time.Minute), began.Add(121*time.Second)
		c.Alerting, c.Answered, c.Ended, c.EndWord = time.Time{}, time.Time{}, time.Time{}, ""
	})
	w.call("s4", "other", "rival", "AX", xo, carl, bert, func(c *events.Call) { c.In = began.Add(3 * time.Minute) })
}

func TestCalls(t *testing.T) {
	w := newWorld(t)
	w.threeCalls()
	q := url.QueryEscape
	for query, want := range map[string][]string{
		"":                                    {"s4", "s3", "s2", "s1"},
		"number=" + q(anna):                   {"s3", "s2", "s1"},
		"number=13800000001":                  {"s3", "s2", "s1"},
		"number=" + q(xa):                     {"s1"},
		"caller=" + q(anna):                   {"s2"},
		"callee=" + q(anna):                   {"s3", "s1"},
		"x=17010000002":                       {"s2"},
		"appKey=axe":                          {"s3"},
		"spId=rival":                          {"s4"},
		"subscriptionId=binding-s1":           {"s1"},
		"end=callee_busy":                     {"s2"},
		"ulFailReason=8102":                   {"s2"},
		"talked=true&spId=demo":               {"s1"},
		"trunk=carrier-a":                     {"s1"},
		"trunk=carrier-b":                     {"s1"},
		"trunk=phone":                         {},
		"talked=false":                        {"s3", "s2"},
		"open=true":                           {"s3"},
		"from=2026-01-01T12:01:00Z&spId=demo": {"s3", "s2"},
		"to=2026-01-01T12:01:00Z":             {"s1"},
		"number=" + q(anna) + "&talked=true":  {"s1"},
	} {
		require.Equal(t, want, w.get(theOperator, "/calls?"+query).column("sessionId"), query)
	}
	require.Equal(t, []string{"s3", "s2", "s1"}, w.get(theTenant, "/calls").column("sessionId"))
	require.Empty(t, w.get(theTenant, "/calls?spId=rival").column("sessionId"))
	page := w.get(theTenant, "/calls?limit=2")
	require.Equal(t, []string{"s3", "s2"}, page.column("sessionId"))
	require.Equal(t, []string{"s1"}, w.get(theTenant, "/calls?limit=2&after="+q(page.is(http.StatusOK)["next"].(string))).column("sessionId"))

	w.get(theOperator, "/calls?number=nonsense").wrong("number")
	w.get(theOperator, "/calls?x=1").wrong("x")
	w.get(theOperator, "/calls?after=nonsense").wrong("after")
	w.get(theOperator, "/calls?from=yesterday").wrong("from")
	w.get(theOperator, "/calls?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z").wrong("to")
	w.get(theOperator, "/calls?talked=perhaps").wrong("talked")

	c := w.get(theTenant, "/calls/s1").is(http.StatusOK)
	require.Equal(t, []any{bert, anna, 60.0, "One of the two hung up after a talk.", "the reason of s1", "rec.wav"},
		[]any{c["caller"], c["callee"], c["talkSeconds"], c["endText"], c["why"], c["recordObjectName"]})
	require.NotContains(t, w.log.String(), anna[4:])
}

// TestReleaseCause: why a side hung up is for everybody, what networks call a
// call by, and which they are, is for operators alone.
func TestReleaseCause(t *testing.T) {
	w := newWorld(t)
	w.threeCalls()
	for _, token := range []string{theOperator, theTenant, theReader} {
		c := w.get(token, "/calls/s1").is(http.StatusOK)
		require.Equal(t, []any{1.0, 31.0, 0.0}, []any{c["callRelDirection"], c["releaseCause"], c["releaseStatus"]})
		require.Contains(t, string(w.get(token, "/calls/s1/story").body), "The caller hung up. It gave the cause Q.850 31.")
		for _, path := range []string{"/calls", "/calls/s1", "/calls/s1/story", "/calls.csv"} {
			if body := string(w.get(token, path).body); token == theOperator {
				for _, theirs := range []string{`icid-1`, `carrier-a`, `carrier-b`} {
					require.Contains(t, body, theirs, path)
				}
			} else {
				require.NotRegexp(t, `icid-1|carrier-[ab]`, body, path)
			}
		}
		for _, path := range []string{"/calls?trunk=carrier-a", "/calls.csv?trunk=carrier-a"} {
			if a := w.get(token, path); token == theOperator {
				require.Equal(t, http.StatusOK, a.status)
			} else {
				require.Contains(t, a.is(http.StatusForbidden)["detail"], "does not see trunks")
			}
		}
	}
}

// TestMasks looks for real numbers in everything that a read-only token gets.
func TestMasks(t *testing.T) {
	w := newWorld(t)
	w.threeCalls()
	b, err := w.office.BindAX(t.Context(), "ax", provision.BindAX{OrigNum: anna, PrivateNum: xa})
	require.NoError(t, err)
	w.post(theOperator, "/blacklist/add", map[string]any{"xs": []string{xa}, "callers": []string{carl}}).is(http.StatusOK)
	paths := []string{"/calls", "/calls.csv", "/calls/s1", "/calls/s1/story", "/events", "/events.csv", "/numbers/" + xa + "/bindings", "/numbers/" + xa + "/blacklist", "/bindings/" + b.ID, "/audit"}
	for _, token := range []string{theReader, demoReader} {
		for _, path := range paths {
			a := w.get(token, path)
			require.Equal(t, http.StatusOK, a.status, "%s %s", path, a.body)
			require.NotRegexp(t, `138000000`, string(a.body), "%s", path)
			if path != "/audit" && !strings.Contains(path, "blacklist") {
				require.Contains(t, string(a.body), "+861701000000", "X numbers are for everybody: %s", path)
			}
		}
		w.post(token, "/explain", map[string]any{"x": xa, "caller": bert}).is(http.StatusForbidden)
		verdict := w.post(token, "/explain", map[string]any{"x": xa}).is(http.StatusOK)
		require.Equal(t, "+86138****0001", verdict["callee"])
	}
	for _, token := range []string{openReader, theTenant, theOperator} {
		for _, path := range paths[:9] {
			require.Regexp(t, `\+86138000000\d\d`, string(w.get(token, path).body), "%s by %s", path, token)
		}
		require.Equal(t, anna, w.post(token, "/explain", map[string]any{"x": xa, "caller": bert}).is(http.StatusOK)["callee"])
	}
	require.NotRegexp(t, `138000000`, string(w.get(theOperator, "/audit").body))
	require.NotRegexp(t, `138000000`, w.log.String())
}

func TestCallsCSV(t *testing.T) {
	w := newWorld(t)
	w.threeCalls()
	for i := range 1100 { // more than are read at once
		w.call(fmt.Sprintf("many-%04d", i), "axb", "demo", "AXB", xb, anna, carl, func(c *events.Call) { c.In = began.Add(-time.Duration(i) * time.Second) })
	}
	a := w.get(theTenant, "/calls.csv?appKey=axb")
	require.Equal(t, "text/csv; charset=utf-8", a.header.Get("Content-Type"))
	rows, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+1101)
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	require.Equal(t, []string{"s2", anna, "8102", "'=1+1", "2026-01-01T12:01:00Z", ""},
		[]string{rows[1][column["sessionId"]], rows[1][column["caller"]], rows[1][column["ulFailReason"]], rows[1][column["userData"]], rows[1][column["callInTime"]], rows[1][column["fwdAnswerTime"]]})
	seen := map[string]bool{}
	for _, r := range rows[1:] {
		require.False(t, seen[r[0]])
		seen[r[0]] = true
	}
	require.Equal(t, 1, strings.Count(string(w.get(theTenant, "/calls.csv?spId=rival").body), "\n"), "the head alone")
	w.get(theTenant, "/calls.csv?number=x").wrong("number")

	a = w.get(theTenant, "/events.csv?sessionId=s1")
	rows, err = csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+6)
	require.Equal(t, []string{"s1", "1", "ax", "callin", "2026-01-01T12:00:00Z", "nowhere"}, rows[1][:6])
}

func TestHangUp(t *testing.T) {
	w := newWorld(t)
	w.threeCalls()
	w.up = "s3"
	require.Equal(t, http.StatusNoContent, w.post(theTenant, "/calls/s3/hangup", nil).status)
	w.post(theTenant, "/calls/s3/hangup", nil).is(http.StatusConflict)
	require.Contains(t, w.post(theTenant, "/calls/s1/hangup", nil).is(http.StatusConflict)["detail"], "over")
	w.post(theTenant, "/calls/none/hangup", nil).is(http.StatusNotFound)
	first := w.get(theTenant, "/audit?operation=hangUp").is(http.StatusOK)["items"].([]any)
	require.Len(t, first, 4)
	entry := first[3].(map[string]any)
	require.Equal(t, []any{"sessionId s3", "appKey axe, x " + xe, 204.0}, []any{entry["target"], entry["detail"], entry["status"]})
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	w.threeCalls()
	require.Equal(t, []string{"callin", "callout", "alerting", "answer", "disconnect", "fee"}, w.get(theTenant, "/events?sessionId=s1").column("eventType"))
	require.Equal(t, []string{"fee", "fee"}, w.get(theTenant, "/events?eventType=fee").column("eventType"))
	require.Len(t, w.get(theOperator, "/events?number=13800000003").column("sessionId"), 2+6, "of s3 and s4")
	require.Empty(t, w.get(theOperator, "/events?push=taken").column("sessionId"))
	require.Len(t, w.get(theTenant, "/events?push=nowhere&appKey=axe").column("sessionId"), 2)
	require.Empty(t, w.get(theTenant, "/events?spId=rival").column("sessionId"))
	page := w.get(theTenant, "/events?limit=3")
	next := w.get(theTenant, "/events?limit=3&after="+url.QueryEscape(page.is(http.StatusOK)["next"].(string)))
	require.Len(t, next.column("sessionId"), 3)
	require.NotEqual(t, page.body, next.body)
	w.get(theTenant, "/events?after=x").wrong("after")
	w.get(theTenant, "/events?push=lost").wrong("push")

	span := map[string]any{"from": "2026-01-01T12:00:00Z", "to": "2026-01-01T12:00:30Z"}
	require.EqualValues(t, 4, w.post(theTenant, "/events/replay", span).is(http.StatusOK)["replayed"])
	span["appKey"] = "axb"
	require.EqualValues(t, 0, w.post(theTenant, "/events/replay", span).is(http.StatusOK)["replayed"])
	span["appKey"] = "none"
	w.post(theTenant, "/events/replay", span).is(http.StatusNotFound)
	w.post(theTenant, "/events/replay", map[string]any{"from": "2026-01-01T12:00:00Z", "to": "2026-01-01T12:00:00Z"}).wrong("to")
	w.post(theTenant, "/events/replay", map[string]any{"from": "2026-01-01T12:00:00Z", "to": "2026-03-01T12:00:00Z"}).wrong("to")
	require.Contains(t, string(w.get(theTenant, "/audit?operation=replayEvents").body), "4 events from 2026-01-01T12:00:00Z")
}
