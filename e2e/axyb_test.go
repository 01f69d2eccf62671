//go:build e2e

package e2e

import (
	"encoding/json"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
)

func axybScenarios() []scenario {
	return []scenario{
		{"AXYB A calls B", axybBothWays(true)},
		{"AXYB B calls A", axybBothWays(false)},
		{"AXYB A calls its own X", axybOwnX},
		{"AXYB none with this caller", axybStranger},
		{"AXYB no binding at all", axybUnbound},
		{"AXYB only A to B", axybOnly("1", false)},
		{"AXYB only B to A", axybOnly("2", true)},
		{"AXYB fixed line calls", axybFixedLine},
		{"AXYB two peers", axybTwoPeers},
		{"AXYB unbinding one", axybUnbindOne},
		{"AXYB unbinding all", axybUnbindAll},
		{"AXYB unbinding during a call", axybUnbindDuringCall},
	}
}

// axybAreas are areas that have AXYB numbers, one for each scenario: X and Y are
// chosen by axgate, and calls of others on them would be in the way.
var axybAreas = []string{"010", "020", "021", "022", "023", "024", "025", "027", "028", "029", "0571", "0755"}

// axybNumbers are as many as an area has.
const axybNumbers = 4

// axybArea is the area of the i-th AXYB number.
func (w *world) axybArea(i int) string {
	if i >= len(axybAreas)*axybNumbers {
		return "0592"
	}
	if i%axybNumbers == 0 {
		w.areas = append(w.areas, axybAreas[i/axybNumbers])
	}
	return axybAreas[i/axybNumbers]
}

// takeArea gives an area that no other scenario has.
func (s *scene) takeArea() string {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(s, s.areas, "no area with AXYB numbers is left")
	area := s.areas[0]
	s.areas = s.areas[1:]
	return area
}

// relation is what a bind command tells.
type relation struct {
	ID string `json:"subscriptionId"`
	X  string `json:"x"`
	Y  string `json:"y"`
}

func (s *scene) bindsAXYB(args ...string) (r relation) {
	s.Helper()
	out, err := s.gate.Run(s.within(step), append([]string{"bind", "--json"}, args...)...)
	require.NoError(s, err)
	require.NoError(s, json.Unmarshal(out, &r))
	require.NotEmpty(s, r.ID)
	return r
}

// ownX gives A an X of its own, peer binds a B to it.
func (s *scene) ownX(a *phone.Phone, args ...string) (part relation, area string) {
	s.Helper()
	area = s.takeArea()
	return s.bindsAXYB(append([]string{"axyb", "--app", appAXYB, "--a", a.Number(), "--area", area}, args...)...), area
}

func (s *scene) peer(part relation, b *phone.Phone, area string) relation {
	s.Helper()
	r := s.bindsAXYB("yb", "--id", part.ID, "--b", b.Number(), "--area", area)
	require.Equal(s, part.ID, r.ID)
	require.Equal(s, part.X, r.X)
	require.NotContains(s, []string{"", part.X}, r.Y)
	return r
}

// related binds two new phones.
func (s *scene) related(args ...string) (a, b *phone.Phone, r relation) {
	s.Helper()
	a, b = s.stranger(), s.stranger()
	part, area := s.ownX(a, args...)
	return a, b, s.peer(part, b, area)
}

// through makes a call up to the talk, from one who dials a number to one who
// sees the other number.
func (s *scene) through(from, to *phone.Phone, dialled, seen string) (caller, callee *phone.Call) {
	s.Helper()
	caller = s.dial(from, dialled)
	callee = s.rings(to)
	s.shows(callee, seen)
	require.NotContains(s, string(callee.Seen().Invite), dialled[len("+86"):], "the number that was dialled is the caller's alone")
	require.NoError(s, caller.WaitRinging(s.within(step)))
	s.answered(caller, callee)
	return caller, callee
}

// axybBothWays is a whole call: talk, recording, who sees what.
func axybBothWays(fromA bool) func(*scene) {
	return func(s *scene) {
		a, b, r := s.related("--record", "--user-data", "order 7")
		caller, callee, dialled, seen, direction := a, b, r.Y, r.X, 1
		if !fromA {
			caller, callee, dialled, seen, direction = b, a, r.X, r.Y, 0
		}
		out, in := s.through(caller, callee, dialled, seen)
		start := time.Now().Add(-time.Second)
		s.hint(out, start)
		s.hint(in, start)
		s.talk(out, in)
		require.NoError(s, out.Hangup(s.within(step)))
		s.clearedWith(in, 16)
		c := s.story(dialled, 1, billed{direction: direction, binding: r.ID, caller: caller.Number(), callee: callee.Number(), shown: seen, service: "007",
			events: evAnswered, talk: true, recorded: true})
		require.Equal(s, "order 7", c.Fee["userData"])
		s.recording(c)
		require.Empty(s, s.customer.Of(seen), "the call is one of the number that was dialled")
	}
}

func axybOwnX(s *scene) {
	a, b, r := s.related()
	c := s.dial(a, r.X)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_binding")
	s.reachesNobody(b)
	s.story(r.X, 1, billed{state: 8032, fail: 8032, direction: 1, binding: r.ID, caller: a.Number(), service: "007", events: evRefused})
}

// axybStranger: X is for B alone, and Y for A alone.
func axybStranger(s *scene) {
	a, b, r := s.related()
	who := s.stranger()
	for _, try := range []struct {
		from *phone.Phone
		x    string
		n    int
	}{{who, r.X, 1}, {who, r.Y, 1}, {b, r.Y, 2}} {
		c := s.dial(try.from, try.x)
		s.refusedWith(c, 403, 21)
		s.prompted(c, "no_binding")
		s.story(try.x, try.n, billed{state: 8030, fail: 8030, direction: 2, caller: try.from.Number(), service: "007", events: evRefused})
	}
	s.reachesNobody(a)
	s.reachesNobody(b)
}

func axybUnbound(s *scene) {
	s.mu.Lock()
	x := s.xs[appAXYB][len(s.xs[appAXYB])-1] // of an area where nobody binds
	s.mu.Unlock()
	who := s.stranger()
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 1, billed{state: 8030, fail: 8030, direction: 2, caller: who.Number(), service: "007", events: evRefused})
}

// axybOnly allows one direction; the other one is refused with 8016.
func axybOnly(allowed string, aIsRefused bool) func(*scene) {
	return func(s *scene) {
		a, b, r := s.related("--direction", allowed)
		refused, x, other, y, direction := b, r.X, a, r.Y, 0
		if aIsRefused {
			refused, x, other, y, direction = a, r.Y, b, r.X, 1
		}
		c := s.dial(refused, x)
		s.refusedWith(c, 403, 21)
		s.prompted(c, "no_permission")
		s.reachesNobody(other)
		s.story(x, 1, billed{state: 8016, fail: 8016, direction: direction, binding: r.ID, caller: refused.Number(), service: "007", events: evRefused})
		out, in := s.through(other, refused, y, x)
		require.NoError(s, in.Hangup(s.within(step)))
		s.clearedWith(out, 16)
	}
}

func axybFixedLine(s *scene) {
	fixed, b := s.phone(s.takeFixed(s.T)), s.stranger()
	part, area := s.ownX(fixed)
	r := s.peer(part, b, area)
	c := s.dial(fixed, r.Y)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(r.Y, 1, billed{state: 8023, fail: 8023, direction: 1, binding: r.ID, caller: fixed.Number(), service: "007", events: evRefused})
	out, in := s.through(b, fixed, r.X, r.Y)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
}

// axybTwoPeers: A tells its peers apart by their Y, and talks to both at once;
// nobody hears a stranger.
func axybTwoPeers(s *scene) {
	a, b, r := s.related()
	other := s.stranger()
	second := s.bindsAXYB("yb", "--id", r.ID, "--b", other.Number())
	require.NotContains(s, []string{r.X, r.Y}, second.Y, "by one Y A reaches one B")
	out, in := s.through(a, b, r.Y, r.X)
	out2, in2 := s.through(other, a, r.X, second.Y)
	start := time.Now()
	s.talk(out, in)
	s.hearsNot(out2, start, secondSpeech, "the first peer")
	s.hearsNot(in2, start, secondSpeech, "the first peer")
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.talk(out2, in2)
	require.NoError(s, in2.Hangup(s.within(step)))
	s.clearedWith(out2, 16)
}

// gone checks that a number leads a caller nowhere any more.
func (s *scene) gone(from *phone.Phone, x string, n int, prompt string) {
	s.Helper()
	c := s.dial(from, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, prompt)
	s.story(x, n, billed{state: 8030, fail: 8030, direction: 2, caller: from.Number(), service: "007", events: evRefused})
}

// axybUnbindOne ends one of two relations: neither of its numbers leads to the
// other any more, and the second relation stands.
func axybUnbindOne(s *scene) {
	a, b, other := s.stranger(), s.stranger(), s.stranger()
	part, area := s.ownX(a)
	first, second := s.peer(part, b, area), s.peer(part, other, area)
	out, in := s.through(a, b, first.Y, first.X) // both numbers are in the cache
	require.NoError(s, out.Hangup(s.within(step)))
	s.ended(in)
	out, in = s.through(b, a, first.X, first.Y)
	require.NoError(s, out.Hangup(s.within(step)))
	s.ended(in)
	s.run("unbind", "--id", part.ID, "--y", first.Y)
	s.gone(b, first.X, 2, "no_binding")
	s.gone(a, first.Y, 2, "no_permission")
	out, in = s.through(a, other, second.Y, second.X)
	require.NoError(s, out.Hangup(s.within(step)))
	s.ended(in)
	s.run("doctor")
}

func axybUnbindAll(s *scene) {
	a, b, other := s.stranger(), s.stranger(), s.stranger()
	part, area := s.ownX(a)
	first, second := s.peer(part, b, area), s.peer(part, other, area)
	for _, r := range []struct {
		to *phone.Phone
		y  string
	}{{b, first.Y}, {other, second.Y}} {
		out, in := s.through(a, r.to, r.y, part.X)
		require.NoError(s, out.Hangup(s.within(step)))
		s.ended(in)
	}
	require.NoError(s, s.gate.Unbind(s.within(step), part.ID))
	s.gone(a, first.Y, 2, "no_permission")
	s.gone(a, second.Y, 2, "no_permission")
	s.gone(b, part.X, 1, "no_permission")
	s.gone(a, part.X, 2, "no_permission") // it is no longer its own
	s.reachesNobody(b)
	s.reachesNobody(other)
}

func axybUnbindDuringCall(s *scene) {
	a, b, r := s.related()
	out, in := s.through(a, b, r.Y, r.X)
	require.NoError(s, s.gate.Unbind(s.within(step), r.ID))
	s.gone(b, r.X, 1, "no_permission")
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(r.Y, 1, billed{direction: 1, binding: r.ID, caller: a.Number(), callee: b.Number(), shown: r.X, service: "007", events: evAnswered, talk: true})
}
