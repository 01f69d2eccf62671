//go:build e2e

package e2e

import (
	"strings"

	"github.com/stretchr/testify/require"
)

// textRow is a line of the table of sendResult (codes section 5, decision 15),
// as somebody behind the trunk raises it with a text.
type textRow struct {
	name string
	app  string // its X is texted
	// set prepares it; what it leaves zero is as usual: AXB, from A to B.
	set  func(s *scene, r *raised)
	want int // sendResult
	dir  int
	bare bool // its notice has no binding
}

// raised is one text that raises a row.
type raised struct {
	app              string
	x, a, b, binding string
	from, text       string
	asked            bool   // the customer's server is asked first
	taken            bool   // it is refused only after it was taken
	user             string // userData of the answer
}

// bindAXB binds the two of a row by the API, with more fields in pairs.
func bindAXB(more ...any) func(*scene, *raised) {
	return func(s *scene, r *raised) {
		r.binding = s.binds(r.app, pathAXB, more, "relationNum", r.x, "callerNum", r.a, "calleeNum", r.b)
	}
}

// bindAX binds A alone; A writes with B's number behind the text.
func bindAX(text string, more ...any) func(*scene, *raised) {
	return func(s *scene, r *raised) {
		r.binding = s.binds(r.app, pathAX, more, "privateNum", r.x, "origNum", r.a)
		r.text = strings.ReplaceAll(text, "B", r.b)
	}
}

// binds asks the API for a binding of an app, and gives its subscriptionId.
func (s *scene) binds(app, path string, more []any, body ...any) string {
	s.Helper()
	c := (&customerScene{scene: s, language: "go", scheme: "WSSE"}).as(s.T, app)
	f := fields{}
	for list := append(body, more...); len(list) > 0; list = list[2:] {
		f[list[0].(string)] = list[1]
	}
	return c.does("POST", path, f)["subscriptionId"].(string)
}

// then does more after a row was set.
func then(first func(*scene, *raised), more ...func(*scene, *raised)) func(*scene, *raised) {
	return func(s *scene, r *raised) {
		first(s, r)
		for _, f := range more {
			f(s, r)
		}
	}
}

// asks has the customer's server asked.
func asks(answer func(*raised) ordering) func(*scene, *raised) {
	return func(s *scene, r *raised) {
		r.asked, r.taken = true, true
		s.ordered(r.x, answer(r))
	}
}

func toB(r *raised) ordering { return forwarding(r.b, "") }

func fromB(s *scene, r *raised) { r.from = r.b }

func textRows() []textRow {
	status := func(to string) func(*scene, *raised) {
		return func(s *scene, r *raised) { s.run("number", "status", "--x", r.x, to) }
	}
	black := func(who func(*raised) string) func(*scene, *raised) {
		return func(s *scene, r *raised) { require.NoError(s, s.gate.Blacklist(s.within(step), r.x, who(r))) }
	}
	another := func(s *scene, r *raised) { r.from = s.takeWriter() }
	rows := []textRow{
		{name: "A to B", app: textAXB, set: bindAXB(), dir: 1},
		{name: "B to A", app: textAXB, set: then(bindAXB(), fromB)},
		{name: "AX B to A", app: textAX, set: then(bindAX("hello"), fromB)},
		{name: "AX A to B", app: textAX, set: bindAX("hello@B"), dir: 1},
		{name: "of a call direction", app: textAXB, set: bindAXB("callDirection", 2), dir: 1},
		{name: "account frozen", app: textFrozen, bare: true, want: 1, dir: 2},
		{name: "no binding", app: textAXB, bare: true, want: 2, dir: 2},
		{name: "no binding of AX", app: textAX, bare: true, want: 2, dir: 2},
		{name: "no binding with the sender", app: textAXB, set: then(bindAXB(), another), bare: true, want: 2, dir: 2},
		{name: "app paused", app: textPaused, bare: true, want: 4, dir: 2},
		{name: "app without texts", app: textOff, set: bindAXB(), want: 4, dir: 1},
		{name: "account without texts", app: textBarred, set: bindAXB(), want: 4, dir: 1},
		{name: "number without texts", app: textMute, set: bindAXB(), want: 11, dir: 1},
		{name: "AXE", app: textAXE, bare: true, want: 11, dir: 2},
		{name: "AXYB", app: textAXYB, bare: true, want: 11, dir: 2},
		{name: "binding without texts", app: textAXB, set: bindAXB("privateSms", "false"), want: 11, dir: 1},
		{name: "AX binding without texts", app: textAX, set: then(bindAX("hello", "privateSms", "false"), fromB), want: 11},
		{name: "AX turned off", app: textAX, set: then(bindAX("hello", "turnFlag", "off"), fromB), want: 11},
		{name: "sender blocked", app: textAXB, set: then(bindAXB(), black(func(r *raised) string { return r.a })), want: 8, dir: 1},
		{name: "receiver blocked", app: textAXB, set: then(bindAXB(), black(func(r *raised) string { return r.b })), want: 8, dir: 1},
		{name: "sender a fixed line", app: textAXB, set: then(func(s *scene, r *raised) { r.a = s.takeFixed(s.T); r.from = r.a }, bindAXB()), want: 10, dir: 1},
		{name: "receiver a fixed line", app: textAXB, set: then(func(s *scene, r *raised) { r.b = s.takeFixed(s.T) }, bindAXB()), want: 10, dir: 1},
		{name: "receiver a fixed line, named", app: textAX, set: then(bindAX("hello@075528000001"), asks(toB)), dir: 1},
		{name: "receiver an X", app: textAX, set: func(s *scene, r *raised) { bindAX("hello@"+s.takeX(s.T, textAX))(s, r) }, want: 10, dir: 1},
		{name: "receiver is the sender", app: textAX, set: func(s *scene, r *raised) { bindAX("hello@"+r.a)(s, r) }, want: 10, dir: 1},
		{name: "none of the words", app: textWords, set: bindAX("hello@B"), want: 12, dir: 1},
		{name: "a word in the tail alone", app: textWords, set: then(bindAX("hello"), fromB), want: 12},
		{name: "a forbidden word", app: textWords, set: bindAX("订单贷款@B"), want: 13, dir: 1},
		{name: "a forbidden word, written otherwise", app: textWords, set: bindAX("your ORDER: LOTTERY@B"), want: 13, dir: 1},
		{name: "an agreed word", app: textWords, set: bindAX("your Order@B"), dir: 1},
	}
	nobody := func(_ *scene, r *raised) { r.from = "anonymous" }
	rows = append(rows,
		textRow{name: "X returned", app: textAXB, set: then(bindAXB(), status("returned")), bare: true, want: 3, dir: 2},
		textRow{name: "unknown sender of AXB", app: textAXB, set: then(bindAXB(), nobody), bare: true, want: 2, dir: 2},
		textRow{name: "unknown sender of AX", app: textAX, set: then(bindAX("hello"), nobody), want: 10},
	)
	for _, to := range []string{"paused", "unavailable", "transfer"} {
		rows = append(rows, textRow{name: "X " + to, app: textAXB, set: then(bindAXB(), status(to)), want: 3, dir: 1})
	}
	return rows
}

// play writes the text, and checks its answer, its notice and who got it.
func (row textRow) play(s *scene) {
	r := &raised{app: row.app, x: s.takeX(s.T, row.app), a: s.takeWriter(), b: s.takeWriter(), text: "hello"}
	r.from = r.a
	if row.set != nil {
		row.set(s, r)
	}
	status := 202
	if row.want != 0 && !r.taken {
		status = 403
	}
	want := notice{app: row.app, result: row.want, direction: row.dir, binding: r.binding, user: r.user}
	var own []string
	if r.from != "anonymous" {
		want.sender, own = r.from, []string{r.from}
	}
	require.Equal(s, status, s.write(s.writer(own...), r.from, r.x, r.text))
	if row.bare {
		want.binding = ""
	}
	if r.asked {
		s.questioned(r.x, 1, notice{app: row.app, direction: row.dir, binding: want.binding, sender: r.from})
	}
	if row.want != 0 {
		s.told(r.x, 1, want)
		require.Empty(s, append(s.deliveredTo(r.a), s.deliveredTo(r.b)...))
		return
	}
	to, text := r.b, r.text
	if r.from == r.b {
		to = r.a
		if row.app == textAX {
			text += from(r.b)
		}
	}
	if body, _, tailed := strings.Cut(text, "@"); tailed && !r.asked {
		text = body
	}
	s.getsTexts(to, from(r.b))
	require.Equal(s, text, s.delivered(to, r.x, 1))
	want.receiver = to
	s.told(r.x, 1, want)
	require.Len(s, append(s.deliveredTo(r.a), s.deliveredTo(r.b)...), 1)
}

func textRowScenarios() []scenario {
	var all []scenario
	for _, row := range textRows() {
		all = append(all, scenario{"text row: " + row.name, row.play})
	}
	return all
}
