//go:build e2e

package e2e

import (
	"database/sql"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the ledger, from outside

	"axgate/phone"
)

func anyScenarios() []scenario {
	all := []scenario{
		{"any unknown X", anyUnknown},
		{"any X frozen for binding", anyBindFrozen},
		{"any app paused", anyPaused},
		{"any account frozen", anyFrozen},
		{"any unexpected", anyUnexpected},
		{"any caller on the blacklist", anyCallerBlocked},
		{"any callee on the blacklist", anyCalleeBlocked},
		{"AX foreign caller", axForeignCaller},
		{"AX foreign caller where the app forbids it", axForeignRefused},
		{"AX 400 number and unknown caller", axServiceCaller},
		{"AX 400 number as temporary callee", axServiceCallee},
		{"AX caller on one leg only", axOwnNumber},
	}
	for _, status := range []string{"paused", "unavailable", "transfer", "returned"} {
		all = append(all, scenario{"any X " + status, anyUnusable(status)})
	}
	return all
}

// anyUnknown: an X that is not ours gets its answer at once, and nobody is told.
func anyUnknown(s *scene) {
	who := s.stranger()
	for _, x := range []string{"+8617099999999", "+86700123456789012", "+8615"} {
		c := s.dial(who, x)
		s.refusedWith(c, 404, 1)
		for _, st := range c.Statuses() {
			require.False(s, st.Early, "no prompt")
		}
		s.prompted(c)
		time.Sleep(time.Second) // what would be pushed comes within this time
		require.Empty(s, s.customer.Of(x))
	}
}

// anyUnusable: an X that changes its status takes no more calls.
func anyUnusable(status string) func(*scene) {
	return func(s *scene) {
		a, b, x, _ := s.pair(appAXB)
		s.run("number", "status", "--x", x, status)
		c := s.dial(a, x)
		s.refusedWith(c, 403, 21)
		s.prompted(c, "no_permission")
		s.reachesNobody(b)
		s.story(x, 1, billed{state: 8055, fail: 8055, direction: 2, caller: a.Number(), service: "004", events: evRefused})
	}
}

// anyBindFrozen: what is bound already goes on.
func anyBindFrozen(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	s.run("number", "status", "--x", x, "frozen")
	_, err := s.gate.Bind(s.within(step), "axb", "--x", x, "--a", s.stranger().Number(), "--b", s.stranger().Number())
	require.Error(s, err)
	out, in := s.connect(a, b, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}

func anyPaused(s *scene) {
	who, x := s.stranger(), s.takeX(s.T, appPaused)
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "service_exception")
	s.story(x, 1, billed{state: 8018, fail: 8018, direction: 2, caller: who.Number(), service: "004", events: evRefused})
}

func anyFrozen(s *scene) {
	who, x := s.stranger(), s.takeX(s.T, appFrozen)
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 1, billed{state: 7108, fail: 7108, direction: 2, caller: who.Number(), service: "004", events: evRefused})
}

// anyUnexpected breaks an app's row in the ledger behind axgate's back.
func anyUnexpected(s *scene) {
	who, x := s.stranger(), s.takeX(s.T, appOdd)
	db, err := sql.Open("sqlite", filepath.Join(s.gate.Data(), "axgate.db")+"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(0)")
	require.NoError(s, err)
	defer db.Close()
	for _, change := range []string{"UPDATE apps SET mode = 'AXQ' WHERE key = '" + appOdd + "'", "UPDATE marks SET value = value + 1 WHERE name = 'settings'"} {
		_, err = db.ExecContext(s.ctx, change)
		require.NoError(s, err)
	}
	var c *phone.Call
	n := 0
	require.Eventually(s, func() bool { // until axgate has read it
		c = s.dial(who, x)
		n++
		return s.ended(c).Status == 500
	}, step, 500*time.Millisecond)
	s.refusedWith(c, 500, 41)
	s.prompted(c, "service_exception")
	s.story(x, n, billed{state: 8020, fail: 8020, direction: 2, caller: who.Number(), service: "", events: evRefused})
}

func anyCallerBlocked(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	require.NoError(s, s.gate.Blacklist(s.within(step), x, a.Number()))
	c := s.dial(a, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.reachesNobody(b)
	s.story(x, 1, billed{state: 7005, fail: 7005, direction: 2, caller: a.Number(), service: "004", events: evRefused})
}

func anyCalleeBlocked(s *scene) {
	a, b, x, id := s.pair(appAXB)
	require.NoError(s, s.gate.Blacklist(s.within(step), x, b.Number()))
	c := s.dial(a, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.reachesNobody(b)
	s.story(x, 1, billed{state: 7004, fail: 7004, direction: 1, binding: id, caller: a.Number(), service: "004", events: evRefused})
}

// fromTrunk calls X from the trunk with any number, up to the talk.
func (s *scene) fromTrunk(caller string, a *phone.Phone, x string) (out, in *phone.Call) {
	s.Helper()
	out = s.dial(s.carrier(caller), x, phone.From(caller))
	in = s.rings(a)
	s.shows(in, x)
	s.answered(out, in)
	return out, in
}

func axForeignCaller(s *scene) {
	a, x, id := s.oneA()
	out, in := s.fromTrunk("+12125550100", a, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, billed{direction: 0, binding: id, caller: "+12125550100", callee: a.Number(), service: "003", events: evAnswered, talk: true})
}

func axForeignRefused(s *scene) {
	x := s.takeX(s.T, appHome)
	a := s.stranger()
	s.bind("ax", "--x", x, "--a", a.Number())
	c := s.dial(s.carrier("+12125550100"), x, phone.From("0012125550100"))
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.reachesNobody(a)
	s.story(x, 1, billed{state: 8042, fail: 8042, direction: 2, caller: "+12125550100", service: "003", events: evRefused})
}

// axServiceCaller: numbers that cannot be bound may call, in any spelling, and
// so may somebody who shows no number.
func axServiceCaller(s *scene) {
	a, x, id := s.oneA()
	for i, from := range []struct{ spelled, number string }{{"4008001234", "+864008001234"}, {"95588", "+8695588"}, {"075528765432", "+8675528765432"}, {"anonymous", ""}} {
		out := s.dial(s.carrier(from.number), x, phone.From(from.spelled))
		in := s.rings(a)
		s.shows(in, x)
		s.answered(out, in)
		require.NoError(s, out.Hangup(s.within(step)))
		s.clearedWith(in, 16)
		s.story(x, i+1, billed{direction: 0, binding: id, caller: from.number, callee: a.Number(), service: "003", events: evAnswered, talk: true})
		s.notBusy(x)
	}
}

// axServiceCallee: a 400 number may be a temporary callee.
func axServiceCallee(s *scene) {
	a, x, id := s.oneA()
	require.NoError(s, s.gate.Temporary(s.within(step), x, "+864008001201"))
	s.watch(trunkIP, "+864008001201")
	c := s.dial(a, x)
	s.refusedWith(c, 404, 1) // by the network, see uas_trunk.xml
	s.story(x, 1, billed{state: 8100, fail: 8100, direction: 1, binding: id, caller: a.Number(), callee: "+864008001201", service: "003", events: evUnrung})
	for _, bad := range []string{"+86110", "+12125550100", "+8613800", x} {
		require.Error(s, s.gate.Temporary(s.within(step), x, bad), bad)
	}
}

// axOwnNumber: A cannot be its own temporary callee.
func axOwnNumber(s *scene) {
	a, x, _ := s.oneA()
	if s.gate.Temporary(s.within(step), x, a.Number()) == nil {
		s.refusedWith(s.dial(a, x), 403, 21)
	}
	s.reachesNobody(a)
}
