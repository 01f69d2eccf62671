package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	people = []Number{anna, anna, anna, bert, bert, bert, carl, fixed, service, foreign, police, Number(theX), "", "13800000001", "+86700123456789012"}
	xs     = []X{theX, theX, theX, theX, "+8617010000002"}
	ys     = []X{"+8617010000002", "+8617010000002", "+8617010000002", theX, "+8617010000003", ""}
	times  = []time.Time{{}, {}, now.Add(-time.Hour), now, now.Add(time.Hour), now.Add(time.Hour)}
	modes  = []Mode{AX, AXB, AXE, AXYB}
	seldom = rapid.SampledFrom([]bool{false, false, false, false, false, false, false, false, false, false, false, false, false, false, true})
)

func anyBinding(t *rapid.T, name string, mode Mode) *Binding {
	if seldom.Draw(t, name+" missing") {
		return nil
	}
	person := rapid.SampledFrom(people)
	b := &Binding{
		ID: name, App: rapid.SampledFrom([]string{"app", "app", "app", "another"}).Draw(t, name+" app"),
		Mode: rapid.SampledFrom(append([]Mode{mode, mode, mode, mode}, modes...)).Draw(t, name+" mode"), X: rapid.SampledFrom(xs).Draw(t, name+" x"),
		A: person.Draw(t, name+" a"), B: person.Draw(t, name+" b"), CallbackNum: person.Draw(t, name+" callback"),
		Ext: rapid.SampledFrom([]Extension{"0001", "0001", "0002", ""}).Draw(t, name+" ext"), Allowed: rapid.SampledFrom([]Allowed{0, 0, 1, 2}).Draw(t, name+" allowed"),
		Off: seldom.Draw(t, name+" off"), Until: rapid.SampledFrom(times).Draw(t, name+" until"),
	}
	if b.Mode == AXYB {
		b.Y = rapid.SampledFrom(ys).Draw(t, name+" y")
	}
	return b
}

func anyWorld(t *rapid.T) world {
	person := rapid.SampledFrom(people)
	mode := rapid.SampledFrom(modes).Draw(t, "mode")
	w := world{
		app: App{Key: "app", Mode: mode, Paused: seldom.Draw(t, "paused"), NoForeign: rapid.Bool().Draw(t, "no foreign")},
		q:   Question{"s", rapid.SampledFrom(xs).Draw(t, "x"), person.Draw(t, "caller"), now},
		f: Facts{
			Known: !seldom.Draw(t, "unknown"), App: "app", Bindings: rapid.IntRange(0, 2).Draw(t, "bindings"),
			Status:   rapid.SampledFrom([]NumberStatus{StatusNormal, StatusNormal, StatusFrozen, StatusPaused}).Draw(t, "status"),
			ByCaller: anyBinding(t, "by caller", mode), ToX: anyBinding(t, "to x", mode),
			Blacklisted: seldom.Draw(t, "blacklisted"), CalleeBlacklisted: seldom.Draw(t, "callee blacklisted"),
			Busy: seldom.Draw(t, "busy"),
		},
		typed: mode == AXE && rapid.Bool().Draw(t, "typed"), ext: rapid.SampledFrom([]Extension{"0001", "0001", "0002", "", "00012"}).Draw(t, "ext"),
	}
	if rapid.Bool().Draw(t, "temporary") {
		w.f.Temporary = &TemporaryCallee{Callee: person.Draw(t, "temporary callee"), Until: rapid.SampledFrom(times).Draw(t, "temporary until")}
	}
	if rapid.Bool().Draw(t, "record") {
		w.f.Callback = &Callback{Caller: person.Draw(t, "last caller"), Until: rapid.SampledFrom(times).Draw(t, "record until")}
	}
	return w
}

// reach is everybody whom the stored things let this caller reach, written
// down apart from the rules.
func reach(w world) map[Number]bool {
	all := map[Number]bool{}
	live := func(b *Binding, mode Mode) bool {
		return b != nil && (b.X == w.q.X || mode == AXYB && b.Y == w.q.X) && b.App == "app" && b.Mode == mode && (b.Until.IsZero() || b.Until.After(now))
	}
	by, to := w.f.ByCaller, w.f.ToX
	switch {
	case w.typed:
		if live(to, AXE) && to.Ext == w.ext {
			all[to.A] = true
		}
	case w.app.Mode == AX:
		if live(to, AX) && w.q.Caller != to.A {
			all[to.A] = true
		}
		if t := w.f.Temporary; live(to, AX) && w.q.Caller == to.A && t != nil && t.Until.After(now) {
			all[t.Callee] = true
		}
	case w.app.Mode == AXB:
		if live(by, AXB) && w.q.Caller == by.A {
			all[by.B] = true
		}
		if live(by, AXB) && w.q.Caller == by.B {
			all[by.A] = true
		}
	case w.app.Mode == AXYB:
		if live(by, AXYB) && w.q.Caller == by.A && w.q.X == by.Y {
			all[by.B] = true
		}
		if live(by, AXYB) && w.q.Caller == by.B && w.q.X == by.X {
			all[by.A] = true
		}
	case w.app.Mode == AXE:
		if live(by, AXE) && w.q.Caller == by.A {
			all[by.CallbackNum] = true
			if r := w.f.Callback; r != nil && (r.Until.IsZero() || r.Until.After(now)) {
				all[r.Caller] = true
			}
		}
	}
	return all
}

// shows is what the callee has to see, written down apart from the rules: of
// the two numbers of an AXYB relation the one that the callee itself calls.
func shows(w world, callee Number) X {
	b := w.f.ByCaller
	switch {
	case w.app.Mode != AXYB:
		return w.q.X
	case callee == b.A && w.q.Caller == b.B:
		return b.Y
	case callee == b.B && w.q.Caller == b.A:
		return b.X
	}
	return ""
}

func TestWhoeverIsDialledMayBe(t *testing.T) {
	dialled := 0
	rapid.Check(t, func(t *rapid.T) {
		for range 30 {
			w := anyWorld(t)
			if d := w.decide(); judge(t, w, d) {
				dialled++
			}
		}
	})
	require.Positive(t, dialled, "no case was dialled: the generator proves nothing")
}

// judge fails the test if the decision breaks a promise, and tells whether it
// dials.
func judge(t *rapid.T, w world, d Decision) bool {
	for _, n := range people {
		if len(n) >= 8 && n != Number(theX) && strings.Contains(d.Why, string(n)) {
			t.Fatalf("%q has the real number %s", d.Why, n)
		}
	}
	if d.Step != Dial {
		if d.Callee != "" || d.Shown != "" {
			t.Fatalf("%+v does not dial, but names a callee", d)
		}
		if d.Step == Refuse && d.End.Word == "" {
			t.Fatalf("%+v refuses without an end", d)
		}
		return false
	}
	switch kind := china.Kind(d.Callee); {
	case d.Callee == w.q.Caller:
		t.Fatalf("the caller would be called: %s", d.Why)
	case d.Shown == "" || d.Shown != shows(w, d.Callee):
		t.Fatalf("%s would be shown for %s", d.Shown, w.q.X)
	case Number(w.q.X) == d.Callee || Number(d.Shown) == d.Callee:
		t.Fatalf("X would be called: %s", d.Why)
	case !reach(w)[d.Callee]:
		t.Fatalf("%s is outside the binding: %s", d.Callee, d.Why)
	case kind != Mobile && kind != Fixed && kind != Service:
		t.Fatalf("%s is %s: %s", d.Callee, kind, d.Why)
	case d.Binding == nil || d.Binding.Ended(now) || d.Binding.X != w.q.X && d.Binding.Y != w.q.X:
		t.Fatalf("a binding that says nothing about the call: %s", d.Why)
	case w.f.Busy || w.f.Blacklisted || w.f.CalleeBlacklisted || !w.f.Known || w.app.Paused || w.f.Status == StatusPaused:
		t.Fatalf("this call is forbidden: %s", d.Why)
	}
	return true
}
