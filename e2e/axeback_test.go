//go:build e2e

package e2e

import (
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
)

func axeBackScenarios() []scenario {
	return []scenario{
		{"AXE callback to the last caller", axeBackToLast},
		{"AXE callback of a missed call", axeBackMissed},
		{"AXE callback record runs out", axeBackExpired},
		{"AXE callback to callbackNum", axeBackToNumber},
		{"AXE callback prompt", axeBackNobody},
		{"AXE callback prompt of the binding", axeBackTone},
		{"AXE fixed line calls back", axeBackFixed},
		{"any foreign callee", axeBackForeign},
		{"any emergency callee", axeBackEmergency},
	}
}

// back is what the customer is told of an answered callback.
func back(id, ext string, a, callee *phone.Phone) billed {
	return billed{direction: 1, binding: id, caller: a.Number(), callee: callee.Number(), ext: ext, service: "005", events: evAnswered, talk: true}
}

// missed lets A's phone ring for a caller who then hangs up.
func (s *scene) missed(who, a *phone.Phone, x, ext string) {
	s.Helper()
	out := s.types(who, x, ext)
	in := s.rings(a)
	s.soonInRedis(x, ":cb:"+a.Number(), "caller", who.Number())
	require.NoError(s, out.Hangup(s.within(step)))
	s.ended(in)
}

// axeBackToLast: the newest caller for whom A's phone rang is called back, and
// sees X; no extension is asked for.
func axeBackToLast(s *scene) {
	a, x, id := s.oneE(appAXE, "0001")
	older, last := s.stranger(), s.stranger()
	s.missed(older, a, x, "0001")
	out := s.types(last, x, "0001")
	in := s.rings(a)
	s.joins(in, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.notBusy(x)
	out, in = s.connect(a, last, x)
	s.busyInRedis(x, 1)
	s.talk(out, in)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	s.reachesNobody(older)
	s.story(x, 3, back(id, "0001", a, last))
	s.notBusy(x)
}

func axeBackMissed(s *scene) {
	a, x, id := s.oneE(appAXE, "0001", "--callback-num", s.stranger().Number())
	who := s.stranger()
	s.missed(who, a, x, "0001")
	s.story(x, 1, billed{state: 7502, fail: 8009, direction: 0, binding: id, caller: who.Number(), callee: a.Number(), ext: "0001", service: "005",
		events: []string{"callin", "collectInfo", "callout", "alerting", "disconnect"}})
	s.notBusy(x)
	out, in := s.connect(a, who, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 2, back(id, "0001", a, who))
}

// axeBackExpired: the record is valid for the binding's callbackExpiredTime,
// then callbackNum counts.
func axeBackExpired(s *scene) {
	number := s.stranger()
	a, x, id := s.oneE(appAXE, "0001", "--callback", "1m", "--callback-num", number.Number())
	who := s.stranger()
	s.missed(who, a, x, "0001")
	rung := time.Now()
	s.notBusy(x)
	time.Sleep(time.Until(rung.Add(60500 * time.Millisecond))) // until it has run out
	out, in := s.connect(a, number, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.reachesNobody(who)
	s.story(x, 2, back(id, "0001", a, number))
}

func axeBackToNumber(s *scene) {
	number := s.stranger()
	a, x, id := s.oneE(appAXE, "0001", "--callback-num", number.Number())
	out, in := s.connect(a, number, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, back(id, "0001", a, number))
}

func axeBackNobody(s *scene) {
	a, x, id := s.oneE(appAXE, "0001")
	c := s.dial(a, x)
	s.refusedWith(c, 404, 1)
	s.prompted(c, "no_callback")
	s.story(x, 1, billed{state: 8019, fail: 8019, direction: 1, binding: id, caller: a.Number(), ext: "0001", service: "005", events: evRefused})
	s.notBusy(x)
}

// axeBackTone: the file that the binding names wins over the app's.
func axeBackTone(s *scene) {
	a, x, id := s.oneE(appAXE, "0001", "--callback-tone", "busy.wav")
	c := s.dial(a, x)
	s.refusedWith(c, 404, 1)
	s.prompted(c, "busy")
	s.story(x, 1, billed{state: 8019, fail: 8019, direction: 1, binding: id, caller: a.Number(), ext: "0001", service: "005", events: evRefused})
}

func axeBackFixed(s *scene) {
	x := s.takeX(s.T, appAXE)
	a := s.phone(s.takeFixed(s.T))
	id := s.bind("axe", "--x", x, "--a", a.Number(), "--ext", "0001")
	c := s.dial(a, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 1, billed{state: 8023, fail: 8023, direction: 1, binding: id, caller: a.Number(), ext: "0001", service: "005", events: evRefused})
}

// rungFor lets A's phone ring for a caller with any number, from the trunk.
func (s *scene) rungFor(caller string, a *phone.Phone, x string) {
	s.Helper()
	var own []string
	if len(caller) > len("+86110") { // short codes are parts of other numbers
		own = append(own, caller)
	}
	out := s.dial(s.carrier(own...), x, phone.From(caller))
	require.NoError(s, out.WaitAnswer(s.within(step)))
	s.press(out, "0001", phone.Events)
	in := s.rings(a)
	s.shows(in, x)
	s.soonInRedis(x, ":cb:"+a.Number(), "caller", caller)
	require.NoError(s, out.Hangup(s.within(step)))
	s.ended(in)
	s.notBusy(x)
}

// axeBackForeign: a foreign caller may call like anyone, but is not called.
func axeBackForeign(s *scene) {
	a, x, id := s.oneE(appAXE, "0001")
	s.rungFor("+12125550100", a, x)
	c := s.dial(a, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 2, billed{state: 8043, fail: 8043, direction: 1, binding: id, caller: a.Number(), ext: "0001", service: "005", events: evRefused})
}

func axeBackEmergency(s *scene) {
	a, x, id := s.oneE(appAXE, "0001")
	s.rungFor("+86110", a, x)
	c := s.dial(a, x)
	s.refusedWith(c, 403, 21)
	s.prompted(c, "no_permission")
	s.story(x, 2, billed{state: 7500, fail: 7500, direction: 1, binding: id, caller: a.Number(), ext: "0001", service: "005", events: evRefused})
}
