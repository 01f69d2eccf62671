package lookup_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"axgate/provision"
	"axgate/routing"
)

// step is what one client does in a race for the places of an X.
type step struct {
	what  string // bind, unbind, modify, unbind X, call
	mode  routing.Mode
	x     routing.X
	n     bound  // bind: all but its id; unbind: the id; modify: the id and another B
	among string // call: the caller or the extension
}

// result is what it was answered.
type result struct {
	code string // empty: carried out
	id   string
	got  string // call
}

// TestRacesForOnePlace: clients on two nodes ask at once for what only one of
// them can have, and change what others end. In some order of the requests,
// one after the other, every answer was right; and once the answers are there,
// every call follows from them on both nodes.
func TestRacesForOnePlace(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, f *fleet) {
		rng := seeded(t)
		var history []porcupine.Operation
		answers := map[string]int{}
		for n, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE} {
			r := &racers{fleet: f, mode: mode, x: routing.X(fmt.Sprintf("+8617010%06d", n))}
			f.number(r.x, mode)
			for range 40 {
				history = append(history, r.run(r.changes(rng), rng)...)
				history = append(history, r.run(r.calls(), rng)...)
			}
		}
		for _, op := range history {
			in, out := op.Input.(step), op.Output.(result)
			answers[strings.TrimSpace(in.what+" "+out.code)]++
		}
		t.Log(answers)
		for _, needed := range []string{"bind", "bind 1012010", "bind 1011005", "bind 1016002",
			"unbind", "unbind 1012007", "unbind 1016001", "modify 1012007", "unbind X"} {
			require.Positive(t, answers[needed], needed)
		}
		verdict, info := porcupine.CheckOperationsVerbose(onX, history, time.Minute)
		if verdict != porcupine.Ok {
			path := t.ArtifactDir() + "/races.html"
			require.NoError(t, porcupine.VisualizePath(onX, info, path))
			t.Fatalf("no order of the requests explains the answers (%s): see %s, or run with -artifacts", verdict, path)
		}
	})
}

// racers ask for the places of one X.
type racers struct {
	*fleet
	mode routing.Mode
	x    routing.X
	mu   sync.Mutex
	ids  []string // that were given
}

// racing are all numbers that the racers bind.
var racing = []string{anna, bert, carl, dora}

func (r *racers) changes(rng *rand.Rand) (list []step) {
	pick := func() string { return racing[rng.IntN(len(racing))] }
	for range 6 {
		s := step{mode: r.mode, x: r.x, what: "bind", n: bound{a: pick(), allowed: 0}}
		if r.mode == routing.AXE {
			s.n.ext = fmt.Sprintf("000%d", 1+rng.IntN(3))
		}
		if r.mode == routing.AXB {
			for s.n.b = pick(); s.n.b == s.n.a; {
				s.n.b = pick()
			}
		}
		switch k := rng.IntN(10); {
		case len(r.ids) == 0 || k < 4:
		case r.mode == routing.AXB && k < 7:
			s.what, s.n = "modify", bound{id: r.recent(rng), b: pick()}
		case k < 9:
			s.what, s.n = "unbind", bound{id: r.recent(rng)}
		case r.mode == routing.AXB:
			s.what, s.n = "unbind X", bound{}
		}
		list = append(list, s)
	}
	return list
}

// recent is one of the last ids, which may have ended.
func (r *racers) recent(rng *rand.Rand) string {
	return r.ids[max(0, len(r.ids)-1-rng.IntN(2))]
}

func (r *racers) calls() (list []step) {
	who := racing
	if r.mode == routing.AXE {
		who = append([]string{"0001", "0002", "0003"}, racing...)
	}
	for _, w := range who {
		list = append(list, step{what: "call", mode: r.mode, x: r.x, among: w}, step{what: "call", mode: r.mode, x: r.x, among: w})
	}
	return list
}

// run does all at once, on both nodes in turn.
func (r *racers) run(list []step, rng *rand.Rand) []porcupine.Operation {
	ops := make([]porcupine.Operation, len(list))
	first := rng.IntN(len(r.peers))
	var all sync.WaitGroup
	for i, s := range list {
		all.Go(func() {
			ops[i] = porcupine.Operation{ClientId: i, Input: s, Call: int64(r.tick())}
			out := r.do(r.peers[(first+i)%len(r.peers)], s)
			ops[i].Return, ops[i].Output = int64(r.tick()), out
		})
	}
	all.Wait()
	return ops
}

func (r *racers) do(p peer, s step) (out result) {
	var b routing.Binding
	var err error
	switch s.what + " " + string(r.mode) {
	case "bind AX":
		b, err = p.office.BindAX(r.ctx, "AX", provision.BindAX{OrigNum: s.n.a, PrivateNum: string(r.x)})
	case "bind AXB":
		b, err = p.office.BindAXB(r.ctx, "AXB", provision.BindAXB{CallerNum: s.n.a, CalleeNum: s.n.b, RelationNum: string(r.x)})
	case "bind AXE":
		b, err = p.office.BindAXE(r.ctx, "AXE", provision.BindAXE{BindNum: s.n.a, VirtualNum: string(r.x), ExtendNum: s.n.ext})
	case "unbind AX":
		err = p.office.UnbindAX(r.ctx, "AX", provision.AX{SubscriptionID: s.n.id})
	case "unbind AXB":
		err = p.office.UnbindAXB(r.ctx, "AXB", s.n.id, "")
	case "unbind AXE":
		err = p.office.UnbindAXE(r.ctx, "AXE", provision.AXE{SubscriptionID: s.n.id})
	case "modify AXB":
		_, err = p.office.ModifyAXB(r.ctx, "AXB", provision.ModifyAXB{SubscriptionID: s.n.id, CalleeNum: &s.n.b})
	case "unbind X AXB":
		err = p.office.UnbindAXB(r.ctx, "AXB", "", string(r.x))
	default:
		return r.call(p, s)
	}
	if err != nil {
		if out.code = provision.Code(err); out.code == "" {
			out.code = err.Error()
		}
		return out
	}
	if s.what == "bind" {
		r.mu.Lock()
		r.ids = append(r.ids, b.ID)
		r.mu.Unlock()
	}
	return result{id: b.ID}
}

func (r *racers) call(p peer, s step) result {
	q := routing.Question{Session: "race", X: r.x, Caller: routing.Number(s.among), At: r.now()}
	var d routing.Decision
	var err error
	if s.mode == routing.AXE && len(s.among) == 4 {
		q.Caller = "+8613900000000"
		d, err = p.router.DecideExtension(r.ctx, q, routing.Extension(s.among))
	} else {
		d, err = p.router.Peek(r.ctx, q)
	}
	switch {
	case err != nil:
		return result{got: err.Error()}
	case d.Step == routing.Collect:
		return result{got: "collect"}
	}
	return result{got: dials(d)}
}

// after is what stands on X after a step, and whether the answer was right.
func after(stands []bound, s step, out result) (right bool, then []bound) {
	others := slices.Clone(stands)
	var own *bound
	if i := slices.IndexFunc(others, func(b bound) bool { return b.id == s.n.id && s.n.id != "" }); i >= 0 {
		b := others[i]
		own, others = &b, slices.Delete(others, i, i+1)
	}
	clash := func(n bound) *bound {
		for i := range others {
			if meet(s.mode, others[i], n) {
				return &others[i]
			}
		}
		return nil
	}
	none := "1012007"
	if s.mode == routing.AX {
		none = "1016001"
	}
	due := ""
	switch s.what {
	case "bind":
		by := clash(s.n)
		switch {
		case by == nil:
			n := s.n
			n.id = out.id
			others = append(others, n)
		case s.mode != routing.AX:
			due = "1012010"
		case by.a == s.n.a:
			due = "1016002"
		default:
			due = "1011005"
		}
	case "unbind":
		if own == nil {
			due = none
		}
	case "modify":
		switch {
		case own == nil:
			due = none
		case own.a == s.n.b:
			due = "1010002"
		case clash(bound{a: own.a, b: s.n.b}) != nil:
			due = "1012010"
		default:
			own.b = s.n.b
			others = append(others, *own)
		}
	case "unbind X":
		if len(stands) == 0 {
			due = none
		}
		others = nil
	default:
		return slices.Contains(follows(stands, s), out.got), stands
	}
	if due != "" {
		others = stands
	}
	return due == out.code, others
}

// follows is what a call comes to.
func follows(stands []bound, s step) []string {
	var refs []*bound
	for i := range stands {
		if s.mode == routing.AXE && stands[i].ext == s.among {
			return []string{stands[i].a}
		}
		refs = append(refs, &stands[i])
	}
	if s.mode == routing.AXE && len(s.among) == 4 {
		return []string{"wrong_extension"}
	}
	return due(s.mode, refs, s.among, time.Time{})
}

// onX is one X after the other: its state is what stands.
var onX = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[routing.X][]porcupine.Operation{}
		for _, op := range history {
			x := op.Input.(step).x
			parts[x] = append(parts[x], op)
		}
		var all [][]porcupine.Operation
		for _, p := range parts {
			all = append(all, p)
		}
		return all
	},
	Init: func() any { return []bound(nil) },
	Step: func(state, in, out any) (bool, any) {
		right, then := after(state.([]bound), in.(step), out.(result))
		return right, then
	},
	Equal: func(a, b any) bool {
		x, y := a.([]bound), b.([]bound)
		return len(x) == len(y) && !slices.ContainsFunc(x, func(b bound) bool { return !slices.Contains(y, b) })
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
	DescribeState:     func(s any) string { return list(s.([]bound)) },
}
