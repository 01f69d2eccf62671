package provision

import (
	"context"
	"errors"
	"strings"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// BindAXB is the request to bind a pair to an X (API 3.1).
type BindAXB struct {
	CallerNum     string // A
	CalleeNum     string // B
	RelationNum   string // X; or else one of AreaCode, or any of the app
	CallDirection int    // 0 both, 1 only A calls, 2 only B
	Duration      int    // seconds, 0 to 7776000; 0: for ever
	Area
	Options
	Voice
}

// BindAXB binds a pair to an X of the app.
//
// Refusals: 1010002, 1012007 X unknown, 1012008 no X or X full, 1012010 A or B
// is on X already, 1012012, 1012102.
func (s *Service) BindAXB(ctx context.Context, app string, r BindAXB) (routing.Binding, error) {
	a, err := s.changer(ctx, app, routing.AXB)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.onceBinding(ctx, &a, opBind, r, func(ctx context.Context) (routing.Binding, error) { return s.bindAXB(ctx, &a, r) })
}

func (s *Service) bindAXB(ctx context.Context, a *ledger.App, r BindAXB) (routing.Binding, error) {
	c := s.check(ctx, a)
	b := c.bindingAXB(&r)
	if c.err != nil {
		return routing.Binding{}, c.err
	}
	return s.bind(ctx, a, b, r.RelationNum, r.Area)
}

// bindingAXB checks a request and gives what it binds.
func (c *check) bindingAXB(r *BindAXB) routing.Binding {
	b := routing.Binding{A: c.bindable("callerNum", r.CallerNum), B: c.bindable("calleeNum", r.CalleeNum)}
	c.different("calleeNum", b.B, b.A, "callerNum")
	b.Allowed = c.direction(r.CallDirection)
	c.between("duration", r.Duration, 0, mostDuration)
	c.area(&r.Area)
	c.voice(&r.Voice, &b)
	c.options(&r.Options, &b)
	b.Until, b.Sent.Lasts = until(c.s.now(), seconds(r.Duration)), r.Duration
	return b
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// ModifyAXB changes an AXB binding (API 3.3); nil leaves as it is.
type ModifyAXB struct {
	SubscriptionID string
	CallerNum      *string // another A
	CalleeNum      *string // another B
	CallDirection  *int
	Duration       *int // seconds from this request on; 0: for ever
	PreVoice       PreVoiceChange
	MaxDuration    *int    // minutes
	LastMinVoice   *string // empty: none any more
	PrivateSMS     *bool
	RecordFlag     *bool
	RecordHintTone *string // empty: none any more
}

// ModifyAXB changes a pair from the next call on. Refusals: 1010002, 1012007
// no such binding, 1012010 the new A or B is on X already, 1012012.
func (s *Service) ModifyAXB(ctx context.Context, app string, r ModifyAXB) (routing.Binding, error) {
	a, err := s.changer(ctx, app, routing.AXB)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.onceBinding(ctx, &a, opModify, r, func(ctx context.Context) (routing.Binding, error) { return s.modifyAXB(ctx, &a, r) })
}

func (s *Service) modifyAXB(ctx context.Context, a *ledger.App, r ModifyAXB) (routing.Binding, error) {
	c := s.check(ctx, a)
	if r.SubscriptionID == "" {
		c.wrong("subscriptionId", "it is missing")
	}
	to := c.changesAXB(&r)
	if c.err != nil {
		return routing.Binding{}, c.err
	}
	return s.modify(ctx, a, r.SubscriptionID, func(b *routing.Binding) error {
		if to.A != "" {
			b.A = to.A
		}
		if to.B != "" {
			b.B = to.B
		}
		if b.A == b.B {
			return resultInvalid.refuse("calleeNum", "it has to be another number than callerNum")
		}
		if r.CallDirection != nil {
			b.Allowed = routing.Allowed(*r.CallDirection)
		}
		if r.Duration != nil {
			b.Until, b.Sent.Lasts = until(s.now(), seconds(*r.Duration)), *r.Duration
		}
		r.PreVoice.apply(b)
		set(&b.MaxMinutes, r.MaxDuration)
		set(&b.LastMinute, r.LastMinVoice)
		set(&b.Record, r.RecordFlag)
		set(&b.RecordHint, r.RecordHintTone)
		if r.PrivateSMS != nil {
			b.NoSMS = !*r.PrivateSMS
		}
		return nil
	})
}

// changesAXB checks what is to be changed, and gives the numbers.
func (c *check) changesAXB(r *ModifyAXB) (to routing.Binding) {
	if r.CallerNum != nil {
		to.A = c.bindable("callerNum", *r.CallerNum)
	}
	if r.CalleeNum != nil {
		to.B = c.bindable("calleeNum", *r.CalleeNum)
	}
	if r.CallDirection != nil {
		c.direction(*r.CallDirection)
	}
	if r.Duration != nil {
		c.between("duration", *r.Duration, 0, mostDuration)
	}
	c.preVoice(&r.PreVoice)
	if r.MaxDuration != nil {
		c.between("maxDuration", *r.MaxDuration, 0, mostMinutes)
	}
	c.newPrompt("lastMinVoice", r.LastMinVoice)
	c.record(r.RecordFlag != nil && *r.RecordFlag)
	c.newPrompt("recordHintTone", r.RecordHintTone)
	return to
}

// UnbindAXB ends the pair of an id, which wins, or else all pairs of an X
// (API 3.2). Refusals: 1012001 for an X that is not the app's or nothing named,
// 1012007 if there is none.
func (s *Service) UnbindAXB(ctx context.Context, app, subscriptionID, relationNum string) error {
	a, err := s.changer(ctx, app, routing.AXB)
	if err != nil {
		return err
	}
	which := [...]string{subscriptionID, relationNum}
	return s.onceEnd(ctx, &a, which, func(ctx context.Context) error { return s.unbindAXB(ctx, &a, subscriptionID, relationNum) })
}

func (s *Service) unbindAXB(ctx context.Context, a *ledger.App, subscriptionID, relationNum string) error {
	switch {
	case subscriptionID != "":
		return s.unbind(ctx, a, subscriptionID)
	case relationNum == "":
		return resultNotApplied.refuse("subscriptionId", "it is missing, and relationNum too")
	}
	w := wordsOf[routing.AXB]
	x, err := s.x(&w, w.unbindX, relationNum)
	if err != nil {
		return err
	}
	_, n, err := s.ledger.UnbindX(ctx, a.Key, x, s.now())
	switch {
	case errors.Is(err, ledger.ErrNoBinding):
		return s.repeated(ctx, relationNum, w.noRecord.refuse("relationNum", "it has no bindings"))
	case errors.Is(err, ledger.ErrUnknownX), errors.Is(err, ledger.ErrNotYours):
		return w.unbindX.refuse("relationNum", "the app has no such number")
	case err != nil:
		return failed("end the bindings of X", err)
	}
	return s.forget(ctx, n)
}

// QueryAXB is the request for AXB bindings (API 3.4): that of an id, which
// wins, those of an X, or those of an X with an A or B.
type QueryAXB struct {
	SubscriptionID string
	RelationNum    string
	CallerNum      string // with RelationNum
	CalleeNum      string // with RelationNum
	PageIndex      int    // from 1
	PageSize       int    // 10 to 100, else 50
}

// Page is a page of bindings.
type Page struct {
	Bindings  []routing.Binding
	Total     int
	PageIndex int
	PageSize  int
}

// QueryAXB lists pairs of the app, the oldest first. Refusals: 1010002 nothing
// is named, 1012007 there is none.
func (s *Service) QueryAXB(ctx context.Context, app string, r QueryAXB) (Page, error) {
	if _, err := s.app(ctx, app, routing.AXB); err != nil {
		return Page{}, err
	}
	if r.SubscriptionID != "" {
		b, err := s.binding(ctx, app, routing.AXB, r.SubscriptionID)
		return Page{[]routing.Binding{b}, 1, 1, r.size()}, err
	}
	if r.RelationNum == "" {
		return Page{}, resultInvalid.refuse("subscriptionId", "it is missing, and relationNum too")
	}
	x, err := s.ownX(ctx, routing.AXB, app, r.RelationNum)
	if err != nil {
		return Page{}, err
	}
	p := Page{PageIndex: max(1, r.PageIndex), PageSize: r.size()}
	if r.CallerNum != "" || r.CalleeNum != "" {
		p.Bindings, err = s.pairOf(ctx, x, routing.Number(r.CallerNum), routing.Number(r.CalleeNum))
		p.Total = len(p.Bindings)
	} else {
		p.Bindings, p.Total, err = s.page(ctx, x, p.PageIndex, p.PageSize)
	}
	switch {
	case err != nil:
		return Page{}, failed("list the bindings of X", err)
	case len(p.Bindings) == 0:
		return Page{}, resultNoRecord.refuse("relationNum", "it has no such binding")
	}
	return p, nil
}

func (r *QueryAXB) size() int {
	const least, most, usual = 10, 100, 50
	if r.PageSize < least || r.PageSize > most {
		return usual
	}
	return r.PageSize
}

// page bounds the pages that are looked at: X has 5,000 bindings at most.
func (s *Service) page(ctx context.Context, x routing.X, index, size int) ([]routing.Binding, int, error) {
	const most = 10_000
	return s.ledger.PageOfX(ctx, x, s.now(), (min(index, most)-1)*size, size)
}

// pairOf is the pair with A and B, of which one may be left open.
func (s *Service) pairOf(ctx context.Context, x routing.X, a, b routing.Number) ([]routing.Binding, error) {
	who := a
	if who == "" {
		who = b
	}
	found, err := s.ledger.Bound(ctx, x, who, "", s.now())
	if err != nil || found == nil || a != "" && found.A != a || b != "" && found.B != b {
		return nil, err
	}
	return []routing.Binding{*found}, nil
}

// ownX reads an X of the app that a query names.
func (s *Service) ownX(ctx context.Context, mode routing.Mode, app, text string) (routing.X, error) {
	w := wordsOf[mode]
	bad := w.badX
	if strings.HasPrefix(text, " ") { // a + that was not escaped in the URL (API 2.4)
		bad = w.foreignX
	}
	x, err := s.x(&w, bad, text)
	if err != nil {
		return "", err
	}
	n, err := s.ledger.Number(ctx, x)
	if err == nil && n.App != app {
		err = ledger.ErrNotYours
	}
	return x, w.refusal("read X", err)
}
