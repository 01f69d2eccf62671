//go:build e2e

package e2e

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
)

func axbScenarios() []scenario {
	return []scenario{
		{"AXB A calls B", axbBothWays("udp", "udp", true)},
		{"AXB B calls A", axbBothWays("udp", "udp", false)},
		{"AXB over TCP", axbBothWays("tcp", "tcp", true)},
		{"AXB TCP to UDP", axbBothWays("tcp", "udp", true)},
		{"AXB µ-law to A-law", axbTwoLaws},
		{"AXB spellings of X", axbSpellings},
		{"AXB hold and resume", axbHold},
		{"AXB keys cross the bridge", axbKeys},
		{"AXB two pairs talk at once", axbTwoPairs},
		{"AXB only A to B", axbOnly("1", false)},
		{"AXB only B to A", axbOnly("2", true)},
		{"AXB none with this caller", axbStranger},
		{"AXB no binding at all", axbUnbound},
		{"AXB no prompts set", axbSilent},
		{"AXB expired binding", axbExpired},
		{"AXB fixed line calls", axbFixedLine},
		{"AXB unbinding during a call", axbUnbindDuringCall},
		{"AXB unbinding while ringing", axbUnbindWhileRinging},
	}
}

// pair binds two new phones to a new X.
func (s *scene) pair(app string, args ...string) (a, b *phone.Phone, x, id string) {
	s.Helper()
	x = s.takeX(s.T, app)
	a, b = s.stranger(), s.stranger()
	id = s.bind("axb", append([]string{"--x", x, "--a", a.Number(), "--b", b.Number()}, args...)...)
	return a, b, x, id
}

// axbBothWays is a whole call: ringing, talk, recording, who sees what.
func axbBothWays(callerOver, calleeOver string, fromA bool) func(*scene) {
	return func(s *scene) {
		over := func(transport string) func(*phone.Config) {
			return func(c *phone.Config) { c.Transport = transport }
		}
		x := s.takeX(s.T, appAXB)
		caller, callee := s.stranger(over(callerOver)), s.stranger(over(calleeOver))
		a, b, direction := caller, callee, 1
		if !fromA {
			a, b, direction = callee, caller, 0
		}
		id := s.bind("axb", "--x", x, "--a", a.Number(), "--b", b.Number(), "--record")

		out := s.dial(caller, x)
		in := s.reaches(callee)
		s.shows(in, x)
		require.NotContains(s, string(in.Seen().Invite), "Phone of", "the caller's display name")
		require.NoError(s, in.Ring())
		require.NoError(s, out.WaitRinging(s.within(step)))
		s.answered(out, in)
		require.Equal(s, []string{"100", "180", "200"}, responses(out))
		start := time.Now()
		s.hint(out, start)
		s.hint(in, start)
		s.talk(out, in)
		require.NoError(s, out.HangupReason(s.within(step), "Q.850;cause=16"))
		s.clearedWith(in, 16)
		s.steady(out)
		s.steady(in)

		c := s.story(x, 1, billed{direction: direction, binding: id, caller: caller.Number(), callee: callee.Number(), service: "004", events: evAnswered, talk: true, recorded: true})
		s.recording(c)
		s.notBusy(x)
	}
}

// responses are the statuses of the responses to a call's INVITE in the order
// of the wire, without the challenge and what was sent again.
func responses(c *phone.Call) (codes []string) {
	seen := map[string]bool{}
	for _, m := range c.Messages() {
		if seen[string(m.Raw)] {
			continue
		}
		seen[string(m.Raw)] = true
		if status, is := strings.CutPrefix(m.StartLine(), "SIP/2.0 "); is && !m.Sent && strings.HasSuffix(m.Header("CSeq"), "INVITE") && !strings.HasPrefix(status, "40") {
			codes = append(codes, status[:3])
		}
	}
	return codes
}

func axbTwoLaws(s *scene) {
	x := s.takeX(s.T, appAXB)
	a := s.stranger(func(c *phone.Config) { c.Codecs = []string{"PCMU"} })
	b := s.stranger(func(c *phone.Config) { c.Codecs = []string{"PCMA"} })
	s.bind("axb", "--x", x, "--a", a.Number(), "--b", b.Number())
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
}

// axbSpellings dials X in every way that handsets do.
func axbSpellings(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	digits := x[len("+86"):]
	for _, dialled := range []string{digits, "86" + digits, "+86" + digits, "0086" + digits} {
		out, err := a.Dial(s.ctx, dialled)
		require.NoError(s, err)
		in := s.rings(b)
		s.shows(in, x)
		require.NoError(s, out.WaitRinging(s.within(step)), dialled)
		require.NoError(s, out.Hangup(s.within(step)))
		s.ended(in)
	}
}

func axbHold(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	out, in := s.connect(a, b, x)
	for _, c := range []*phone.Call{out, in} {
		direction, err := c.Hold(s.within(step))
		require.NoError(s, err)
		require.Equal(s, "recvonly", direction, "RFC 3264 section 6.1")
		direction, err = c.Resume(s.within(step))
		require.NoError(s, err)
		require.Equal(s, "sendrecv", direction)
	}
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.steady(out)
	s.steady(in)
}

// axbKeys presses keys during the talk: they reach the other side as events.
func axbKeys(s *scene) {
	x := s.takeX(s.T, appAXB)
	a := s.stranger(func(c *phone.Config) { c.EventType = 97 })
	b := s.stranger(func(c *phone.Config) { c.EventType = 120 })
	s.bind("axb", "--x", x, "--a", a.Number(), "--b", b.Number())
	out, in := s.connect(a, b, x)
	require.NoError(s, out.Press(s.within(step), "1590#", phone.Events))
	require.NoError(s, in.Press(s.within(step), "*2", phone.Events))
	keys := func(c *phone.Call) (k string) {
		for _, d := range c.Pressed() {
			k += string(d.Key)
		}
		return k
	}
	require.Eventually(s, func() bool { return keys(in) == "1590#" && keys(out) == "*2" }, 3*time.Second, 50*time.Millisecond,
		"callee got %q, caller got %q", keys(in), keys(out))
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}

// axbTwoPairs lets two pairs of one X talk at the same time: nobody hears a
// stranger.
func axbTwoPairs(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	c, d := s.stranger(), s.stranger()
	s.bind("axb", "--x", x, "--a", c.Number(), "--b", d.Number())
	out, in := s.connect(a, b, x)
	out2, in2 := s.connect(c, d, x)
	start := time.Now()
	s.talk(out, in)
	s.hearsNot(out2, start, firstSpeech, "the other pair's caller")
	s.hearsNot(in2, start, firstSpeech, "the other pair's caller")
	s.hearsNot(in2, start, secondSpeech, "the other pair's callee")
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.talk(out2, in2)
	require.NoError(s, in2.Hangup(s.within(step)))
	s.clearedWith(out2, 16)
}

// axbOnly allows one direction; the other one is refused with 8016.
func axbOnly(allowed string, aIsRefused bool) func(*scene) {
	return func(s *scene) {
		a, b, x, id := s.pair(appAXB, "--direction", allowed)
		refused, other, direction := b, a, 0
		if aIsRefused {
			refused, other, direction = a, b, 1
		}
		c := s.dial(refused, x)
		s.refusedWith(c, 403, 21)
		s.prompted(c, "no_permission")
		s.reachesNobody(other)
		s.story(x, 1, billed{state: 8016, fail: 8016, direction: direction, binding: id, caller: refused.Number(), service: "004", events: evRefused})
		out := s.dial(other, x)
		in := s.rings(refused)
		require.NoError(s, out.WaitRinging(s.within(step)))
		require.NoError(s, out.Hangup(s.within(step)))
		s.ended(in)
	}
}

func axbStranger(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	who := s.stranger()
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_binding")
	s.reachesNobody(a)
	s.reachesNobody(b)
	s.story(x, 1, billed{state: 8014, fail: 8014, direction: 2, caller: who.Number(), service: "004", events: evRefused})
}

func axbUnbound(s *scene) {
	x := s.takeX(s.T, appAXB)
	who := s.stranger()
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 1, billed{state: 8014, fail: 8014, direction: 2, caller: who.Number(), service: "004", events: evRefused})
}

// axbSilent: an app without prompts of its own and without the shipped ones
// hangs up silently.
func axbSilent(s *scene) {
	x := s.takeX(s.T, appMute)
	who := s.stranger()
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c)
	s.story(x, 1, billed{state: 8014, fail: 8014, direction: 2, caller: who.Number(), service: "004", events: evRefused})
}

func axbExpired(s *scene) {
	start := time.Now()
	a, b, x, id := s.pair(appAXB, "--duration", "5")
	out := s.dial(a, x)
	in := s.rings(b)
	s.answered(out, in)
	time.Sleep(time.Until(start.Add(5500 * time.Millisecond))) // the binding runs out, the talk goes on
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	c := s.dial(b, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.reachesNobody(a)
	s.story(x, 2, billed{state: 8014, fail: 8014, direction: 2, caller: b.Number(), service: "004", events: evRefused})
}

// axbFixedLine: a bound fixed line can only be called.
func axbFixedLine(s *scene) {
	x := s.takeX(s.T, appAXB)
	b := s.stranger()
	fixed := s.phone(s.takeFixed(s.T))
	id := s.bind("axb", "--x", x, "--a", fixed.Number(), "--b", b.Number())
	c := s.dial(fixed, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 1, billed{state: 8023, fail: 8023, direction: 1, binding: id, caller: fixed.Number(), service: "004", events: evRefused})
	out, in := s.connect(b, fixed, x)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)

	x = s.takeX(s.T, appAXB)
	id = s.bind("axb", "--x", x, "--a", b.Number(), "--b", fixed.Number())
	s.refusedWith(s.dial(fixed, x), 403, 21)
	s.story(x, 1, billed{state: 8023, fail: 8023, direction: 0, binding: id, caller: fixed.Number(), service: "004", events: evRefused})
}

func axbUnbindDuringCall(s *scene) {
	a, b, x, id := s.pair(appAXB)
	out, in := s.connect(a, b, x)
	require.NoError(s, s.gate.Unbind(s.within(step), id))
	c := s.dial(b, x)
	s.refusedWith(c, 403, 21)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	s.story(x, 2, billed{state: 8014, fail: 8014, direction: 2, caller: b.Number(), service: "004", events: evRefused})
	s.unboundInRedis(x)
}

// axbUnbindWhileRinging: a call that the platform has received goes on.
func axbUnbindWhileRinging(s *scene) {
	a, b, x, id := s.pair(appAXB)
	out := s.dial(a, x)
	in := s.rings(b)
	require.NoError(s, out.WaitRinging(s.within(step)))
	require.NoError(s, s.gate.Unbind(s.within(step), id))
	s.answered(out, in)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
}
