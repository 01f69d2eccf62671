package lookup_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"axgate/provision"
	"axgate/routing"
)

// owner changes bindings of numbers that nobody else binds to its X, one after
// the other, on any node, and remembers what was when.
type owner struct {
	f          *fleet
	mode       routing.Mode
	x          routing.X
	numbers    []string
	extensions []string // AXE
	rng        *rand.Rand
	moments    []moment
	violations []string
}

// moment is what stands once a change was made, which happened between asking
// for it and its acknowledgement.
type moment struct {
	what   string
	asked  time.Duration
	acked  time.Duration
	stands []bound
}

func newOwner(f *fleet, mode routing.Mode, x routing.X, n int, rng *rand.Rand) *owner {
	o := &owner{f: f, mode: mode, x: x, rng: rand.New(rand.NewPCG(rng.Uint64(), 0)), moments: []moment{{what: "begin"}}}
	for i := range 4 {
		o.numbers = append(o.numbers, fmt.Sprintf("+86138%05d%03d", n, i))
	}
	for i := range 2 {
		o.extensions = append(o.extensions, fmt.Sprintf("%04d", 10*n+i+1))
	}
	return o
}

// peer is any node.
func (f *fleet) peer(rng *rand.Rand) peer { return f.peers[rng.IntN(len(f.peers))] }

func (o *owner) last() []bound { return o.moments[len(o.moments)-1].stands }

func (o *owner) someone() string { return o.numbers[o.rng.IntN(len(o.numbers))] }

// attempt is a change, what it makes of what stands if it is carried out, and
// when it has to be: may and must tell of what stands at an instant.
type attempt struct {
	what string
	make func(peer) (stands []bound, err error)
	due  func(stands []bound) bool // it has to be carried out, or else refused
}

// change makes one change and remembers it.
func (o *owner) change() {
	a := o.draw()
	before := o.last()
	from, asked := o.f.now(), o.f.tick()
	after, err := a.make(o.f.peer(o.rng))
	acked, to := o.f.tick(), o.f.now()
	if code := provision.Code(err); err != nil && (code == "" || code == "1010001") {
		o.violations = append(o.violations, fmt.Sprintf("%s: %v", a.what, err))
		return
	}
	possible := map[bool]bool{}
	for _, at := range instants(before, from, to) {
		possible[a.due(standing(before, at))] = true
	}
	if carried := err == nil; !possible[carried] {
		o.violations = append(o.violations, fmt.Sprintf("%s %s: %v while there was %s", o.x, a.what, err, list(before)))
	}
	if err == nil {
		o.moments = append(o.moments, moment{what: a.what, asked: asked, acked: acked, stands: after})
	}
}

func (o *owner) draw() attempt {
	stands := o.last()
	if len(stands) == 0 || o.rng.IntN(4) == 0 {
		return o.bind()
	}
	b := stands[o.rng.IntN(len(stands))]
	switch n := o.rng.IntN(10); {
	case n < 4:
		return o.unbind(b)
	case o.mode == routing.AX && n < 8:
		return o.temporary(b)
	case o.mode == routing.AXB:
		return o.modify(b)
	case o.mode == routing.AXE:
		return o.ring(b)
	}
	return o.bind()
}

func (o *owner) bind() attempt {
	n := bound{a: o.someone(), allowed: o.rng.IntN(3)}
	what := "bind " + n.a
	make := func(p peer) (b routing.Binding, err error) {
		return p.office.BindAX(o.f.ctx, "AX", provision.BindAX{OrigNum: n.a, PrivateNum: string(o.x), CallDirection: n.allowed})
	}
	switch o.mode {
	case routing.AXB:
		for n.b = o.someone(); n.b == n.a; {
			n.b = o.someone()
		}
		seconds := o.rng.IntN(3) * 10
		what += fmt.Sprintf(" and %s for %d s", n.b, seconds)
		make = func(p peer) (routing.Binding, error) {
			return p.office.BindAXB(o.f.ctx, "AXB", provision.BindAXB{CallerNum: n.a, CalleeNum: n.b, RelationNum: string(o.x), CallDirection: n.allowed, Duration: seconds})
		}
	case routing.AXE:
		n.allowed, n.ext = 0, o.extensions[o.rng.IntN(len(o.extensions))]
		if c := o.someone(); c != n.a {
			n.callback = c
		}
		minutes := o.rng.IntN(2)
		what += fmt.Sprintf(" to %s for %d min", n.ext, minutes)
		make = func(p peer) (routing.Binding, error) {
			return p.office.BindAXE(o.f.ctx, "AXE", provision.BindAXE{BindNum: n.a, VirtualNum: string(o.x), ExtendNum: n.ext, CallbackNum: n.callback, TimeUnit: "1", BindExpiredTime: minutes})
		}
	}
	return attempt{
		what: what,
		due: func(stands []bound) bool {
			return !slices.ContainsFunc(stands, func(b bound) bool { return meet(o.mode, b, n) })
		},
		make: func(p peer) ([]bound, error) {
			b, err := make(p)
			n.id, n.until = b.ID, b.Until
			return append(slices.DeleteFunc(slices.Clone(o.last()), func(b bound) bool { return meet(o.mode, b, n) }), n), err
		},
	}
}

// meet tells whether two bindings cannot stand both.
func meet(mode routing.Mode, b, n bound) bool {
	return mode == routing.AX || b.a == n.a || n.b != "" && (b.a == n.b || b.b == n.a || b.b == n.b) || n.ext != "" && b.ext == n.ext
}

// of is a change of a binding that has to stand.
func (o *owner) of(b bound, what string, make func(peer, *bound) error, more ...func(stands []bound) bool) attempt {
	return attempt{
		what: what + " " + b.a,
		due: func(stands []bound) bool {
			ok := slices.ContainsFunc(stands, func(s bound) bool { return s.id == b.id })
			for _, m := range more {
				ok = ok && m(stands)
			}
			return ok
		},
		make: func(p peer) ([]bound, error) {
			after := slices.Clone(o.last())
			i := slices.IndexFunc(after, func(s bound) bool { return s.id == b.id })
			err := make(p, &after[i])
			return slices.DeleteFunc(after, func(s bound) bool { return s.id == "" }), err
		},
	}
}

func (o *owner) unbind(b bound) attempt {
	return o.of(b, "unbind", func(p peer, s *bound) error {
		s.id = ""
		switch o.mode {
		case routing.AX:
			return p.office.UnbindAX(o.f.ctx, "AX", provision.AX{SubscriptionID: b.id})
		case routing.AXB:
			return p.office.UnbindAXB(o.f.ctx, "AXB", b.id, "")
		}
		return p.office.UnbindAXE(o.f.ctx, "AXE", provision.AXE{SubscriptionID: b.id})
	})
}

func (o *owner) temporary(b bound) attempt {
	callee := o.someone()
	for callee == b.a {
		callee = o.someone()
	}
	seconds := 5 + o.rng.IntN(60)
	return o.of(b, fmt.Sprintf("for %d s to %s:", seconds, callee), func(p peer, s *bound) error {
		t, err := p.office.SetTemporary(o.f.ctx, "AX", provision.TemporaryCallee{AX: provision.AX{SubscriptionID: b.id}, CalleeNum: callee, Duration: &seconds})
		s.temporary, s.runsOut = callee, t.Until
		return err
	})
}

// modify gives a pair another B.
func (o *owner) modify(b bound) attempt {
	to := o.someone()
	for to == b.a {
		to = o.someone()
	}
	free := func(stands []bound) bool {
		return !slices.ContainsFunc(stands, func(s bound) bool { return s.id != b.id && (s.a == to || s.b == to) })
	}
	a := o.of(b, "other B "+to+" of", func(p peer, s *bound) error {
		n, err := p.office.ModifyAXB(o.f.ctx, "AXB", provision.ModifyAXB{SubscriptionID: b.id, CalleeNum: &to})
		s.b, s.until = to, n.Until
		return err
	}, free)
	make := a.make
	a.make = func(p peer) ([]bound, error) { // who ran out on the way is gone
		after, err := make(p)
		return slices.DeleteFunc(after, func(s bound) bool { return s.id != b.id && (s.a == to || s.b == to) }), err
	}
	return a
}

// ring has somebody call A by the extension.
func (o *owner) ring(b bound) attempt {
	caller := "+8613900000000"
	if c := o.someone(); c != b.a {
		caller = c
	}
	return o.of(b, caller+" rings", func(p peer, s *bound) error {
		q := routing.Question{Session: "s" + string(o.x), X: o.x, Caller: routing.Number(caller), At: o.f.now()}
		d, err := p.router.DecideExtension(o.f.ctx, q, routing.Extension(b.ext))
		if err != nil {
			return err
		}
		if got := dials(d); got != b.a {
			return &provision.Error{Code: got}
		}
		s.rang = caller
		return p.router.Rang(o.f.ctx, q, d)
	})
}

// standing are those whose time has not come.
func standing(all []bound, at time.Time) (list []bound) {
	for _, b := range all {
		if b.until.IsZero() || at.Before(b.until) {
			list = append(list, b)
		}
	}
	return list
}

// instants are those between two at which something else may stand.
func instants(all []bound, from, to time.Time) []time.Time {
	list := []time.Time{from}
	for _, b := range all {
		if b.until.After(from) && !b.until.After(to) {
			list = append(list, b.until)
		}
	}
	return list
}

func list(all []bound) string {
	var s strings.Builder
	for _, b := range all {
		fmt.Fprintf(&s, "[%s %s%s temporary %s rang %s callback %s allowed %d", b.a, b.b, b.ext, b.temporary, b.rang, b.callback, b.allowed)
		if !b.until.IsZero() {
			fmt.Fprintf(&s, " until %s", b.until.Format("15:04:05.000"))
		}
		s.WriteString("]")
	}
	return s.String()
}

// call is a call that was placed, and what was decided.
type call struct {
	owner    *owner
	caller   string
	ext      string // typed
	at       time.Time
	over     time.Time     // of the fleet's clock, when it was decided
	asked    time.Duration // of the fleet's ticks
	answered time.Duration
	got, why string
}

// place places a call.
func place(f *fleet, o *owner, rng *rand.Rand) call {
	c := call{owner: o, caller: o.numbers[rng.IntN(len(o.numbers))]}
	if o.mode == routing.AX && rng.IntN(3) == 0 {
		c.caller = "+8613900000000"
	}
	if o.mode == routing.AXE && rng.IntN(2) == 0 {
		c.caller, c.ext = "+8613900000000", o.extensions[rng.IntN(len(o.extensions))]
	}
	p := f.peer(rng)
	c.at, c.asked = f.now(), f.tick()
	// All calls to X are of one session, so that none is busy.
	q := routing.Question{Session: "s" + string(o.x), X: o.x, Caller: routing.Number(c.caller), At: c.at}
	var d routing.Decision
	var err error
	switch {
	case c.ext != "":
		d, err = p.router.DecideExtension(f.ctx, q, routing.Extension(c.ext))
	case o.mode == routing.AXB:
		d, err = p.router.Decide(f.ctx, q)
	default:
		d, err = p.router.Peek(f.ctx, q)
	}
	c.answered, c.over = f.tick(), f.now()
	c.got, c.why = dials(d), d.Why
	if d.Step == routing.Collect {
		c.got = "collect"
	}
	if err != nil {
		c.got = err.Error()
	}
	return c
}

// allowed is what the call may have come to.
func (c *call) allowed() (want []string) {
	for _, m := range c.window() {
		for _, at := range instants(m.stands, c.at, c.over) {
			for _, w := range c.due(standing(m.stands, at)) {
				if !slices.Contains(want, w) {
					want = append(want, w)
				}
			}
		}
	}
	return want
}

// window are the moments that may have been when the call was decided: the last
// that was acknowledged before it was placed, and those asked for since.
func (c *call) window() []moment {
	all := c.owner.moments
	first, end := 0, 0
	for i, m := range all {
		if m.acked < c.asked {
			first = i
		}
		if m.asked <= c.answered {
			end = i + 1
		}
	}
	return all[first:end]
}

func (c *call) due(stands []bound) []string {
	if c.ext != "" {
		for _, b := range stands {
			if b.ext == c.ext {
				return []string{b.a}
			}
		}
		return []string{"wrong_extension"}
	}
	var refs []*bound
	for i := range stands {
		refs = append(refs, &stands[i])
	}
	want := due(c.owner.mode, refs, c.caller, c.at)
	if c.owner.mode == routing.AXE && slices.Contains(want, "collect") { // others have bindings of X, or not
		want = []string{"collect", "no_binding_axe"}
	}
	return want
}

func (c *call) story(want []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s called %s %s at %s, from %s to %s: %s instead of %v (%s)\n", c.caller, c.owner.x, c.ext, c.at.Format("15:04:05.000"), c.asked, c.answered, c.got, want, c.why)
	for _, m := range c.owner.moments {
		if m.acked > c.asked-300*time.Millisecond && m.asked < c.answered+100*time.Millisecond || slices.ContainsFunc(c.window(), func(w moment) bool { return w.asked == m.asked }) {
			fmt.Fprintf(&s, "  from %s to %s %s: %s\n", m.asked, m.acked, m.what, list(m.stands))
		}
	}
	return s.String()
}
