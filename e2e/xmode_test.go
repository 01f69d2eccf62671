//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/receiver"
)

// answerTime is how long the customer's server may take in X mode.
const answerTime = 4 * time.Second

// fallback is the number that is called where it does not answer.
var fallback = mobile(mobilesMost)

func xScenarios() []scenario {
	all := []scenario{
		{"X connect", xConnect},
		{"X connect, as other servers write it", xConnectLoosely},
		{"X close", xClose},
		{"X slow server", xSlow},
		{"X dead server", xDead},
		{"X fallback", xFallback},
		{"X caller gives up", xCallerLeaves},
		{"X callee on the blacklist", xCalleeBlocked},
		{"X maxDuration out of range", xTooLong},
		{"X not asked while X is paused", xPaused},
		{"X status of numbers", xStatus},
	}
	for _, r := range []struct {
		name       string
		answer     func(x, caller string) string
		state, dir int
		prompt     string
	}{
		{"X garbage answer", func(string, string) string { return "<html>no</html>" }, 8014, 2, "service_exception"},
		{"X another number shown", func(_, caller string) string { return connects(caller, xSomebody) }, 8014, 2, "service_exception"},
		{"X callee is the caller", func(x, caller string) string { return connects(x, caller) }, 7500, 0, "no_permission"},
		{"X foreign callee", func(x, _ string) string { return connects(x, "+12125550100") }, 8043, 0, "no_permission"},
		{"X prompt file missing", func(x, _ string) string { return connects(x, xSomebody, `"waitVoice":"none.wav"`) }, 8006, 0, "service_exception"},
	} {
		all = append(all, scenario{r.name, func(s *scene) {
			who, x := s.stranger(), s.takeX(s.T, appX)
			s.says(x, r.answer(x, who.Number()))
			c := s.dial(who, x)
			s.refusedWith(c, 403, 21)
			s.prompted(c, r.prompt)
			s.storyX(x, 1, billed{state: r.state, fail: r.state, direction: r.dir, caller: who.Number(), events: evRefused})
		}})
	}
	return all
}

// xSomebody is a callee who is never called.
const xSomebody = "+8613888888888"

// saying is what the customer's server says about a call.
type saying func(context.Context) string

// reply answers the questions of X mode by the X that was called, and those
// about texts.
func (w *world) reply(ctx context.Context, p receiver.Push) []byte {
	if p.Path == "/control" {
		return w.order(ctx, p)
	}
	var m struct {
		StatusInfo struct{ Called, NotifyMode string }
	}
	if json.Unmarshal(p.Body, &m) != nil || m.StatusInfo.NotifyMode != "Block" {
		return nil
	}
	w.mu.Lock()
	f := w.replies[m.StatusInfo.Called]
	w.mu.Unlock()
	if f == nil {
		return nil
	}
	return []byte(f(ctx))
}

// decides sets what the customer's server does about calls to X.
func (s *scene) decides(x string, f saying) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies[x] = f
}

func (s *scene) says(x, answer string) { s.decides(x, func(context.Context) string { return answer }) }

// connects is an answer that names a callee, with more fields if need be.
func connects(shown, callee string, more ...string) string {
	fields := append([]string{fmt.Sprintf(`"displayCalleeNum":%q,"calleeNum":%q`, shown, callee)}, more...)
	return `{"operation":"connect","connectInfo":{` + strings.Join(fields, ",") + `}}`
}

// storyX is story for X mode, which has no bindings and marks what it tells.
func (s *scene) storyX(x string, n int, want billed) receiver.Call {
	s.Helper()
	c := s.story(x, n, want)
	for _, e := range c.Events {
		mode := "Notify"
		if e.Type == "callin" && want.state != 8055 {
			mode = "Block"
		}
		require.Equal(s, mode, e.Info["notifyMode"], e.Type)
	}
	require.Equal(s, "Block", c.Fee["notifyMode"])
	require.NotContains(s, c.Fee, "subscriptionId")
	return c
}

// xConnect is a whole call by the answer's words: what the caller hears while
// it waits, the hint, the talk and its recording.
func xConnect(s *scene) {
	a, b, x := s.stranger(), s.stranger(), s.takeX(s.T, appX)
	s.says(x, connects(x, b.Number(), `"maxDuration":60`, `"waitVoice":"no_binding.wav"`, `"recordFlag":"true"`, `"recordHintTone":"record_hint.wav"`,
		`"userData":"order42"`))
	start := time.Now()
	out := s.dial(a, x)
	in := s.reaches(b)
	s.shows(in, x)
	require.NoError(s, in.Ring())
	s.hearsPrompt(out, start, "no_binding")
	s.answered(out, in)
	s.hint(out, start)
	s.hint(in, start)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	c := s.storyX(x, 1, billed{caller: a.Number(), callee: b.Number(), events: evAnswered, talk: true, recorded: true})
	s.voices(s.taped(c, 1.5))
	require.Equal(s, "order42", c.Fee["userData"])
	for _, e := range c.Events[1:] {
		require.Equal(s, "order42", e.Info["userData"], e.Type)
	}
	require.NotContains(s, c.Events[0].Info, "userData", "it was not known yet")
	s.notInRedis(x, "busy")
}

// xConnectLoosely: arrays of one, numbers and booleans for texts, X as people
// dial it; two calls of one X at once.
func xConnectLoosely(s *scene) {
	a, b, x := s.stranger(), s.stranger(), s.takeX(s.T, appX)
	s.says(x, fmt.Sprintf(`{"operation":"connect","connectInfo":[{"displayCalleeNum":%s,"calleeNum":%q,"maxDuration":"0","recordFlag":false,"userData":42}]}`,
		x[len("+86"):], b.Number()))
	out, in := s.connect(a, b, x)
	c, d := s.stranger(), s.stranger()
	s.says(x, connects(x, d.Number()))
	out2, in2 := s.connect(c, d, x)
	s.talk(out, in)
	s.talk(out2, in2)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	require.NoError(s, out2.Hangup(s.within(step)))
	s.clearedWith(in2, 16)
	first := s.storyX(x, 1, billed{caller: a.Number(), callee: b.Number(), events: evAnswered, talk: true})
	require.Equal(s, "42", first.Fee["userData"])
	s.storyX(x, 2, billed{caller: c.Number(), callee: d.Number(), events: evAnswered, talk: true})
}

func xClose(s *scene) {
	who, x := s.stranger(), s.takeX(s.T, appX)
	s.says(x, `{"operation":"close","closeInfo":{"closeHintTone":"no_callback.wav","userData":"order42"}}`)
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_callback")
	told := s.storyX(x, 1, billed{state: 8017, fail: 8017, caller: who.Number(), events: evRefused})
	require.Equal(s, "order42", told.Fee["userData"])
	require.Equal(s, "order42", told.Event("disconnect")["userData"])
}

// xSlow: the caller of a server that thinks for too long is let go at the
// deadline; whom others call meanwhile rings at once.
func xSlow(s *scene) {
	who, x := s.stranger(), s.takeX(s.T, appX)
	s.decides(x, func(ctx context.Context) string { <-ctx.Done(); return connects(x, xSomebody) })
	start := time.Now()
	slow := s.dial(who, x)
	a, b, other := s.stranger(), s.stranger(), s.takeX(s.T, appX)
	s.says(other, connects(other, b.Number()))
	out, in := s.connect(a, b, other)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.refusedWith(slow, 403, 21)
	require.GreaterOrEqual(s, time.Since(start), answerTime)
	s.prompted(slow, "service_exception")
	s.storyX(x, 1, billed{state: 8014, fail: 8014, direction: 2, caller: who.Number(), events: evRefused})
	require.Contains(s, s.callin(x), "no answer in time")
}

// callin is what the event log says of the first callin event of X.
func (s *scene) callin(x string) string {
	s.Helper()
	call, err := s.customer.Story(s.within(step), x, 1)
	require.NoError(s, err)
	for _, e := range s.logged(call.Session) {
		if e.EventType == "callin" {
			require.True(s, e.Push.Next.IsZero(), "it is not pushed again")
			require.True(s, e.Push.Taken.IsZero())
			return e.Push.Failure
		}
	}
	require.Fail(s, "no callin in the log")
	return ""
}

// logged is an event in the event log.
type logged struct {
	EventType string
	Push      struct {
		Failure     string
		Next, Taken time.Time
	}
}

// logged are the events of a call in the event log.
func (s *scene) logged(session string) []logged {
	s.Helper()
	out, err := s.gate.Run(s.within(step), "event", "list", "--json", "--session", session)
	require.NoError(s, err)
	var list struct{ Items []logged }
	require.NoError(s, json.Unmarshal(out, &list), "%s", out)
	require.NotEmpty(s, list.Items)
	return list.Items
}

// xDead: nobody was told of the call but afterwards.
func xDead(s *scene) {
	who, x := s.stranger(), s.takeX(s.T, appXDead)
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "service_exception")
	call, err := s.customer.Story(s.within(step), x, 1)
	require.NoError(s, err)
	require.Equal(s, []string{"disconnect"}, call.Types(), "the question is not pushed again")
	require.EqualValues(s, 8014, call.Event("disconnect")["stateCode"])
	s.fee(call.Fee, x, billed{state: 8014, fail: 8014, direction: 2, caller: who.Number()})
	s.observe("8014/8014", "dir 2 sub false")
	require.Contains(s, s.callin(x), "connection refused")
}

func xFallback(s *scene) {
	who, x := s.stranger(), s.takeX(s.T, appXElse)
	b := s.phone(fallback)
	s.decides(x, func(ctx context.Context) string { <-ctx.Done(); return "" })
	out, in := s.connect(who, b, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.storyX(x, 1, billed{caller: who.Number(), callee: fallback, events: evAnswered, talk: true})
}

// xCallerLeaves: a caller who does not wait ends the question with it.
func xCallerLeaves(s *scene) {
	who, b, x := s.stranger(), s.stranger(), s.takeX(s.T, appX)
	asked, ended := make(chan struct{}), make(chan struct{})
	s.decides(x, func(ctx context.Context) string {
		close(asked)
		<-ctx.Done()
		close(ended)
		return connects(x, b.Number())
	})
	out := s.dial(who, x)
	s.happens(asked)
	require.NoError(s, out.Hangup(s.within(step)))
	require.Equal(s, 487, s.ended(out).Status)
	s.observe("487")
	s.happens(ended)
	require.Equal(s, []string{"100", "487"}, responses(out))
	s.storyX(x, 1, billed{state: 7501, fail: 7501, caller: who.Number(), events: evRefused})
	require.Contains(s, s.callin(x), "the call ended before the answer")
	s.reachesNobody(b)
}

func (s *scene) happens(what <-chan struct{}) {
	s.Helper()
	select {
	case <-what:
	case <-time.After(step):
		require.FailNow(s, "it does not happen")
	}
}

func xCalleeBlocked(s *scene) {
	who, b, x := s.stranger(), s.stranger(), s.takeX(s.T, appX)
	require.NoError(s, s.gate.Blacklist(s.within(step), x, b.Number()))
	s.says(x, connects(x, b.Number()))
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.reachesNobody(b)
	s.storyX(x, 1, billed{state: 7004, fail: 7004, caller: who.Number(), events: evRefused})
}

// xTooLong is closed by a code, not by the fallback number.
func xTooLong(s *scene) {
	who, x := s.stranger(), s.takeX(s.T, appXElse)
	s.says(x, connects(x, xSomebody, `"maxDuration":1441`))
	s.refusedWith(s.dial(who, x), 403, 21)
	s.storyX(x, 1, billed{state: 8014, fail: 8014, direction: 2, caller: who.Number(), events: evRefused})
}

func xPaused(s *scene) {
	who, b, x := s.stranger(), s.stranger(), s.takeX(s.T, appX)
	s.says(x, connects(x, b.Number()))
	s.run("number", "status", "--x", x, "paused")
	s.refusedWith(s.dial(who, x), 403, 21)
	s.reachesNobody(b)
	s.storyX(x, 1, billed{state: 8055, fail: 8055, direction: 2, caller: who.Number(), events: evRefused})
}

// xStatus: what becomes of an X at the command line is pushed to its app, in
// order, and only to one that asked for it.
func xStatus(s *scene) {
	x, quiet := s.takeX(s.T, appX), s.takeX(s.T, appXElse)
	for _, args := range [][]string{{"paused"}, {"unavailable", "--cause", "2"}, {"frozen"}, {"normal"}, {"returned"}} {
		s.run(append([]string{"number", "status", "--x", x}, args...)...)
		s.run(append([]string{"number", "status", "--x", quiet}, args...)...)
	}
	want := []string{"9/", "10/2", "11/", "5/", "10/1"}
	require.Eventually(s, func() bool { return len(s.customer.Statuses(x)) >= len(want) }, step, 50*time.Millisecond, "%v", s.customer.Statuses(x))
	require.Equal(s, want, s.customer.Statuses(x))
	require.Empty(s, s.customer.Statuses(quiet))
}
