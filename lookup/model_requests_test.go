package lookup_test

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/provision"
	"axgate/routing"
)

// The requests of the model: each is made, and its answer compared with what
// the lists say.

func (m *model) bindAX(t *rapid.T) {
	m.bindTo(t, m.use(t, routing.AX), m.someone(t, "a"), rapid.IntRange(0, 2).Draw(t, "direction"))
}

// bindAllX has one A get to its limit.
func (m *model) bindAllX(t *rapid.T) {
	for _, x := range m.x[routing.AX] {
		m.bindTo(t, x, m.crowd[0], 0)
	}
}

func (m *model) bindTo(t *rapid.T, x routing.X, a string, allowed int) {
	has := 0
	for _, other := range m.x[routing.AX] {
		if b := m.of(other, a); b != nil {
			has++
		}
	}
	want := ""
	switch by := m.stands(x); {
	case len(by) > 0 && by[0].a == a:
		want = "1016002"
	case len(by) > 0:
		want = "1011005"
	case has == 5:
		want = "1011003"
	}
	b, err := m.office.BindAX(m.ctx, "AX", provision.BindAX{OrigNum: a, PrivateNum: string(x), CallDirection: allowed})
	if m.answer(t, want, err) {
		m.keep(x, &bound{id: b.ID, a: a, allowed: allowed})
	}
}

func (m *model) temporary(t *rapid.T) {
	id, b, _ := m.someID(t, routing.AX)
	callee, seconds := m.someone(t, "callee"), rapid.SampledFrom([]int{1, 60}).Draw(t, "duration")
	want := ""
	switch {
	case b == nil:
		want = "1016001"
	case callee == b.a:
		want = "1010002"
	}
	_, err := m.office.SetTemporary(m.ctx, "AX", provision.TemporaryCallee{AX: provision.AX{SubscriptionID: id}, CalleeNum: callee, Duration: &seconds})
	if m.answer(t, want, err) {
		b.temporary, b.runsOut = callee, m.now.Add(time.Duration(seconds)*time.Second)
	}
}

// answered has A's call answered, which uses up the temporary callee.
func (m *model) answered(t *rapid.T) {
	_, b, x := m.someID(t, routing.AX)
	if b == nil {
		t.Skip("it has ended")
	}
	q := m.asks(x, b.a)
	d, err := m.router.Peek(m.ctx, q)
	require.NoError(m.t, err)
	if d.Step != routing.Dial {
		t.Skip("A reaches nobody")
	}
	require.NoError(m.t, m.router.Answered(m.ctx, q, d))
	b.temporary = ""
}

func (m *model) bindAXB(t *rapid.T) {
	x, a, b := m.use(t, routing.AXB), m.someone(t, "a"), m.someone(t, "b")
	seconds, until := m.lasts(t)
	allowed := rapid.IntRange(0, 2).Draw(t, "direction")
	want := ""
	switch {
	case a == b:
		want = "1010002"
	case m.of(x, a) != nil || m.of(x, b) != nil:
		want = "1012010"
	}
	p, err := m.office.BindAXB(m.ctx, "AXB", provision.BindAXB{CallerNum: a, CalleeNum: b, RelationNum: string(x), Duration: seconds, CallDirection: allowed})
	if m.answer(t, want, err) {
		m.keep(x, &bound{id: p.ID, a: a, b: b, until: until, allowed: allowed})
	}
}

func (m *model) modifyAXB(t *rapid.T) {
	id, p, x := m.someID(t, routing.AXB)
	r := provision.ModifyAXB{SubscriptionID: id}
	var to bound
	if p != nil {
		to = *p
	}
	if rapid.Bool().Draw(t, "another a") {
		to.a = m.someone(t, "a")
		r.CallerNum = &to.a
	}
	if rapid.Bool().Draw(t, "another b") {
		to.b = m.someone(t, "b")
		r.CalleeNum = &to.b
	}
	if rapid.Bool().Draw(t, "another end") {
		var seconds int
		seconds, to.until = m.lasts(t)
		r.Duration = &seconds
	}
	other := func(who string) bool {
		b := m.of(x, who)
		return b != nil && b != p
	}
	want := ""
	switch {
	case p == nil:
		want = "1012007"
	case to.a == to.b:
		want = "1010002"
	case other(to.a) || other(to.b):
		want = "1012010"
	}
	_, err := m.office.ModifyAXB(m.ctx, "AXB", r)
	if m.answer(t, want, err) {
		*p = to
	}
}

func (m *model) bindAXE(t *rapid.T) {
	x, a := m.use(t, routing.AXE), m.someone(t, "a")
	ext := rapid.SampledFrom([]string{"", "", "0001", "0003"}).Draw(t, "extension")
	callback := rapid.SampledFrom(append([]string{""}, m.crowd...)).Draw(t, "callback")
	minutes := rapid.SampledFrom([]int{0, 1}).Draw(t, "minutes")
	var until time.Time
	if minutes > 0 {
		until = m.now.Add(time.Minute)
	}
	taken := map[string]bool{}
	for _, b := range m.stands(x) {
		taken[b.ext] = true
	}
	want := ""
	switch {
	case callback == a:
		want = "1010002"
	case m.of(x, a) != nil || taken[ext]:
		want = "1012010"
	}
	b, err := m.office.BindAXE(m.ctx, "AXE", provision.BindAXE{BindNum: a, VirtualNum: string(x), ExtendNum: ext, CallbackNum: callback, TimeUnit: "1", BindExpiredTime: minutes})
	if !m.answer(t, want, err) {
		return
	}
	for n := 1; ext == ""; n++ {
		if e := fmt.Sprintf("%04d", n); !taken[e] {
			ext = e
		}
	}
	if string(b.Ext) != ext {
		t.Fatalf("extension %s instead of %s, the lowest that is free", b.Ext, ext)
	}
	m.keep(x, &bound{id: b.ID, a: a, ext: ext, until: until, callback: callback})
}

// ring has somebody call A by the extension.
func (m *model) ring(t *rapid.T) {
	_, b, x := m.someID(t, routing.AXE)
	caller := m.someone(t, "caller")
	if b == nil || b.a == caller {
		t.Skip("nobody rings")
	}
	q := m.asks(x, caller)
	d, err := m.router.DecideExtension(m.ctx, q, routing.Extension(b.ext))
	require.NoError(m.t, err)
	require.NoError(m.t, m.router.Rang(m.ctx, q, d))
	b.rang = caller
}

// unbind ends a binding by its id.
func (m *model) unbind(mode routing.Mode, none string, request func(id string) error) func(*rapid.T) {
	return func(t *rapid.T) {
		id, b, x := m.someID(t, mode)
		want := ""
		if b == nil {
			want = none
		}
		if m.answer(t, want, request(id)) {
			m.drop(x, b)
		}
	}
}

func (m *model) unbindX(t *rapid.T) {
	x := m.use(t, routing.AXB)
	want := ""
	if len(m.stands(x)) == 0 {
		want = "1012007"
	}
	if m.answer(t, want, m.office.UnbindAXB(m.ctx, "AXB", "", string(x))) {
		m.bound[x] = nil
	}
}
