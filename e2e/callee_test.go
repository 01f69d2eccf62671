//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

func calleeScenarios() []scenario {
	all := []scenario{
		{"caller gives up before ringing", callerLeavesEarly},
		{"caller gives up while ringing", callerLeavesRinging},
		{"callee busy", calleeRefuses(486, 17, 8102, 8102, 486, 17)},
		{"callee rejects", calleeRefuses(603, 21, 7503, 7504, 603, 21)},
		{"callee rejects without a cause", calleeRefuses(603, 0, 7503, 7504, 603, 21)},
		{"callee does not answer", calleeRingsOut},
		{"callee plays early media and is busy", calleeEarlyMedia},
		{"callee's early media then its answer", calleeEarlyAnswer},
		{"pre-call prompts", preCall},
		{"network callee answers", networkAnswers("00")},
		{"network callee hangs up", networkAnswers("77")},
		{"caller's audio is gone", audioGone(true)},
		{"callee's audio is gone", audioGone(false)},
		{"maxDuration and last minute", maxDuration},
	}
	for _, n := range []struct {
		name, does                 string
		state, fail, status, cause int
		rings                      bool
	}{
		{"network callee busy", "17", 8102, 8102, 486, 17, true},
		{"network callee rejects", "21", 7503, 7504, 603, 21, true},
		{"network callee does not answer", "19", 8101, 8101, 480, 19, true},
		{"network callee does not exist", "01", 8100, 8100, 404, 1, false},
		{"network callee absent", "20", 8103, 8103, 480, 20, false},
		{"network callee absent, cause 18", "18", 8103, 8103, 480, 18, false},
		{"network callee off", "27", 8104, 8104, 480, 27, false},
		{"network callee suspended", "22", 8105, 8105, 480, 22, false},
		{"trunk error", "38", 8020, 7506, 503, 38, false},
	} {
		all = append(all, scenario{n.name, networkRefuses(n.does, n.state, n.fail, n.status, n.cause, n.rings)})
	}
	return all
}

func callerLeavesEarly(s *scene) {
	a, b, x, id := s.pair(appAXB)
	out := s.dial(a, x)
	in := s.reaches(b)
	require.NoError(s, out.Hangup(s.within(step)))
	require.Equal(s, 487, s.ended(out).Status)
	s.observe("487")
	s.ended(in)
	s.story(x, 1, billed{state: 7501, fail: 7501, direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evUnrung})
}

func callerLeavesRinging(s *scene) {
	a, b, x, id := s.pair(appAXB)
	out := s.dial(b, x)
	in := s.rings(a)
	require.NoError(s, out.WaitRinging(s.within(step)))
	require.NoError(s, out.Hangup(s.within(step)))
	require.Equal(s, 487, s.ended(out).Status)
	s.observe("487")
	require.Equal(s, phone.Remote, s.ended(in).By)
	s.story(x, 1, billed{state: 7502, fail: 8009, direction: 0, binding: id, caller: b.Number(), callee: a.Number(), service: "004", events: evRung})
}

func calleeRefuses(with, why, state, fail, status, cause int) func(*scene) {
	return func(s *scene) {
		a, b, x, id := s.pair(appAXB)
		out := s.dial(a, x)
		require.NoError(s, s.rings(b).Reject(with, why))
		s.refusedWith(out, status, cause)
		s.story(x, 1, billed{state: state, fail: fail, direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evRung})
	}
}

// calleeRingsOut: our own ring timeout.
func calleeRingsOut(s *scene) {
	a, b, x, id := s.pair(appAXB)
	start := time.Now()
	out := s.dial(a, x)
	in := s.rings(b)
	s.refusedWith(out, 480, 19)
	require.InDelta(s, ringTimeout.Seconds(), time.Since(start).Seconds(), 4)
	s.ended(in)
	c := s.story(x, 1, billed{state: 8035, fail: 8035, direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evRung})
	require.EqualValues(s, 480, c.Fee["sipStatusCode"])
}

// network binds a new phone and a number behind the trunk to a new X.
func (s *scene) networkPair(does string) (a *phone.Phone, b, x, id string) {
	s.Helper()
	x = s.takeX(s.T, appAXB)
	a, b = s.stranger(), s.networkNumber(does)
	return a, b, x, s.bind("axb", "--x", x, "--a", a.Number(), "--b", b)
}

func networkRefuses(does string, state, fail, status, cause int, rings bool) func(*scene) {
	return func(s *scene) {
		a, b, x, id := s.networkPair(does)
		out := s.dial(a, x)
		s.refusedWith(out, status, cause)
		if does == "38" {
			s.prompted(out, "service_exception")
		} else {
			s.prompted(out)
		}
		events := evUnrung
		if rings {
			events = evRung
		}
		c := s.story(x, 1, billed{state: state, fail: fail, direction: 1, binding: id, caller: a.Number(), callee: b, service: "004", events: events})
		require.EqualValues(s, cause, c.Fee["fwdUnaswRsn"])
	}
}

// calleeEarlyMedia: the tone of the callee's network reaches the caller.
func calleeEarlyMedia(s *scene) {
	a, b, x, id := s.networkPair("88")
	out := s.dial(a, x)
	s.refusedWith(out, 486, 17)
	peak, _ := hear.Correlate(out.Heard().Audio, speech.Second()[:12000])
	require.Greater(s, peak, heardFrom, "early media")
	s.story(x, 1, billed{state: 8102, fail: 8102, direction: 1, binding: id, caller: a.Number(), callee: b, service: "004", events: evRung})
}

func calleeEarlyAnswer(s *scene) {
	a, b, x, id := s.pair(appAXB)
	out := s.dial(a, x)
	in := s.reaches(b)
	require.NoError(s, in.RingEarly())
	start := time.Now()
	require.NoError(s, in.Say(s.within(step), secondSpeech))
	s.hears(out, start, secondSpeech, "the callee's early media")
	s.answered(out, in)
	s.talk(out, in)
	require.Empty(s, hear.Tones(out.Heard().Audio), "no ring-back of ours beside early media")
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.steady(out)
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
}

// preCall: each side of the binding has its own prompt while it waits, once;
// then ring-back follows.
func preCall(s *scene) {
	a, b, x, _ := s.pair(appAXB, "--caller-tone", "no_binding.wav", "--callee-tone", "no_callback.wav")
	for _, way := range []struct {
		caller, callee *phone.Phone
		prompt         string
	}{{a, b, "no_binding"}, {b, a, "no_callback"}} {
		start := time.Now()
		out := s.dial(way.caller, x)
		in := s.rings(way.callee)
		s.hearsPrompt(out, start, way.prompt)
		require.Eventually(s, func() bool {
			// There is time for one burst, which a late packet may break: one part is longer than a burst of busy tone.
			return slices.ContainsFunc(hear.Tones(out.Heard().Audio), func(t hear.Tone) bool {
				return t.Signal != hear.Busy && t.Length > 400*time.Millisecond && t.At > duration(s.clip(way.prompt))
			})
		}, step, 200*time.Millisecond, "ring-back after the prompt")
		require.Empty(s, in.Heard().Audio, "the callee hears nothing of it")
		require.NoError(s, out.Hangup(s.within(step)))
		s.ended(in)
		s.prompted(out, way.prompt)
	}
	out := s.dial(a, x) // an answer ends it
	in := s.rings(b)
	s.answered(out, in)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}

// networkAnswers calls somebody behind the trunk, who answers and speaks.
func networkAnswers(does string) func(*scene) {
	return func(s *scene) {
		a, b, x, id := s.networkPair(does)
		out := s.dial(a, x)
		require.NoError(s, out.WaitAnswer(s.within(step)))
		require.Eventually(s, func() bool {
			peak, _ := hear.Correlate(out.Heard().Audio, speech.Second()[:8000])
			return peak > heardFrom
		}, 2*step, 200*time.Millisecond, "the network's speech")
		if does == "00" {
			require.NoError(s, out.Hangup(s.within(step)))
		} else {
			s.clearedWith(out, 16)
		}
		s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b, service: "004", events: evAnswered, talk: true})
		for _, m := range s.invites(b) {
			require.Contains(s, m, "From: <sip:"+x+"@")
		}
	}
}

// invites gives the INVITEs that the network got for a number.
func (s *scene) invites(number string) []string {
	s.Helper()
	messages, err := s.trunk.Messages()
	require.NoError(s, err)
	var found []string
	for _, m := range messages {
		if !m.Sent && strings.HasPrefix(m.StartLine(), "INVITE sip:"+number+"@") {
			found = append(found, m.Text)
		}
	}
	require.NotEmpty(s, found)
	return found
}

// audioGone: a phone that lost its network ends the call, and the other side
// is told 41.
func audioGone(callers bool) func(*scene) {
	return func(s *scene) {
		a, b, x, id := s.pair(appAXB)
		out, in := s.connect(a, b, x)
		s.talk(out, in)
		gone, stays, fail := out, in, 7505
		if !callers {
			gone, stays, fail = in, out, 7506
		}
		gone.Mute(true)
		s.clearedWith(stays, 41)
		s.story(x, 1, billed{state: 8020, fail: fail, direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	}
}

// maxDuration: of one minute, whose last minute begins at once: both hear the
// prompt, talk, and are cut off in time.
func maxDuration(s *scene) {
	a, b, x, id := s.pair(appAXB, "--max-minutes", "1", "--last-minute", "no_binding.wav")
	start := time.Now()
	out, in := s.connect(a, b, x)
	answered := time.Now()
	s.hearsPrompt(out, start, "no_binding")
	s.hearsPrompt(in, start, "no_binding")
	s.talk(out, in)
	for _, c := range []*phone.Call{out, in} {
		end, err := c.WaitEnd(s.within(80 * time.Second))
		require.NoError(s, err)
		require.InDelta(s, 60, end.At.Sub(answered).Seconds(), 2)
		s.clearedWith(c, 16)
	}
	s.story(x, 1, billed{state: 8010, fail: 8010, direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
}
