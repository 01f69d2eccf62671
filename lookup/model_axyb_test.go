package lookup_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// axPart is an AX part as the model knows it, axPeer a relation of it.
type axPart struct {
	id, a   string
	x       routing.X
	allowed int
	until   time.Time // zero: never
	peers   []*axPeer
}

type axPeer struct {
	id, b string
	y     routing.X
	until time.Time
}

// axyb is the AXYB part of the model: numbers of one area, which only the
// requests of this run choose.
type axyb struct {
	area    string
	numbers []routing.X
	parts   []*axPart // all there ever were in this run
	used    []routing.X
}

func (m *model) beginAXYB(run int) {
	m.axyb = axyb{area: fmt.Sprintf("0%06d", run)}
	for i := range 7 { // an A may have five of them as X
		x := routing.X(fmt.Sprintf("+86171%06d%02d", run, i))
		_, err := m.office.AddNumber(m.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "AXYB", AreaCode: m.axyb.area}})
		require.NoError(m.t, err)
		m.axyb.numbers = append(m.axyb.numbers, x)
	}
}

func (m *model) standing(until time.Time) bool { return until.IsZero() || m.now.Before(until) }

// relations visits what stands: each AX part with a nil peer, then its peers.
func (m *model) relations(visit func(*axPart, *axPeer)) {
	for _, p := range m.axyb.parts {
		if !m.standing(p.until) {
			continue
		}
		visit(p, nil)
		for _, r := range p.peers {
			if m.standing(r.until) {
				visit(p, r)
			}
		}
	}
}

// free are the numbers without bindings; forY those that a can have as a
// further Y.
func (m *model) free() []routing.X {
	return slices.DeleteFunc(slices.Clone(m.axyb.numbers), func(x routing.X) (used bool) {
		m.relations(func(p *axPart, r *axPeer) { used = used || p.x == x || r != nil && r.y == x })
		return used
	})
}

func (m *model) forY(a string) []routing.X {
	return slices.DeleteFunc(slices.Clone(m.axyb.numbers), func(x routing.X) (no bool) {
		m.relations(func(p *axPart, r *axPeer) { no = no || p.x == x || r != nil && r.y == x && p.a == a })
		return no
	})
}

func (m *model) bindAXYB(t *rapid.T) { m.bindPart(t, m.someone(t, "a")) }

// bindAllParts has one A get to its limit.
func (m *model) bindAllParts(t *rapid.T) {
	for range 6 {
		m.bindPart(t, m.crowd[0])
	}
}

func (m *model) bindPart(t *rapid.T, a string) {
	seconds := rapid.SampledFrom([]int{0, 60, 90}).Draw(t, "duration")
	p := &axPart{a: a, allowed: rapid.IntRange(0, 2).Draw(t, "direction")}
	p.until = m.ends60(seconds)
	has := 0
	m.relations(func(p *axPart, r *axPeer) {
		if r == nil && p.a == a {
			has++
		}
	})
	free, want := m.free(), ""
	switch {
	case len(free) == 0:
		want = "1012008"
	case has == 5:
		want = "1011003"
	}
	b, err := m.office.BindAXYB(m.ctx, "AXYB", provision.BindAXYB{OrigNum: a, CallDirection: p.allowed, Duration: seconds, Area: provision.Area{AreaCode: m.axyb.area}})
	if !m.answer(t, want, err) {
		return
	}
	if !slices.Contains(free, b.X) {
		t.Fatalf("%s is no X that is free: %v", b.X, free)
	}
	p.id, p.x = b.ID, b.X
	m.axyb.parts, m.axyb.used = append(m.axyb.parts, p), []routing.X{p.x}
}

func (m *model) ends60(seconds int) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return m.now.Add(time.Duration(seconds) * time.Second)
}

func (m *model) somePart(t *rapid.T) *axPart {
	if len(m.axyb.parts) == 0 {
		t.Skip("no AX part yet")
	}
	return rapid.SampledFrom(m.axyb.parts).Draw(t, "part")
}

// peerOf is the standing peer of a part that has a number.
func (m *model) peerOf(p *axPart, has func(*axPeer) bool) *axPeer {
	for _, r := range p.peers {
		if m.standing(r.until) && has(r) {
			return r
		}
	}
	return nil
}

func (m *model) bindYB(t *rapid.T) {
	p, b := m.somePart(t), m.someone(t, "b")
	seconds := rapid.SampledFrom([]int{0, 60, 90}).Draw(t, "duration")
	r := &axPeer{b: b, until: m.ends60(seconds)}
	if r.until.IsZero() || !p.until.IsZero() && p.until.Before(r.until) {
		r.until = p.until
	}
	can, want := m.forY(p.a), ""
	switch {
	case !m.standing(p.until):
		want = "1012007"
	case b == p.a:
		want = "1010002"
	case m.peerOf(p, func(r *axPeer) bool { return r.b == b }) != nil:
		want = "1012010"
	case len(can) == 0:
		want = "1012008"
	}
	y, err := m.office.BindYB(m.ctx, "AXYB", provision.BindYB{SubscriptionID: p.id, OrigNum: b, Duration: seconds, Area: provision.Area{AreaCode: m.axyb.area}})
	if !m.answer(t, want, err) {
		return
	}
	if !slices.Contains(can, y.Y) {
		t.Fatalf("%s is no Y that A can have: %v", y.Y, can)
	}
	r.id, r.y = y.ID, y.Y
	p.peers, m.axyb.used = append(p.peers, r), []routing.X{p.x, r.y}
}

// unbindAXYB ends all of a binding.
func (m *model) unbindAXYB(t *rapid.T) {
	p := m.somePart(t)
	want := ""
	if !m.standing(p.until) {
		want = "1012007"
	}
	m.axyb.used = []routing.X{p.x}
	for _, r := range p.peers {
		m.axyb.used = append(m.axyb.used, r.y)
	}
	if m.answer(t, want, m.office.UnbindAXYB(m.ctx, "AXYB", provision.AXYB{SubscriptionID: p.id})) {
		p.until, p.peers = m.now, nil
	}
}

// unbindYB ends one relation, named in one of three ways.
func (m *model) unbindYB(t *rapid.T) {
	p, way := m.somePart(t), rapid.IntRange(0, 2).Draw(t, "way")
	which := provision.AXYB{SubscriptionID: p.id}
	var r *axPeer
	switch way {
	case 0:
		which.BNum = m.someone(t, "b")
		r = m.peerOf(p, func(r *axPeer) bool { return r.b == which.BNum })
	case 1:
		which.YNum = string(rapid.SampledFrom(m.axyb.numbers).Draw(t, "y"))
		r = m.peerOf(p, func(r *axPeer) bool { return string(r.y) == which.YNum })
	case 2:
		if len(p.peers) == 0 {
			t.Skip("no relation yet")
		}
		which.SubscriptionID = rapid.SampledFrom(p.peers).Draw(t, "relation").id
		r = m.peerOf(p, func(r *axPeer) bool { return r.id == which.SubscriptionID })
	}
	want := ""
	if r == nil || !m.standing(p.until) {
		want = "1012007"
	}
	if m.answer(t, want, m.office.UnbindAXYB(m.ctx, "AXYB", which)) {
		r.until, m.axyb.used = m.now, []routing.X{p.x, r.y}
	}
}

// checkAXYB asks about everybody who could call, for the numbers that were used
// last and one more.
func (m *model) checkAXYB(t *rapid.T) {
	list := append([]routing.X{rapid.SampledFrom(m.axyb.numbers).Draw(t, "number")}, m.axyb.used...)
	for _, x := range list {
		for _, caller := range append([]string{"", "+8613900000000"}, m.crowd...) {
			d, err := m.router.Peek(m.ctx, m.asks(x, caller))
			require.NoError(m.t, err)
			got, want := dials(d), m.dueAXYB(x, caller)
			if d.Step == routing.Dial {
				got += " sees " + string(d.Shown)
			} else {
				m.ends[got]++
			}
			if got != want {
				t.Fatalf("%s calls %s: %s instead of %s (%s)", caller, x, got, want, d.Why)
			}
		}
	}
}

// dueAXYB is what a call comes to by API appendix A.
func (m *model) dueAXYB(x routing.X, caller string) string {
	due := "no_binding_axyb"
	m.relations(func(p *axPart, r *axPeer) {
		switch {
		case caller == "":
		case r == nil && p.x == x && p.a == caller:
			due = "own_number"
		case r == nil:
		case p.x == x && r.b == caller && p.allowed == 1, r.y == x && p.a == caller && p.allowed == 2:
			due = "direction"
		case p.x == x && r.b == caller:
			due = p.a + " sees " + string(r.y)
		case r.y == x && p.a == caller:
			due = r.b + " sees " + string(p.x)
		}
	})
	return due
}
