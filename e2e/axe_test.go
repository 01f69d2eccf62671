//go:build e2e

package e2e

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
	"axgate/phone/hear"
)

func axeScenarios() []scenario {
	return []scenario{
		{"AXE right extension by RFC 4733", axeRight(phone.Events, false)},
		{"AXE right extension by INFO", axeRight(phone.Info, false)},
		{"AXE right extension by plain INFO", axeRight(phone.InfoPlain, false)},
		{"AXE right extension in-band", axeRight(phone.InBand, true)},
		{"AXE type-ahead", axeTypeAhead},
		{"AXE fewer digits and #", axeShort},
		{"AXE begins anew with *", axeStar},
		{"AXE pause ends the entry", axePause},
		{"AXE wrong extension", axeWrong},
		{"AXE wrong then right", axeWrongThenRight},
		{"AXE wrong until used up", axeWrongThrice},
		{"AXE nothing entered", axeNothing},
		{"AXE caller leaves while collecting", axeLeaves},
		{"AXE two extensions at once", axeTwo},
		{"AXE extension busy", axeBusy},
		{"AXE recorded", axeRecorded},
		{"AXE callee rejects", axeRejected},
		{"AXE no binding", axeUnbound},
		{"AXE unbinding while typing", axeUnbindWhileTyping},
	}
}

// oneE binds a new phone to an extension of a new X.
func (s *scene) oneE(app, ext string, args ...string) (a *phone.Phone, x, id string) {
	s.Helper()
	x = s.takeX(s.T, app)
	a = s.stranger()
	return a, x, s.bind("axe", append([]string{"--x", x, "--a", a.Number(), "--ext", ext}, args...)...)
}

// asked calls X and waits until the caller is asked for an extension.
func (s *scene) asked(p *phone.Phone, x string) *phone.Call {
	s.Helper()
	start := time.Now()
	c := s.dial(p, x)
	require.NoError(s, c.WaitAnswer(s.within(step)))
	s.hearsPrompt(c, start, "enter_extension")
	return c
}

// types calls X and types keys ahead of the end of the prompt.
func (s *scene) types(p *phone.Phone, x, keys string) *phone.Call {
	s.Helper()
	c := s.dial(p, x)
	require.NoError(s, c.WaitAnswer(s.within(step)))
	s.press(c, keys, phone.Events)
	return c
}

// joins lets A answer and waits until axgate has joined the two. The caller,
// who was answered long ago, cannot tell; the customer is told.
func (s *scene) joins(in *phone.Call, x string) {
	s.Helper()
	seen := s.answers(x)
	require.NoError(s, in.Answer(s.within(step)))
	require.Eventually(s, func() bool { return s.answers(x) > seen }, step, 20*time.Millisecond)
}

// answers counts the answer events of an X.
func (s *scene) answers(x string) (n int) {
	for _, c := range s.customer.Of(x) {
		n += c.Counts()["answer"]
	}
	return n
}

func (s *scene) press(c *phone.Call, keys string, by phone.Keys) {
	s.Helper()
	require.NoError(s, c.Press(s.within(step), keys, by))
}

// typed is what the customer is told of an answered call to an extension.
func typed(id string, caller, callee *phone.Phone, ext string) billed {
	return billed{direction: 0, binding: id, caller: caller.Number(), callee: callee.Number(), ext: ext, service: "005", events: evTyped, talk: true}
}

// axeRight is a whole call to an extension with digits of one kind.
func axeRight(by phone.Keys, noEvents bool) func(*scene) {
	return func(s *scene) {
		a, x, id := s.oneE(appAXE, "0123")
		who := s.stranger(func(c *phone.Config) { c.NoEvents = noEvents })
		out := s.asked(who, x)
		asked := time.Now()
		s.press(out, "0123", by)
		in := s.rings(a)
		s.shows(in, x)
		require.Eventually(s, func() bool {
			return slices.ContainsFunc(hear.Tones(out.Heard().Since(asked)), func(t hear.Tone) bool {
				return t.Signal == hear.Ringback // a late packet may have broken the first burst
			})
		}, step, 100*time.Millisecond, "ring-back")
		s.busyInRedis(x, 1)
		s.joins(in, x)
		s.soonInRedis(x, ":cb:"+a.Number(), "caller", who.Number())
		s.talk(out, in)
		s.prompted(out, "enter_extension")
		require.NoError(s, out.Hangup(s.within(step)))
		s.clearedWith(in, 16)
		s.steady(out)
		s.steady(in)
		s.story(x, 1, typed(id, who, a, "0123"))
		s.notBusy(x)
	}
}

// axeTypeAhead: a key during the prompt ends the prompt.
func axeTypeAhead(s *scene) {
	a, x, id := s.oneE(appAXE, "0042")
	who := s.stranger()
	out := s.types(who, x, "0042")
	in := s.rings(a)
	require.Less(s, time.Since(out.Statuses()[len(out.Statuses())-1].At), duration(s.clip("enter_extension"))+2*time.Second)
	s.joins(in, x)
	s.talk(out, in)
	s.prompted(out)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	s.story(x, 1, typed(id, who, a, "0042"))
}

// axeShort: fewer digits and # are those of an extension with leading zeros.
func axeShort(s *scene) {
	a, x, id := s.oneE(appAXE, "0007")
	who := s.stranger()
	out := s.types(who, x, "7#")
	in := s.rings(a)
	s.joins(in, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, typed(id, who, a, "0007"))
}

func axeStar(s *scene) {
	a, x, id := s.oneE(appAXE, "0005")
	who := s.stranger()
	out := s.types(who, x, "99*0005")
	in := s.rings(a)
	s.joins(in, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, typed(id, who, a, "0005"))
}

// axePause: the inter-digit time ends an entry like #.
func axePause(s *scene) {
	a, x, id := s.oneE(appAXE, "0031")
	who := s.stranger()
	start := time.Now()
	out := s.types(who, x, "31")
	in := s.rings(a)
	require.Greater(s, time.Since(start), interDigit)
	s.joins(in, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, typed(id, who, a, "0031"))
}

func axeWrong(s *scene) {
	a, x, _ := s.oneE(appAXE, "0001")
	who := s.stranger()
	out := s.asked(who, x)
	s.press(out, "0002", phone.Events)
	s.clearedWith(out, 1)
	s.prompted(out, "enter_extension", "extension_wrong")
	s.reachesNobody(a)
	c := s.story(x, 1, billed{state: 8022, fail: 8022, direction: 0, caller: who.Number(), service: "005", events: evMistyped})
	require.Equal(s, "0002", c.Event("collectInfo")["digitInfo"])
	s.notBusy(x)
}

// axeWrongThenRight: the app collects again; without a prompt of its own for
// that it asks as at first.
func axeWrongThenRight(s *scene) {
	a, x, id := s.oneE(appRepeat, "0001")
	who := s.stranger()
	out := s.asked(who, x)
	again := time.Now()
	s.press(out, "0002", phone.Events)
	s.hearsPrompt(out, again, "enter_extension")
	s.press(out, "0001", phone.Events)
	in := s.rings(a)
	s.joins(in, x)
	s.talk(out, in)
	s.prompted(out, "enter_extension", "enter_extension")
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	want := typed(id, who, a, "0001")
	want.events = []string{"callin", "collectInfo", "collectInfo", "callout", "alerting", "answer", "disconnect"}
	s.story(x, 1, want)
}

func axeWrongThrice(s *scene) {
	_, x, _ := s.oneE(appRepeat, "0001")
	who := s.stranger()
	out := s.asked(who, x)
	for range 2 {
		again := time.Now()
		s.press(out, "0002", phone.Events)
		s.hearsPrompt(out, again, "enter_extension")
	}
	s.press(out, "0002", phone.Events)
	s.clearedWith(out, 1)
	s.prompted(out, "enter_extension", "enter_extension", "enter_extension", "extension_wrong")
	s.story(x, 1, billed{state: 8022, fail: 8022, direction: 0, caller: who.Number(), service: "005",
		events: []string{"callin", "collectInfo", "collectInfo", "collectInfo", "disconnect"}})
}

// axeNothing: nobody types; without a prompt of its own for that the app says
// that the extension is wrong.
func axeNothing(s *scene) {
	_, x, _ := s.oneE(appRepeat, "0001")
	who := s.stranger()
	out := s.asked(who, x)
	s.clearedWith(out, 18)
	s.prompted(out, "enter_extension", "extension_wrong")
	s.story(x, 1, billed{state: 8033, fail: 8033, direction: 0, caller: who.Number(), service: "005", events: evRefused})
}

func axeLeaves(s *scene) {
	a, x, _ := s.oneE(appAXE, "0001")
	who := s.stranger()
	out := s.types(who, x, "00")
	require.NoError(s, out.Hangup(s.within(step)))
	s.story(x, 1, billed{state: 7516, fail: 7516, direction: 0, caller: who.Number(), service: "005", events: evRefused})
	s.reachesNobody(a)
	s.notBusy(x)
}

// axeTwo: two extensions of one X talk at once, and nobody hears a stranger.
func axeTwo(s *scene) {
	a, x, _ := s.oneE(appAXE, "0001")
	b := s.stranger()
	s.bind("axe", "--x", x, "--a", b.Number(), "--ext", "0002")
	out := s.types(s.stranger(), x, "0001")
	in := s.rings(a)
	s.joins(in, x)
	out2 := s.types(s.stranger(), x, "0002")
	in2 := s.rings(b)
	s.joins(in2, x)
	s.busyInRedis(x, 2)
	start := time.Now()
	s.talk(out, in)
	s.hearsNot(in2, start, firstSpeech, "the other call's caller")
	s.hearsNot(out2, start, secondSpeech, "the other call's callee")
	s.talk(out2, in2)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	require.NoError(s, in2.Hangup(s.within(step)))
	s.clearedWith(out2, 16)
	s.notBusy(x)
}

// axeBusy: an extension carries one call at a time.
func axeBusy(s *scene) {
	a, x, id := s.oneE(appAXE, "0001")
	first, second := s.stranger(), s.stranger()
	out := s.types(first, x, "0001")
	in := s.rings(a)
	s.joins(in, x)
	late := s.asked(second, x)
	s.press(late, "0001", phone.Events)
	s.clearedWith(late, 17)
	s.prompted(late, "enter_extension", "busy")
	s.reachesNobody(a)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, typed(id, first, a, "0001"))
	s.story(x, 2, billed{state: 8102, fail: 8102, direction: 0, binding: id, caller: second.Number(), ext: "0001", service: "005", events: evMistyped})
	s.notBusy(x)
}

func axeRecorded(s *scene) {
	a, x, id := s.oneE(appAXE, "0001", "--record")
	who := s.stranger()
	out := s.types(who, x, "0001")
	start := time.Now()
	in := s.rings(a)
	s.joins(in, x)
	s.hint(out, start)
	s.hint(in, start)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	want := typed(id, who, a, "0001")
	want.recorded = true
	s.recording(s.story(x, 1, want))
}

// axeRejected: the caller is answered already and gets the callee's cause in a
// BYE.
func axeRejected(s *scene) {
	a, x, id := s.oneE(appAXE, "0001")
	who := s.stranger()
	out := s.types(who, x, "0001")
	require.NoError(s, s.rings(a).Reject(603, 21))
	s.clearedWith(out, 21)
	s.story(x, 1, billed{state: 7503, fail: 7504, direction: 0, binding: id, caller: who.Number(), callee: a.Number(), ext: "0001", service: "005",
		events: []string{"callin", "collectInfo", "callout", "alerting", "disconnect"}})
	s.notBusy(x)
}

func axeUnbound(s *scene) {
	x := s.takeX(s.T, appAXE)
	who := s.stranger()
	c := s.dial(who, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 1, billed{state: 8018, fail: 8018, direction: 2, caller: who.Number(), service: "005", events: evRefused})
}

// axeUnbindWhileTyping: no extension is looked up before it is complete.
func axeUnbindWhileTyping(s *scene) {
	a, x, id := s.oneE(appAXE, "0001")
	s.bind("axe", "--x", x, "--a", s.stranger().Number(), "--ext", "0002")
	who := s.stranger()
	out := s.types(who, x, "000")
	require.NoError(s, s.gate.Unbind(s.within(step), id))
	s.press(out, "1", phone.Events)
	s.clearedWith(out, 1)
	s.reachesNobody(a)
	s.story(x, 1, billed{state: 8022, fail: 8022, direction: 0, caller: who.Number(), service: "005", events: evMistyped})
}
