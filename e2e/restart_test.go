//go:build e2e

package e2e

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/phone"
)

func restartScenarios() []scenario {
	return []scenario{
		{"killed in the middle", own(func(c *gate.Config) { c.InterDigit = 30 * time.Second }, killed)},
		{"ended with patience", own(func(c *gate.Config) { c.Drain = 30 * time.Second }, drained)},
		{"ended at its limit", own(func(c *gate.Config) { c.Drain = 2 * time.Second }, drainLimit)},
		{"Redis dies in the middle", own(func(*gate.Config) {}, redisDies)},
	}
}

// killed ends axgate with a recorded talk, a ringing phone, and somebody who
// types an extension. The next process closes these calls and repairs the
// recording.
func killed(s *scene) {
	a, b, x, id := s.pair(appAXB, "--record")
	start := time.Now()
	out, in := s.connect(a, b, x)
	s.hint(out, start)
	s.hint(in, start)
	s.talk(out, in)
	ringing, bell, x2, id2 := s.pair(appAXB)
	s.dial(ringing, x2)
	s.rings(bell)
	ax, x4, id4 := s.oneA()
	first := s.stranger()
	s.connect(first, ax, x4)
	_, x3, _ := s.oneE(appAXE, "0001")
	typing := s.stranger()
	s.types(typing, x3, "00")
	for x, last := range map[string]string{x: "answer", x2: "alerting", x3: "callin", x4: "answer"} {
		require.Eventually(s, func() bool {
			all := s.customer.Of(x)
			return len(all) == 1 && all[0].Event(last) != nil
		}, step, 50*time.Millisecond, "%s of %s", last, x)
	}
	s.noted(x, x2, x3, x4)
	time.Sleep(2 * time.Second) // the recording is on the disk half a second at a time, what is late 1 s after it, and one of less than 3 s would be removed

	require.NoError(s, s.gate.Kill())
	require.NoError(s, s.gate.Serve(s.ctx))

	c := s.story(x, 1, billed{state: 8020, fail: 8020, direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true, recorded: true})
	s.voices(s.taped(c, 5)) // the call ended when the process was last known to be alive
	s.story(x2, 1, billed{state: 8020, fail: 8020, direction: 1, binding: id2, caller: ringing.Number(), callee: bell.Number(), service: "004", events: evRung})
	s.story(x3, 1, billed{state: 8020, fail: 8020, direction: 0, caller: typing.Number(), service: "005", events: evRefused})
	s.story(x4, 1, billed{state: 8020, fail: 8020, direction: 0, binding: id4, caller: first.Number(), callee: ax.Number(), service: "003", events: evAnswered, talk: true})
	for _, p := range []*phone.Phone{ax, first} {
		require.NoError(s, p.Register(s.within(step)))
	}
	n := 1 // the mark of the dead process holds the X until its lease is over
	for end := time.Now().Add(45 * time.Second); ; {
		n++
		out = s.dial(first, x4)
		select {
		case in = <-ax.Incoming():
		case <-out.Done():
			s.refusedWith(out, 486, 17)
			require.False(s, time.Now().After(end), "the X stays busy")
			continue
		}
		break
	}
	require.NoError(s, in.Ring())
	s.answered(out, in)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x4, n, billed{direction: 0, binding: id4, caller: first.Number(), callee: ax.Number(), service: "003", events: evAnswered, talk: true})
	s.noted(x4)
	require.NoError(s, s.gate.Kill()) // nothing is closed twice
	require.NoError(s, s.gate.Serve(s.ctx))
}

// noted waits until axgate has stored that the customer took all events of the calls to some X:
// else they would come again after its death.
func (s *scene) noted(xs ...string) {
	s.Helper()
	for _, x := range xs {
		for _, c := range s.customer.Of(x) {
			require.Eventually(s, func() bool {
				return !slices.ContainsFunc(s.logged(c.Session), func(e logged) bool { return e.Push.Taken.IsZero() })
			}, step, 50*time.Millisecond, "a push of %s is not noted", c.Session)
		}
	}
}

// drained: a running talk may end by itself; new calls are refused.
func drained(s *scene) {
	a, b, x, id := s.pair(appAXB)
	who := s.stranger()
	out, in := s.connect(a, b, x)
	require.NoError(s, s.gate.Drain())
	require.Eventually(s, func() bool {
		c := s.dial(who, x)
		end := s.ended(c)
		return end.Status == 503 && lastReceived(c.Messages()).Header("Retry-After") != ""
	}, step, 100*time.Millisecond)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	c, err := s.customer.Story(s.within(step), x, 1)
	require.NoError(s, err)
	require.NotEqual(s, who.Number(), c.Fee["callerNum"])
	s.endsSoon()
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	require.NoError(s, s.gate.Serve(s.ctx))
}

func (s *scene) endsSoon() {
	s.Helper()
	select {
	case <-s.gate.Ended():
	case <-time.After(step):
		require.FailNow(s, "axgate does not end")
	}
}

// drainLimit: talks that go on for longer are ended with BYE, and billed.
func drainLimit(s *scene) {
	a, b, x, id := s.pair(appAXB)
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	require.NoError(s, s.gate.Drain())
	s.clearedWith(out, 41)
	s.clearedWith(in, 41)
	s.endsSoon()
	s.story(x, 1, billed{state: 8020, fail: 8020, direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	require.NoError(s, s.gate.Serve(s.ctx))
}

// redisDies: calls go on by the ledger; an AX X still carries one at a time.
func redisDies(s *scene) {
	a, x, id := s.oneA()
	who, late := s.stranger(), s.stranger()
	out, in := s.connect(who, a, x)
	require.NoError(s, s.redis.Kill())
	s.refusedWith(s.dial(late, x), 486, 17)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, billed{direction: 0, binding: id, caller: who.Number(), callee: a.Number(), service: "003", events: evAnswered, talk: true})
	out, in = s.connect(late, a, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 3, billed{direction: 0, binding: id, caller: late.Number(), callee: a.Number(), service: "003", events: evAnswered, talk: true})
}
