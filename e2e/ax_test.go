//go:build e2e

package e2e

import (
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
)

func axScenarios() []scenario {
	return []scenario{
		{"AX in", axIn},
		{"AX busy", axBusy},
		{"AX A calls without temporary callee", axOutNobody},
		{"AX A calls the temporary callee", axOut},
		{"AX unanswered temporary callee stays", axOutUnanswered},
		{"AX temporary callee runs out", axOutExpired},
		{"AX no binding", axUnbound},
		{"AX switched off", axOff},
		{"AX only A calls", axOnlyA},
		{"AX fixed line calls", axFixedLine},
	}
}

// oneA binds a new phone to a new X.
func (s *scene) oneA(args ...string) (a *phone.Phone, x, id string) {
	s.Helper()
	x = s.takeX(s.T, appAX)
	a = s.stranger()
	return a, x, s.bind("ax", append([]string{"--x", x, "--a", a.Number()}, args...)...)
}

func axIn(s *scene) {
	a, x, id := s.oneA("--record")
	who := s.stranger()
	out, in := s.connect(who, a, x)
	s.busyInRedis(x, 1)
	start := time.Now().Add(-time.Second)
	s.hint(out, start)
	s.hint(in, start)
	s.talk(out, in)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	c := s.story(x, 1, billed{direction: 0, binding: id, caller: who.Number(), callee: a.Number(), service: "003", events: evAnswered, talk: true, recorded: true})
	s.recording(c)
	s.notBusy(x)
}

// axBusy: an AX X carries one call; who comes second hears so, and afterwards
// the X is free again.
func axBusy(s *scene) {
	a, x, id := s.oneA()
	first, second := s.stranger(), s.stranger()
	out := s.dial(first, x)
	in := s.rings(a)
	require.NoError(s, out.WaitRinging(s.within(step)))
	for range 2 { // while ringing, and in the talk
		c := s.dial(second, x)
		s.refusedWith(c, 486, 17)
		s.prompted(c, "busy")
		select {
		case <-in.Answered():
		default:
			s.answered(out, in)
		}
	}
	s.reachesNobody(a)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	for n := 2; n <= 3; n++ {
		s.story(x, n, billed{state: 8102, fail: 8102, direction: 0, binding: id, caller: second.Number(), service: "003", events: evRefused})
	}
	s.story(x, 1, billed{direction: 0, binding: id, caller: first.Number(), callee: a.Number(), service: "003", events: evAnswered, talk: true})
	s.notBusy(x)
	out, in = s.connect(second, a, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}

func axOutNobody(s *scene) {
	a, x, id := s.oneA()
	c := s.dial(a, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_binding")
	s.story(x, 1, billed{state: 8013, fail: 8013, direction: 1, binding: id, caller: a.Number(), service: "003", events: evRefused})
}

// axOut: the temporary callee rings and sees X; an answered call uses it up.
func axOut(s *scene) {
	a, x, id := s.oneA()
	callee := s.stranger()
	require.NoError(s, s.gate.Temporary(s.within(step), x, callee.Number()))
	out, in := s.connect(a, callee, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: callee.Number(), service: "003", events: evAnswered, talk: true})
	s.notInRedis(x, ":temp")
	c := s.dial(a, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_binding")
	s.reachesNobody(callee)
	s.story(x, 2, billed{state: 8013, fail: 8013, direction: 1, binding: id, caller: a.Number(), service: "003", events: evRefused})
}

// axOutUnanswered: a call that nobody answered does not use it up.
func axOutUnanswered(s *scene) {
	a, x, id := s.oneA()
	callee := s.stranger()
	require.NoError(s, s.gate.Temporary(s.within(step), x, callee.Number()))
	out := s.dial(a, x)
	require.NoError(s, s.rings(callee).Reject(486, 17))
	s.refusedWith(out, 486, 17)
	s.story(x, 1, billed{state: 8102, fail: 8102, direction: 1, binding: id, caller: a.Number(), callee: callee.Number(), service: "003", events: evRung})
	out, in := s.connect(a, callee, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}

// axOutExpired: it runs out after its time, 60 s unless the request says
// otherwise.
func axOutExpired(s *scene) {
	a, x, id := s.oneA()
	callee := s.stranger()
	s.refusedWith(s.dial(a, x), 403, 21) // brings X into the cache
	s.loadedInRedis(x)
	start := time.Now()
	require.NoError(s, s.gate.Temporary(s.within(step), x, callee.Number()))
	until, err := time.Parse(time.RFC3339, s.inRedis(x, ":temp", "until"))
	require.NoError(s, err)
	require.InDelta(s, time.Minute, until.Sub(start), float64(step), "60 s by default")
	left := s.redis.Client().PTTL(s.ctx, redisKey(x)+":temp").Val()
	require.InDelta(s, 24*time.Hour+time.Minute, left, float64(step), "cleaned up after a day")
	require.NoError(s, s.gate.Temporary(s.within(step), x, callee.Number(), "--duration", "2"))
	time.Sleep(2500 * time.Millisecond) // until it has run out
	c := s.dial(a, x)
	s.refusedWith(c, 403, 21)
	s.reachesNobody(callee)
	s.story(x, 2, billed{state: 8013, fail: 8013, direction: 1, binding: id, caller: a.Number(), service: "003", events: evRefused})
}

func axUnbound(s *scene) {
	x := s.takeX(s.T, appAX)
	who := s.stranger()
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 1, billed{state: 8018, fail: 7104, direction: 2, caller: who.Number(), service: "003", events: evRefused})
}

// axOff: turnFlag is off, for both sides.
func axOff(s *scene) {
	a, x, id := s.oneA("--off")
	who := s.stranger()
	for i, p := range []*phone.Phone{who, a} {
		c := s.dial(p, x)
		s.refusedWith(c, 403, 21)
		s.prompted(c, "no_permission")
		s.story(x, i+1, billed{state: 8016, fail: 8016, direction: i, binding: id, caller: p.Number(), service: "003", events: evRefused})
	}
	s.reachesNobody(a)
	s.notBusy(x)
}

func axOnlyA(s *scene) {
	a, x, id := s.oneA("--direction", "1")
	callee, who := s.stranger(), s.stranger()
	s.refusedWith(s.dial(who, x), 403, 21)
	s.reachesNobody(a)
	s.story(x, 1, billed{state: 8016, fail: 8016, direction: 0, binding: id, caller: who.Number(), service: "003", events: evRefused})
	s.notBusy(x)
	require.NoError(s, s.gate.Temporary(s.within(step), x, callee.Number()))
	out, in := s.connect(a, callee, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}

// axFixedLine: a bound fixed line may not call; an unbound one may.
func axFixedLine(s *scene) {
	x := s.takeX(s.T, appAX)
	bound, unbound := s.phone(s.takeFixed(s.T)), s.phone(s.takeFixed(s.T))
	id := s.bind("ax", "--x", x, "--a", bound.Number())
	s.refusedWith(s.dial(bound, x), 403, 21)
	s.story(x, 1, billed{state: 8023, fail: 8023, direction: 1, binding: id, caller: bound.Number(), service: "003", events: evRefused})
	out, in := s.connect(unbound, bound, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 2, billed{direction: 0, binding: id, caller: unbound.Number(), callee: bound.Number(), service: "003", events: evAnswered, talk: true})
}
