package lookup_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// bound is a binding as the model knows it.
type bound struct {
	id      string
	a, b    string
	ext     string
	allowed int
	until   time.Time // zero: never

	temporary string // AX
	runsOut   time.Time
	callback  string // AXE callbackNum
	rang      string // AXE: for whom A's phone rang last
}

// model is what apps, bindings and the clock should be, in plain lists.
type model struct {
	*world
	now     time.Time
	crowd   []string
	x       map[routing.Mode][]routing.X
	used    routing.X // last
	bound   map[routing.X][]*bound
	ids     map[string]routing.X // of all bindings there ever were
	refused map[string]int       // how often each code was answered
	ends    map[string]int       // how often each end, or a call, was decided
	axyb    axyb
}

// begin takes numbers that nobody had before.
func (m *model) begin(run int) {
	m.used = ""
	m.bound, m.ids, m.crowd = map[routing.X][]*bound{}, map[string]routing.X{}, nil
	for i := range 4 {
		m.crowd = append(m.crowd, fmt.Sprintf("+8613%06d%03d", run, i))
	}
	m.x = map[routing.Mode][]routing.X{}
	for n, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE} {
		count := 2
		if mode == routing.AX {
			count = 6 // one more than an A may have
		}
		for i := range count {
			x := routing.X(fmt.Sprintf("+86170%06d%d%d", run, n, i))
			_, err := m.office.AddNumber(m.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: string(mode)}})
			require.NoError(m.t, err)
			m.x[mode] = append(m.x[mode], x)
		}
	}
	m.beginAXYB(run)
}

// stands are the bindings of X whose time has not come.
func (m *model) stands(x routing.X) (list []*bound) {
	for _, b := range m.bound[x] {
		if b.until.IsZero() || m.now.Before(b.until) {
			list = append(list, b)
		}
	}
	return list
}

// of is the binding of X that has a number on either side.
func (m *model) of(x routing.X, who string) *bound {
	for _, b := range m.stands(x) {
		if b.a == who || b.b == who {
			return b
		}
	}
	return nil
}

func (m *model) drop(x routing.X, b *bound) {
	m.bound[x] = slices.DeleteFunc(m.bound[x], func(c *bound) bool { return c == b })
}

// answer compares a result code with the one that is due.
func (m *model) answer(t *rapid.T, want string, err error) bool {
	if want == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return true
	}
	if provision.Code(err) != want {
		t.Fatalf("%v instead of %s", err, want)
	}
	m.refused[want]++
	return false
}

func (m *model) someX(t *rapid.T, mode routing.Mode) routing.X {
	return rapid.SampledFrom(m.x[mode]).Draw(t, "x")
}

// use is someX for a request.
func (m *model) use(t *rapid.T, mode routing.Mode) routing.X {
	m.used = m.someX(t, mode)
	return m.used
}

func (m *model) someone(t *rapid.T, what string) string {
	return rapid.SampledFrom(m.crowd).Draw(t, what)
}

// someID names a binding that stands, or stood once.
func (m *model) someID(t *rapid.T, mode routing.Mode) (string, *bound, routing.X) {
	var ids []string
	for id, x := range m.ids {
		if slices.Contains(m.x[mode], x) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		t.Skip("no binding yet")
	}
	slices.Sort(ids)
	id := rapid.SampledFrom(ids).Draw(t, "id")
	x := m.ids[id]
	m.used = x
	for _, b := range m.stands(x) {
		if b.id == id {
			return id, b, x
		}
	}
	return id, nil, x
}

func (m *model) keep(x routing.X, b *bound) {
	m.bound[x] = append(m.stands(x), b)
	m.ids[b.id] = x
}

func (m *model) lasts(t *rapid.T) (seconds int, until time.Time) {
	seconds = rapid.SampledFrom([]int{0, 30, 90}).Draw(t, "duration")
	if seconds > 0 {
		until = m.now.Add(time.Duration(seconds) * time.Second)
	}
	return seconds, until
}

// asks is a call in the model's time. All are of one session, which has no
// more than one place.
func (m *model) asks(x routing.X, caller string) routing.Question {
	return routing.Question{Session: "model", X: x, Caller: routing.Number(caller), At: m.now}
}

// check asks about everybody who could call, for the X that was used last and
// one more of each mode.
func (m *model) check(t *rapid.T) {
	for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE} {
		list := []routing.X{m.someX(t, mode)}
		if slices.Contains(m.x[mode], m.used) && m.used != list[0] {
			list = append(list, m.used)
		}
		for _, x := range list {
			m.checkCallers(t, mode, x)
			if mode == routing.AXE {
				m.checkExtensions(t, x)
			}
		}
	}
	m.checkAXYB(t)
}

func (m *model) checkCallers(t *rapid.T, mode routing.Mode, x routing.X) {
	for _, caller := range append([]string{"", "+8613900000000"}, m.crowd...) {
		// A call that is decided does not wait for X to be loaded, Peek does.
		ask := m.router.Peek
		if rapid.Bool().Draw(t, "decide") {
			ask = m.router.Decide
		}
		d, err := ask(m.ctx, m.asks(x, caller))
		require.NoError(m.t, err)
		m.router.Release("model")
		got, want := dials(d), m.due(mode, x, caller)
		if d.Step == routing.Collect {
			got = "collect"
		}
		m.ends[got]++
		if !slices.Contains(want, got) {
			t.Fatalf("%s calls %s: %s instead of %v (%s)", caller, x, got, want, d.Why)
		}
	}
}

func (m *model) checkExtensions(t *rapid.T, x routing.X) {
	for n := 1; n <= 5; n++ {
		ext := fmt.Sprintf("%04d", n)
		d, err := m.router.DecideExtension(m.ctx, m.asks(x, "+8613900000000"), routing.Extension(ext))
		require.NoError(m.t, err)
		want := "wrong_extension"
		for _, b := range m.stands(x) {
			if b.ext == ext {
				want = b.a
			}
		}
		if got := dials(d); got != want {
			t.Fatalf("extension %s of %s: %s instead of %s", ext, x, got, want)
		}
	}
}

// due is what a call comes to by section 1: who is called, or why nobody is.
func (m *model) due(mode routing.Mode, x routing.X, caller string) []string {
	return due(mode, m.stands(x), caller, m.now)
}

// due is what a call at an instant comes to if these bindings of X stand.
func due(mode routing.Mode, stands []*bound, caller string, at time.Time) []string {
	var b *bound
	for _, s := range stands {
		if mode == routing.AX || s.a == caller || s.b == caller {
			b = s
		}
	}
	switch mode {
	case routing.AX:
		switch {
		case b == nil:
			return []string{"no_binding_ax"}
		case caller == b.a && b.allowed == 2, caller != b.a && b.allowed == 1:
			return []string{"direction"}
		case caller != b.a:
			return []string{b.a}
		case b.temporary == "" || !at.Before(b.runsOut):
			return []string{"no_temporary_callee"}
		}
		return []string{b.temporary}
	case routing.AXB:
		switch {
		case b == nil || caller == "":
			return []string{"no_binding_axb"}
		case caller == b.a && b.allowed == 2, caller == b.b && b.allowed == 1:
			return []string{"direction"}
		case caller == b.a:
			return []string{b.b}
		}
		return []string{b.a}
	}
	switch {
	case b == nil && len(stands) > 0:
		return []string{"collect"}
	case b == nil || caller == "":
		return []string{"no_binding_axe", "collect"} // a binding that has run out is counted until it is swept
	case b.rang != "":
		return []string{b.rang}
	case b.callback != "":
		return []string{b.callback}
	}
	return []string{"no_callback"}
}

// TestLookupAgreesWithTheModel: whatever is bound, modified, unbound, runs out
// or is lost from Redis, in any order, each request gets the code and each call
// the callee that plain lists say.
func TestLookupAgreesWithTheModel(t *testing.T) {
	w := newWorld(t)
	m := &model{world: w, now: time.Now().UTC().Truncate(time.Second), refused: map[string]int{}, ends: map[string]int{}}
	var err error
	m.office, err = provision.New(provision.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "n1",
		Now: func() time.Time { return m.now }, Log: zerolog.Nop()})
	require.NoError(t, err)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		m.begin(run)
		t.Repeat(map[string]func(*rapid.T){
			"":           m.check,
			"bind AX":    m.bindAX,
			"bind all X": m.bindAllX,
			"temporary":  m.temporary,
			"answered":   m.answered,
			"unbind AX": m.unbind(routing.AX, "1016001", func(id string) error {
				return m.office.UnbindAX(m.ctx, "AX", provision.AX{SubscriptionID: id})
			}),
			"bind AXB":   m.bindAXB,
			"modify AXB": m.modifyAXB,
			"unbind AXB": m.unbind(routing.AXB, "1012007", func(id string) error { return m.office.UnbindAXB(m.ctx, "AXB", id, "") }),
			"unbind X":   m.unbindX,
			"bind AXE":   m.bindAXE,
			"ring":       m.ring,
			"unbind AXE": m.unbind(routing.AXE, "1012007", func(id string) error {
				return m.office.UnbindAXE(m.ctx, "AXE", provision.AXE{SubscriptionID: id})
			}),
			"bind AXYB":      m.bindAXYB,
			"bind all parts": m.bindAllParts,
			"bind YB":        m.bindYB,
			"bind YB again":  m.bindYB,
			"unbind AXYB":    m.unbindAXYB,
			"unbind YB":      m.unbindYB,
			"time passes": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.SampledFrom([]int{1, 29, 31, 61}).Draw(t, "seconds")) * time.Second)
			},
			"sweep": func(*rapid.T) { require.NoError(m.t, m.office.Tend(m.ctx)) },
			"flush": func(*rapid.T) {
				require.NoError(m.t, w.redis.do(func(c *redis.Client) error { return c.FlushAll(context.Background()).Err() }))
			},
		})
	})
	t.Log("refused:", m.refused, "calls:", len(m.ends))
	for _, code := range []string{"1010002", "1011003", "1011005", "1012007", "1012008", "1012010", "1016001", "1016002"} {
		require.Positive(t, m.refused[code], "no sequence led to %s", code)
	}
	for _, end := range []string{"no_binding_ax", "no_binding_axb", "no_binding_axe", "no_temporary_callee", "no_callback", "direction", "collect", "no_binding_axyb", "own_number"} {
		require.Positive(t, m.ends[end], "no call ended with %s", end)
	}
	report, err := m.office.Verify(m.ctx, false)
	require.NoError(t, err)
	require.Zero(t, report.Differ, "%+v", report.Differences)
	require.Positive(t, report.Compared, strconv.Itoa(report.Numbers))
}
