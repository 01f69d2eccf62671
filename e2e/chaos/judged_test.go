//go:build e2e

package chaos

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/receiver"
	"axgate/e2e/sipp"
	"axgate/e2e/verdict"
)

// begun is when the fault of TestJudge begins.
var begun = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// after is an instant so many seconds after that.
func after(seconds float64) time.Time {
	return begun.Add(time.Duration(seconds * float64(time.Second)))
}

// toldAt has the customer hear of an end at these instants.
func toldAt(seconds ...float64) (h heard) {
	for _, at := range seconds {
		h.disconnects, h.fees = append(h.disconnects, after(at)), append(h.fees, after(at+0.01))
	}
	return h
}

// fair is an account in which all is well: of a call by the first pair of the traffic
// during a fault, another before it, one that was refused, and a binding of each kind.
func fair() *account {
	m := newModel()
	m.pairs = m.pairs[:1]
	p, kept, gone := m.pairs[0], m.pair(xNumber(trafficX), "+8613600000001", "+8613700000001"), m.pair(xNumber(trafficX), "+8613600000002", "+8613700000002")
	a := &account{model: m, nodes: []string{"n0", "n1"}, told: map[string]heard{"s0": toldAt(1.3), "s1": toldAt(4.3)},
		played: []*played{{fault: fault{name: "a fault", lasts: 10 * time.Second}, from: begun, mended: after(10)}},
		kept:   []binding{{kept, "k"}}, gone: []binding{{gone, "g"}}, bound: []binding{{p, "t"}, {&pair{kept.x, kept.a, kept.b}, "k"}}}
	for _, at := range []float64{-2, 1} {
		a.calls = append(a.calls, &call{caller: p.a, x: p.x, bound: true, sent: after(at), answered: after(at + 0.2), ended: after(at + 3.2), status: 200})
		a.rows = append(a.rows, &row{node: "n0", session: map[bool]string{true: "s0", false: "s1"}[at < 0], x: p.x, caller: p.a, callee: p.b,
			in: after(at), answered: after(at + 0.25), ended: after(at + 3.2), closed: true, disconnects: 1, fees: 1})
		a.legs = append(a.legs, &leg{x: p.x, callee: p.b, text: "INVITE sip:" + p.b + "\r\nFrom: <sip:" + p.x + ">", at: after(at), answered: after(at + 0.15), over: true})
	}
	a.calls = append(a.calls, &call{caller: gone.a, x: gone.x, sent: after(4), status: 403})
	for at := 0.5; at < 10; at += 3 {
		for i := range a.nodes {
			a.calls = append(a.calls, &call{node: i, traffic: true, caller: "+8613600000009", x: xNumber(1), sent: after(at), status: 403})
		}
	}
	return a
}

// TestJudge has each thing go wrong that may, and nothing else.
func TestJudge(t *testing.T) {
	t.Parallel()
	byNode := func(a *account) { a.played[0].excuses, a.played[0].cuts, a.played[0].repeats = ofNode, true, true }
	for name, c := range map[string]struct {
		do   func(a *account)
		want []string
	}{
		"all well":                        {func(*account) {}, nil},
		"refused":                         {func(a *account) { a.drop(503) }, []string{callFailed}},
		"no final response":               {func(a *account) { a.drop(0) }, []string{callFailed}},
		"cut off":                         {func(a *account) { a.calls[1].cut = true }, []string{callFailed}},
		"cut off, begun before the fault": {func(a *account) { a.calls[0].cut = true }, []string{callFailed}},
		"refused by a node that is dead":  {func(a *account) { byNode(a); a.drop(0) }, nil},
		"refused by the other one":        {func(a *account) { byNode(a); a.calls[1].node = 1; a.drop(0) }, []string{callFailed}},
		"refused long after":              {func(a *account) { byNode(a); a.calls[1].sent = after(14); a.drop(503) }, []string{callFailed}},
		"no record":                       {func(a *account) { a.rows = a.rows[:1]; delete(a.told, "s1") }, []string{recordLost}},
		"no record, of a dead node":       {func(a *account) { byNode(a); a.rows = a.rows[:1]; delete(a.told, "s1") }, []string{recordLost}},
		"a record without its answer":     {func(a *account) { a.rows[1].answered = time.Time{} }, []string{recordLost}},
		"answered as the node died":       {func(a *account) { byNode(a); a.answer(-0.03); a.rows[1].answered = time.Time{} }, nil},
		"answered before it died":         {func(a *account) { byNode(a); a.answer(-0.2); a.rows[1].answered = time.Time{} }, []string{recordLost}},
		"answered after it came back":     {func(a *account) { byNode(a); a.answer(10.5); a.rows[1].answered = time.Time{} }, []string{recordLost}},
		"answered, nobody died":           {func(a *account) { a.answer(-0.03); a.rows[1].answered = time.Time{} }, []string{recordLost}},
		"answered as it died, not told": {func(a *account) {
			byNode(a)
			a.answer(-0.03)
			a.rows[1].answered = time.Time{}
			delete(a.told, "s1")
		}, []string{recordHalf, recordLost}},
		"two fee events":           {func(a *account) { a.rows[1].fees = 2 }, []string{recordHalf, recordLost}},
		"no disconnect":            {func(a *account) { a.rows[1].disconnects = 0 }, []string{recordHalf, recordLost}},
		"not closed":               {func(a *account) { a.rows[1].closed = false }, []string{recordHalf, recordLost}},
		"customer not told":        {func(a *account) { delete(a.told, "s1") }, []string{recordHalf, recordLost}},
		"customer told of nothing": {func(a *account) { a.told["s2"] = toldAt(5) }, []string{unknownTold}},
		"fee told twice": {func(a *account) {
			h := a.told["s1"]
			h.fees = append(h.fees, after(64))
			a.told["s1"] = h
		}, []string{toldAgain}},
		"disconnect told twice": {func(a *account) {
			h := a.told["s1"]
			h.disconnects = append(h.disconnects, after(64))
			a.told["s1"] = h
		}, []string{toldAgain}},
		"both told twice":               {func(a *account) { a.told["s1"] = toldAt(4.3, 64) }, []string{toldAgain, toldAgain}},
		"told twice by a dead node":     {func(a *account) { byNode(a); a.told["s1"] = toldAt(4.3, 7, 8) }, nil},
		"told, not stored when it died": {func(a *account) { byNode(a); a.told["s0"] = toldAt(-1.5, 7) }, nil},
		"told twice, stored long before": {func(a *account) {
			byNode(a)
			a.told["s0"] = toldAt(-2.5, 7)
		}, []string{toldAgain, toldAgain}},
		"told twice long after": {func(a *account) { byNode(a); a.told["s1"] = toldAt(13.5, 15) }, []string{toldAgain, toldAgain}},
		"two records": {func(a *account) {
			r := *a.rows[1]
			r.session, r.call = "s2", nil
			a.rows, a.told["s2"] = append(a.rows, &r), toldAt(5)
		}, []string{falseRecord}},
		"billed, not answered":            {func(a *account) { a.calls[1].status, a.calls[1].answered = 503, time.Time{} }, []string{falseRecord, callFailed}},
		"its answer died with the node":   {func(a *account) { byNode(a); a.calls[1].status, a.calls[1].answered = 0, time.Time{} }, nil},
		"billed too long":                 {func(a *account) { a.rows[1].ended = after(5.4) }, []string{badDuration}},
		"billed too short":                {func(a *account) { a.rows[1].ended = after(3) }, []string{badDuration}},
		"too short, cut off by the death": {func(a *account) { byNode(a); a.rows[1].ended = after(2) }, nil},
		"too short, over before it":       {func(a *account) { byNode(a); a.overAt(-1) }, []string{badDuration}},
		"too short, over as it died":      {func(a *account) { byNode(a); a.overAt(-0.03) }, nil},
		"too long, cut off by the death":  {func(a *account) { byNode(a); a.rows[1].ended = after(5.4) }, []string{badDuration}},
		"billed before it was answered":   {func(a *account) { a.heardLate(); a.rows[1].answered = after(0.1) }, []string{badDuration}},
		"its caller hears of it late":     {func(a *account) { a.heardLate() }, nil},
		"an hour ahead":                   {func(a *account) { a.played[0].clockAhead = time.Hour; a.rows[1].shift(time.Hour) }, nil},
		"an hour ahead, not so played":    {func(a *account) { a.rows[1].shift(time.Hour) }, []string{falseRecord, recordLost}},
		"a stranger rings":                {func(a *account) { a.legs[1].callee = "+8613912345678" }, []string{wrongRoute}},
		"a record of a stranger":          {func(a *account) { a.rows[1].callee = "+8613912345678" }, []string{wrongRoute}},
		"the caller's number":             {func(a *account) { a.legs[1].text += a.model.pairs[0].a }, []string{numberShown}},
		"the callee is not hung up on":    {func(a *account) { a.legs[1].over = false }, []string{leftUp}},
		"nor by a node that died":         {func(a *account) { byNode(a); a.legs[1].over = false }, nil},
		"put through after its unbind":    {func(a *account) { a.calls[2].status = 200 }, []string{putThrough}},
		"no answer after its unbind":      {func(a *account) { a.calls[2].status = 0 }, []string{noAnswer}},
		"a bind is gone":                  {func(a *account) { a.bound = a.bound[:1] }, []string{bindGone}},
		"a bind of the traffic is gone":   {func(a *account) { a.bound = a.bound[1:] }, []string{bindGone}},
		"a bind is another's":             {func(a *account) { a.bound[1].pair.b = "+8613912345678" }, []string{bindGone}},
		"an unbind is undone":             {func(a *account) { a.bound = append(a.bound, a.gone[0]) }, []string{unbindUndone}},
		"bound by nobody":                 {func(a *account) { a.bound = append(a.bound, binding{&pair{xNumber(1), "+861", "+862"}, "h"}) }, []string{halfDone}},
		"nobody calls": {func(a *account) {
			a.calls = slices.DeleteFunc(a.calls, func(c *call) bool { return c.node == 1 && c.sent.After(after(6)) })
		}, []string{noTraffic}},
		"the traffic's bound twice": {func(a *account) { a.bound = append(a.bound, binding{a.model.pairs[0], "h"}) }, []string{halfDone}},
	} {
		t.Run(name, func(t *testing.T) {
			a := fair()
			c.do(a)
			a.judge()
			var got []string
			for _, what := range a.wrong {
				kind, _, _ := strings.Cut(what, ":")
				got = append(got, kind)
			}
			require.ElementsMatch(t, c.want, got, "%s", strings.Join(a.wrong, "\n"))
		})
	}
}

// drop has the call of the fault end with a status instead of an answer.
func (a *account) drop(status int) {
	c := a.calls[1]
	c.status, c.answered, c.ended = status, time.Time{}, time.Time{}
	a.rows[1].answered = time.Time{}
}

// overAt has the call before the fault end at an instant, and its record two seconds earlier.
func (a *account) overAt(at float64) {
	c, r := a.calls[0], a.rows[0]
	c.sent, c.answered, c.ended = after(at-4.2), after(at-4), after(at)
	r.in, r.answered, r.ended = after(at-4.2), after(at-4), after(at-2)
}

// answer moves the call of the fault so that it was answered at an instant.
func (a *account) answer(at float64) {
	c := a.calls[1]
	c.sent, c.answered = after(at-0.2), after(at)
	a.rows[1].in = after(at - 0.2)
}

// heardLate has the caller of the call of the fault hear long after the callee's answer of it.
func (a *account) heardLate() { a.calls[1].answered = after(3) }

// shift has a record be written by a clock that is ahead.
func (r *row) shift(by time.Duration) {
	r.in, r.answered, r.ended = r.in.Add(by), r.answered.Add(by), r.ended.Add(by)
}

// TestVerdict counts into the table.
func TestVerdict(t *testing.T) {
	t.Parallel()
	a := fair()
	a.drop(503)
	a.calls[1].sent = after(12)
	a.judge()
	require.Equal(t, []verdict.Row{{Fault: "a fault", Offered: 2, Failed: 1, Normal: 2}}, a.verdicts)
	a = fair()
	a.rows = a.rows[:1]
	a.refused = []refusal{{at: after(9), took: 5500 * time.Millisecond}}
	a.judge()
	require.Equal(t, []verdict.Row{{Fault: "a fault", Offered: 2, Lost: 1, Normal: 4.5}}, a.verdicts)
}

// TestHeard reads what the customer took.
func TestHeard(t *testing.T) {
	t.Parallel()
	told, err := heardIn([]receiver.Push{
		{At: after(1), Status: 200, Body: []byte(`{"eventType":"callin","statusInfo":{"sessionId":"a"}}`)},
		{At: after(2), Status: 503, Body: []byte(`{"eventType":"disconnect","statusInfo":{"sessionId":"a"}}`)},
		{At: after(3), Status: 200, Body: []byte(`{"eventType":"disconnect","statusInfo":{"sessionId":"a"}}`)},
		{At: after(4), Status: 200, Body: []byte(`{"eventType":"fee","feeLst":[{"sessionId":"a"},{"sessionId":"b"}]}`)},
		{At: after(5), Status: 200, Body: []byte(`{"eventType":"fee","feeLst":[{"sessionId":"a"}]}`)},
	})
	require.NoError(t, err)
	require.Equal(t, map[string]heard{"a": {[]time.Time{after(3)}, []time.Time{after(4), after(5)}}, "b": {nil, []time.Time{after(4)}}}, told)
	require.True(t, told["a"].all())
	require.False(t, told["b"].all())
}

// TestLegs reads what the network got.
func TestLegs(t *testing.T) {
	t.Parallel()
	message := func(sent bool, start, id, cseq string) sipp.Message {
		return sipp.Message{At: begun, Sent: sent, Text: start + "\r\nFrom: <sip:+8617010000001@127.9.3.11>;tag=1\r\nContact: <sip:axgate@127.9.3.11:5060>\r\nCall-ID: " + id + "\r\nCSeq: " + cseq + "\r\n\r\n"}
	}
	all := legs([]sipp.Message{
		message(false, "INVITE sip:+8613900000001@127.9.3.2 SIP/2.0", "a", "1 INVITE"), message(false, "INVITE sip:+8613900000001@127.9.3.2 SIP/2.0", "a", "1 INVITE"),
		message(true, "SIP/2.0 180 Ringing", "a", "1 INVITE"), message(false, "INVITE sip:+8613900000002@127.9.3.2 SIP/2.0", "b", "1 INVITE"),
		message(true, "SIP/2.0 200 OK", "a", "1 INVITE"), message(false, "BYE sip:+8613900000002@127.9.3.2 SIP/2.0", "a", "2 BYE"),
		message(true, "SIP/2.0 200 OK", "b", "1 INVITE"), message(false, "BYE sip:nobody SIP/2.0", "c", "2 BYE"),
	})
	require.Len(t, all, 2)
	require.Equal(t, []any{1, "+8617010000001", "+8613900000001", begun, true}, []any{all[0].node, all[0].x, all[0].callee, all[0].answered, all[0].over})
	require.Equal(t, []any{1, "+8613900000002", begun, false}, []any{all[1].node, all[1].callee, all[1].answered, all[1].over})
}

// TestSaw follows a call by its caller's messages.
func TestSaw(t *testing.T) {
	t.Parallel()
	message := func(at float64, sent bool, start, cseq string) sipp.Message {
		return sipp.Message{At: after(at), Sent: sent, Text: start + "\r\nCSeq: " + cseq + "\r\n\r\n"}
	}
	ring, answer := message(1, false, "SIP/2.0 180 Ringing", "1 INVITE"), message(2, false, "SIP/2.0 200 OK", "1 INVITE")
	hangUp := message(4, true, "BYE sip:x SIP/2.0", "2 BYE")
	for name, c := range map[string]struct {
		seen []sipp.Message
		want call
	}{
		"a talk":              {[]sipp.Message{ring, answer, answer, hangUp, message(5, false, "SIP/2.0 200 OK", "2 BYE")}, call{status: 200, answered: after(2), ended: after(4), confirmed: true}},
		"its end not known":   {[]sipp.Message{ring, answer, hangUp, message(5, false, "SIP/2.0 481 Gone", "2 BYE")}, call{status: 200, answered: after(2), ended: after(4)}},
		"ended by the others": {[]sipp.Message{answer, message(3, false, "BYE sip:x SIP/2.0", "7 BYE"), message(3, true, "SIP/2.0 200 OK", "7 BYE")}, call{status: 200, answered: after(2), ended: after(3), cut: true}},
		"refused":             {[]sipp.Message{ring, message(2, false, "SIP/2.0 503 No", "1 INVITE")}, call{status: 503}},
		"not answered":        {[]sipp.Message{ring}, call{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := call{}
			for _, m := range c.seen {
				got.saw(m)
			}
			require.Equal(t, c.want, got)
		})
	}
}
