package provision

import (
	"context"
	"errors"
	"maps"
	"slices"

	"axgate/ledger"
	"axgate/routing"
)

// MostBindings is how many bindings can be made at once: so few that calls,
// which write between, do not wait for them.
const MostBindings = 1000

// BindingLine is a line of a list of bindings.
type BindingLine struct {
	Line      int    // from 1 on
	X, A, B   string // B with AXB alone
	Ext       string // AXE: the extension; empty: one is given
	Direction int    // 0 both, 1 only A calls, 2 only A is called
	Duration  int    // AXB: seconds, AXE: minutes; 0: for ever
	Minutes   int    // AX, AXB: the most of a call; 0: no limit
	Record    bool
	UserData  string
	Wrong     string // what is wrong with the line itself; empty: nothing
}

// LineState is what became of a line.
type LineState string

// The states of lines.
const (
	LineBound  LineState = "bound"
	LineStands LineState = "stands" // such a binding stood already
	LineFailed LineState = "failed"
)

// LineResult is what became of a line of a list of bindings.
type LineResult struct {
	Line           int
	State          LineState
	SubscriptionID string // of the binding
	Code, Reason   string // of a refusal
}

// BindLines binds many for an app of mode AX, AXB or AXE. A line is judged as a
// request of its own would be, and refused alone; one that asks for what stands
// already changes nothing, so that a list can be imported again from any line
// on. The bindings work from the moment it returns; the cache reads their X
// anew. Refusals of all: 1010002, 1010003, those of the app; an error of code
// 1010001 leaves stored what a repetition finds and brings into force.
func (s *Service) BindLines(ctx context.Context, app string, lines []BindingLine) ([]LineResult, error) {
	if len(lines) > MostBindings {
		return nil, Invalid("lines", "%d are more than the %d that are possible at once", len(lines), MostBindings)
	}
	a, err := s.bulkApp(ctx, app)
	if err != nil {
		return nil, err
	}
	xs, err := s.ledger.Among(ctx, s.numbersOf(lines))
	if err != nil {
		return nil, failed("tell real numbers from X", err)
	}
	results, at := make([]LineResult, len(lines)), s.now()
	var list []routing.Binding
	var which []int // line of each
	for i := range lines {
		l := &lines[i]
		results[i] = LineResult{Line: l.Line, State: LineFailed}
		c := s.check(ctx, &a)
		c.xs = xs
		b, err := c.line(l)
		if err != nil {
			results[i].refuse(err)
			continue
		}
		b.App, b.Mode, b.CreatedAt = a.Key, a.Mode, at
		list, which = append(list, b), append(which, i)
	}
	bound, versions, err := s.ledger.BindMany(ctx, list)
	if err != nil {
		return nil, failed("store the bindings", err)
	}
	w := wordsOf[a.Mode]
	again := make(map[routing.X]int64)
	for i := range bound {
		results[which[i]].take(&w, &bound[i], again)
	}
	return results, s.inForceAll(ctx, versions, again)
}

// bulkApp is changer for an app of any mode that has lists of bindings.
func (s *Service) bulkApp(ctx context.Context, key string) (ledger.App, error) {
	a, err := s.ledger.App(ctx, key)
	switch {
	case errors.Is(err, ledger.ErrUnknownApp):
		return a, resultUnknownApp.refuse("app", "there is no app of that key")
	case err != nil:
		return a, failed("read the app", err)
	case a.Mode != routing.AX && a.Mode != routing.AXB && a.Mode != routing.AXE:
		return a, resultWrongMode.refuse("app", "the app is of mode %s: lists are of AX, AXB or AXE bindings", a.Mode)
	}
	return s.changer(ctx, key, a.Mode)
}

// numbersOf are the real numbers of lines, those that can be read.
func (s *Service) numbersOf(lines []BindingLine) (list []routing.Number) {
	for i := range lines {
		for _, text := range []string{lines[i].A, lines[i].B} {
			if n, err := s.plan.ParseNumber(text); err == nil {
				list = append(list, n)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// line checks a line as a request of the app's mode.
func (c *check) line(l *BindingLine) (b routing.Binding, err error) {
	w := wordsOf[c.app.Mode]
	options, voice := Options{RecordFlag: l.Record, UserData: l.UserData}, Voice{MaxDuration: l.Minutes}
	switch {
	case l.Wrong != "":
		c.wrong("", "%s", l.Wrong)
	case l.X == "":
		c.wrong("x", "it is missing")
	case c.app.Mode != routing.AXB && l.B != "":
		c.wrong("b", "only AXB bindings have one")
	case c.app.Mode != routing.AXE && l.Ext != "":
		c.wrong("ext", "only AXE bindings have one")
	case c.app.Mode == routing.AX && l.Duration != 0:
		c.wrong("duration", "AX bindings are for ever")
	case c.app.Mode == routing.AXE && (l.Direction != 0 || l.Minutes != 0):
		c.wrong("", "AXE bindings have neither direction nor maxDuration")
	case c.app.Mode == routing.AX:
		b = c.bindingAX(&BindAX{OrigNum: l.A, PrivateNum: l.X, CallDirection: l.Direction, Options: options, Voice: voice})
	case c.app.Mode == routing.AXB:
		b = c.bindingAXB(&BindAXB{CallerNum: l.A, CalleeNum: l.B, RelationNum: l.X, CallDirection: l.Direction, Duration: l.Duration, Options: options, Voice: voice})
	default:
		const inMinutes = "1"
		b = c.bindingAXE(&BindAXE{BindNum: l.A, VirtualNum: l.X, ExtendNum: l.Ext, TimeUnit: inMinutes, BindExpiredTime: l.Duration, Options: options})
	}
	if c.err != nil {
		return b, c.err
	}
	b.X, err = c.s.x(&w, w.badX, l.X)
	return b, err
}

// take notes what became of a line's binding; again gets the X of one that
// stands, of which the cache may not have heard.
func (r *LineResult) take(w *words, b *ledger.Bound, again map[routing.X]int64) {
	var taken *ledger.TakenError
	switch want := &b.Binding; {
	case b.Refused == nil:
		r.State, r.SubscriptionID = LineBound, want.ID
	case errors.As(b.Refused, &taken) && taken.By.App == want.App && taken.By.X == want.X && taken.By.A == want.A && taken.By.B == want.B &&
		(want.Ext == "" || taken.By.Ext == want.Ext):
		r.State, r.SubscriptionID = LineStands, taken.By.ID
		again[want.X] = taken.By.Version
	default:
		r.refuse(w.refusalOf(want, b.Refused))
	}
}

func (r *LineResult) refuse(err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: resultInternal.code, Detail: err.Error()}
	}
	r.State, r.Code, r.Reason = LineFailed, e.Code, e.Detail
	if e.Field != "" {
		r.Reason = e.Field + ": " + e.Detail
	}
}

// inForceAll brings changes of many X to the cache. Of those on which a binding
// stood already it is told if nobody else has seen to that.
func (s *Service) inForceAll(ctx context.Context, versions, again map[routing.X]int64) error {
	ctx = context.WithoutCancel(ctx) // what is stored is to be in force
	for x := range again {
		if _, ok := versions[x]; ok {
			continue
		}
		owed, err := s.ledger.Owed(ctx, x)
		if err != nil {
			return failed("find whether the cache knows X", err)
		}
		if !owed {
			continue
		}
		if err := s.refresh(ctx, string(x), x); err != nil {
			return err
		}
	}
	if len(versions) == 0 {
		return nil
	}
	if err := s.forgetAll(ctx, slices.Sorted(maps.Keys(versions))); err != nil {
		return failed("the bindings are stored, but not in force everywhere yet: repeat the request", err)
	}
	if err := s.ledger.Settled(ctx, versions); err != nil {
		return failed("note what the cache holds", err)
	}
	return nil
}
