package provision

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// BindAXYB is the request to give an A an X of its own: the AX part of an AXYB
// binding (API appendix A).
type BindAXYB struct {
	OrigNum       string // A
	CallDirection int    // 0 both, 1 only A calls B by Y, 2 only B calls A by X
	Duration      int    // seconds, 60 to 7776000; 0: for ever
	PreVoiceX     string // a prompt file: heard by who calls X
	Area                 // of X; AreaCode is needed
	Options
}

// BindAXYB binds an A to an X that is chosen in the area. Nobody reaches
// anybody by it before BindYB. The answer's relationNumber is the X of the
// result, its subscriptionId Subscription().
//
// Refusals: 1010002, 1011003 A has 5 X, 1012008 no X, 1012012.
func (s *Service) BindAXYB(ctx context.Context, app string, r BindAXYB) (routing.Binding, error) {
	a, err := s.changer(ctx, app, routing.AXYB)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.onceBinding(ctx, &a, opBind, r, func(ctx context.Context) (routing.Binding, error) { return s.bindAXYB(ctx, &a, r) })
}

func (s *Service) bindAXYB(ctx context.Context, a *ledger.App, r BindAXYB) (routing.Binding, error) {
	c := s.check(ctx, a)
	b := routing.Binding{A: c.bindable("origNum", r.OrigNum)}
	if r.AreaCode == "" {
		c.wrong("areaCode", "it is missing")
	}
	b.Allowed = c.direction(r.CallDirection)
	b.Sent.Lasts = c.lasts("duration", r.Duration)
	b.CalleeTone = c.prompt("preVoiceX", r.PreVoiceX)
	c.area(&r.Area)
	c.options(&r.Options, &b)
	if c.err != nil {
		return routing.Binding{}, c.err
	}
	b.Until = until(s.now(), seconds(r.Duration))
	return s.orSwept(ctx, func() (routing.Binding, error) { return s.bind(ctx, a, b, "", r.Area) })
}

// lasts reads a lifetime in seconds that is not shorter than a minute; 0: it
// has no end of its own.
func (c *check) lasts(field string, n int) int {
	if n != 0 {
		c.between(field, n, 60, mostDuration)
	}
	return n
}

// BindYB is the request to bind a peer to the AX part of an AXYB binding, with
// a Y by which A calls it (API appendix A).
type BindYB struct {
	SubscriptionID string // of the AX part
	OrigNum        string // B
	Duration       int    // ybDuration: seconds, 60 to 7776000; 0: it ends with the AX part, as it does at the latest
	PreVoiceY      string // a prompt file: heard by A who calls Y
	Area                  // of Y; without AreaCode near X
}

// BindYB binds a B to an AX part of the app, with a Y that is chosen. The
// answer's relationNumber is the Y of the result; its subscriptionId is that of
// the AX part again, Subscription(): clients name a relation by it and yNum or
// bNum. ID is the bindId of queries.
//
// Refusals: 1010002, 1012007 no such binding, 1012008 no Y, 1012009 X has as
// many relations as fit, 1012010 B is on X already, 1012102.
func (s *Service) BindYB(ctx context.Context, app string, r BindYB) (routing.Binding, error) {
	a, err := s.changer(ctx, app, routing.AXYB)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.onceBinding(ctx, &a, opBind, r, func(ctx context.Context) (routing.Binding, error) { return s.bindYB(ctx, &a, r) })
}

func (s *Service) bindYB(ctx context.Context, a *ledger.App, r BindYB) (routing.Binding, error) {
	c := s.check(ctx, a)
	if r.SubscriptionID == "" {
		c.wrong("subscriptionId", "it is missing")
	}
	yb := routing.Binding{App: a.Key, Mode: routing.AXYB, B: c.bindable("origNum", r.OrigNum)}
	yb.Sent.Lasts = c.lasts("ybDuration", r.Duration)
	yb.CallerTone = c.prompt("preVoiceY", r.PreVoiceY)
	c.area(&r.Area)
	if c.err != nil {
		return yb, c.err
	}
	part, err := s.part(ctx, a.Key, r.SubscriptionID)
	if err != nil {
		return yb, err
	}
	if c.different("origNum", yb.B, part.A, "that of the AX part"); c.err != nil {
		return yb, c.err
	}
	yb.Of, yb.X, yb.A, yb.CreatedAt = part.ID, part.X, part.A, s.now()
	yb.Until = until(yb.CreatedAt, seconds(r.Duration))
	if r.AreaCode == "" && part.AreaCode != "" {
		r.Area = Area{AreaCode: part.AreaCode, AreaMatchMode: "1"}
	}
	by, err := s.ledger.Bound(ctx, part.X, yb.B, "", yb.CreatedAt)
	if err != nil {
		return yb, failed("find B on X", err)
	}
	if by != nil { // before a Y is looked for: that there is none either does not matter
		return s.onX(ctx, &yb, by)
	}
	return s.orSwept(ctx, func() (routing.Binding, error) { return s.bindAnyY(ctx, yb, r.Area) })
}

// onX is the answer where B is on X already: the relation, if an earlier request
// for it could not be acknowledged.
func (s *Service) onX(ctx context.Context, yb, by *routing.Binding) (routing.Binding, error) {
	if s.news.owes(by.ID) && by.Of == yb.Of && by.B == yb.B {
		return *by, s.refreshXY(ctx, by.ID, false)
	}
	return *yb, resultBound.refuse("origNum", "%s is bound to %s already", yb.B.Masked(), by.X)
}

// part reads the AX part of the app that a request names.
func (s *Service) part(ctx context.Context, app, id string) (routing.Binding, error) {
	part, err := s.binding(ctx, app, routing.AXYB, id)
	if err == nil && part.Of != "" {
		err = resultNoRecord.refuse("subscriptionId", "it is that of a relation, not of an AX part")
	}
	return part, err
}

// bindAnyY binds with a Y that is chosen, as bindAny does with an X.
func (s *Service) bindAnyY(ctx context.Context, yb routing.Binding, wanted Area) (routing.Binding, error) {
	const tries, atOnce, longest = 50, 3, 20 * time.Millisecond
	for try := range tries {
		if try >= atOnce {
			if err := pause(ctx, rand.N(longest)); err != nil {
				return yb, failed("choose a Y", err)
			}
		}
		bound, again, err := s.bindChosenY(ctx, yb, wanted)
		if !again {
			return bound, err
		}
	}
	return yb, failed("choose a Y", errors.New("others were faster each time"))
}

// bindChosenY is one try. again: the Y that was chosen is another one's now.
func (s *Service) bindChosenY(ctx context.Context, yb routing.Binding, wanted Area) (bound routing.Binding, again bool, err error) {
	w := wordsOf[routing.AXYB]
	yb.Y, err = s.choose(ctx, wanted, &yb)
	if errors.Is(err, ledger.ErrFull) {
		return yb, false, w.noX.refuse("", "no number of the app that A does not know has room")
	}
	if err != nil {
		return yb, false, failed("choose a Y", err)
	}
	for _, n := range []routing.X{yb.X, yb.Y} {
		if err := s.sweepXY(ctx, n, yb.CreatedAt); err != nil {
			return yb, false, err
		}
	}
	bound, numbers, err := s.ledger.BindYB(ctx, yb)
	var taken *ledger.TakenError
	switch {
	case errors.Is(err, ledger.ErrNoY):
		return yb, true, nil
	case errors.As(err, &taken):
		bound, err = s.onX(ctx, &yb, &taken.By)
		return bound, false, err
	case err != nil:
		return yb, false, w.binding("store the relation", err)
	}
	return bound, false, s.settleAll(ctx, bound.ID, numbers, func(ctx context.Context) error {
		for _, n := range numbers {
			if err := s.cache.PutBinding(ctx, n, bound); err != nil {
				return err
			}
		}
		return nil
	})
}

// AXYB names an AXYB binding, or one relation of it (API appendix A).
type AXYB struct {
	SubscriptionID string
	YNum           string // the relation with this Y; wins
	BNum           string // the relation with this B
}

// UnbindAXYB ends an AXYB binding with all its relations, or the one relation
// that is named. From the moment it returns no call is put through by what
// ended, on either number. Refusals: 1010002, 1012007 there is none.
func (s *Service) UnbindAXYB(ctx context.Context, app string, which AXYB) error {
	a, err := s.changer(ctx, app, routing.AXYB)
	if err != nil {
		return err
	}
	return s.onceEnd(ctx, &a, which, func(ctx context.Context) error { return s.unbindAXYB(ctx, &a, which) })
}

func (s *Service) unbindAXYB(ctx context.Context, a *ledger.App, which AXYB) error {
	if which.SubscriptionID == "" {
		return resultInvalid.refuse("subscriptionId", "it is missing")
	}
	w := wordsOf[routing.AXYB]
	var y routing.X
	if which.YNum != "" {
		w.field = "yNum"
		var err error
		if y, err = s.x(&w, w.badX, which.YNum); err != nil {
			return err
		}
	}
	key := which.SubscriptionID + " " + which.YNum + " " + which.BNum
	ended, err := s.ledger.UnbindAXYB(ctx, a.Key, which.SubscriptionID, y, routing.Number(which.BNum), s.now())
	if errors.Is(err, ledger.ErrNoBinding) {
		return s.goneXY(ctx, a.Key, key, which.SubscriptionID, w.binding("end the binding", err))
	}
	if err != nil {
		return w.binding("end the binding", err)
	}
	err = s.settleAll(ctx, key, ended.Numbers, func(ctx context.Context) error { return s.dropXY(ctx, &ended) })
	if err != nil {
		s.news.owe(which.SubscriptionID)
	}
	return err
}
