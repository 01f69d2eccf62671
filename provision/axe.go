package provision

import (
	"context"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// BindAXE is the request to bind an A to an extension of an X (API 5.1).
type BindAXE struct {
	BindNum             string // A
	VirtualNum          string // X; or else AreaCode
	ExtendNum           string // of the app's length; empty: one is given
	DisplayNumMode      string // "0" or empty
	CallbackTone        string // heard by A who calls X with nobody to call back; not with CallbackNum
	CallbackNum         string // called then
	TimeUnit            string // of both times: "0" hours (default), "1" minutes
	BindExpiredTime     int    // at most 30 days; 0: for ever
	CallbackExpiredTime int    // at most BindExpiredTime; 0: as long as the binding
	Area
	Options
}

// BindAXE binds an A to an extension of an X of the app.
//
// Refusals: 1010002, 1012001 X is not the app's, 1012008 no X, 1012009 all
// extensions are used, 1012010 A or the extension is on X already, 1012012,
// 1012102.
func (s *Service) BindAXE(ctx context.Context, app string, r BindAXE) (routing.Binding, error) {
	a, err := s.changer(ctx, app, routing.AXE)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.onceBinding(ctx, &a, opBind, r, func(ctx context.Context) (routing.Binding, error) { return s.bindAXE(ctx, &a, r) })
}

func (s *Service) bindAXE(ctx context.Context, a *ledger.App, r BindAXE) (routing.Binding, error) {
	c := s.check(ctx, a)
	b := c.bindingAXE(&r)
	if c.err != nil {
		return routing.Binding{}, c.err
	}
	return s.bind(ctx, a, b, r.VirtualNum, r.Area)
}

// bindingAXE checks a request and gives what it binds.
func (c *check) bindingAXE(r *BindAXE) routing.Binding {
	b := routing.Binding{A: c.bindable("bindNum", r.BindNum)}
	if r.VirtualNum == "" && r.AreaCode == "" {
		c.wrong("virtualNum", "it is missing, and areaCode too")
	}
	b.Ext = c.extension("extendNum", r.ExtendNum)
	c.shownX("displayNumMode", r.DisplayNumMode)
	b.NoCallback = c.prompt("callbackTone", r.CallbackTone)
	b.CallbackNum = c.callbackNum(r.CallbackNum)
	c.different("callbackNum", b.CallbackNum, b.A, "bindNum")
	if r.CallbackTone != "" && r.CallbackNum != "" {
		c.wrong("callbackTone", "it and callbackNum exclude each other")
	}
	unit := c.oneOf("timeUnit", r.TimeUnit, "0", "1")
	lasts := c.lifetime("bindExpiredTime", unit, r.BindExpiredTime)
	b.CallbackFor = c.lifetime("callbackExpiredTime", unit, r.CallbackExpiredTime)
	c.within(b.CallbackFor, lasts)
	c.area(&r.Area)
	c.options(&r.Options, &b)
	b.Until = until(c.s.now(), lasts)
	b.Sent.TimeUnit, b.Sent.Lasts, b.Sent.CallbackTime = unit, r.BindExpiredTime, r.CallbackExpiredTime
	return b
}

func (c *check) callbackNum(text string) routing.Number {
	if text == "" {
		return ""
	}
	return c.bindable("callbackNum", text)
}

// within refuses callback records that outlive their binding.
func (c *check) within(record, binding time.Duration) {
	if binding > 0 && record > binding {
		c.wrong("bindExpiredTime", "it is less than callbackExpiredTime")
	}
}

// AXE names an AXE binding: by its id, which wins, or by X and extension.
type AXE struct {
	SubscriptionID string
	VirtualNum     string
	ExtendNum      string
}

// ModifyAXE changes an AXE binding (API 5.3); nil leaves as it is.
type ModifyAXE struct {
	AXE
	TimeUnit            string  // of both times: "0" hours (default), "1" minutes
	BindExpiredTime     *int    // counted from the bind; 0: for ever
	CallbackExpiredTime *int    // for records of later calls
	CallbackTone        *string // empty: none any more
	CallbackNum         *string // empty: none any more
	RecordFlag          *bool
	RecordHintTone      *string // empty: none any more
}

// ModifyAXE changes a binding from the next call on. A lifetime that is over
// already is refused: unbind ends a binding. Refusals: 1010002, 1012001 X is
// not the app's, 1012007 no such binding, 1012012.
func (s *Service) ModifyAXE(ctx context.Context, app string, r ModifyAXE) (routing.Binding, error) {
	a, err := s.changer(ctx, app, routing.AXE)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.onceBinding(ctx, &a, opModify, r, func(ctx context.Context) (routing.Binding, error) { return s.modifyAXE(ctx, &a, r) })
}

func (s *Service) modifyAXE(ctx context.Context, a *ledger.App, r ModifyAXE) (routing.Binding, error) {
	c := s.check(ctx, a)
	unit := c.oneOf("timeUnit", r.TimeUnit, "0", "1")
	var lasts, record time.Duration
	if r.BindExpiredTime != nil {
		lasts = c.lifetime("bindExpiredTime", unit, *r.BindExpiredTime)
	}
	if r.CallbackExpiredTime != nil {
		record = c.lifetime("callbackExpiredTime", unit, *r.CallbackExpiredTime)
	}
	var callback routing.Number
	if r.CallbackNum != nil {
		callback = c.callbackNum(*r.CallbackNum)
	}
	c.newPrompt("callbackTone", r.CallbackTone)
	if callback != "" && r.CallbackTone != nil && *r.CallbackTone != "" {
		c.wrong("callbackTone", "it and callbackNum exclude each other")
	}
	c.record(r.RecordFlag != nil && *r.RecordFlag)
	c.newPrompt("recordHintTone", r.RecordHintTone)
	if c.err != nil {
		return routing.Binding{}, c.err
	}
	id, err := s.findAXE(ctx, a.Key, r.AXE)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.modify(ctx, a, id, func(b *routing.Binding) error {
		c := s.check(ctx, a)
		if r.BindExpiredTime != nil {
			b.Until = until(b.CreatedAt, lasts)
		}
		if r.CallbackExpiredTime != nil {
			b.CallbackFor = record
		}
		r.calledBack(callback, b)
		set(&b.Record, r.RecordFlag)
		set(&b.RecordHint, r.RecordHintTone)
		r.sent(unit, &b.Sent)
		c.standsAXE(b, s.now())
		return c.err
	})
}

// calledBack changes what A hears or reaches who calls X with nobody to call
// back: of callbackNum and callbackTone a binding has one, the one named last.
func (r *ModifyAXE) calledBack(callback routing.Number, b *routing.Binding) {
	if r.CallbackNum != nil {
		b.CallbackNum = callback
	}
	set(&b.NoCallback, r.CallbackTone)
	switch {
	case b.NoCallback == "" || b.CallbackNum == "":
	case callback != "":
		b.NoCallback = ""
	default:
		b.CallbackNum = ""
	}
}

// sent keeps the times that were sent, unless the bind came with some: queries
// go on showing those (API 5.4).
func (r *ModifyAXE) sent(unit string, to *routing.Sent) {
	if to.Lasts != 0 || to.CallbackTime != 0 || r.BindExpiredTime == nil && r.CallbackExpiredTime == nil {
		return
	}
	to.TimeUnit = unit
	set(&to.Lasts, r.BindExpiredTime)
	set(&to.CallbackTime, r.CallbackExpiredTime)
}

// standsAXE judges what a modification makes of a binding.
func (c *check) standsAXE(b *routing.Binding, now time.Time) {
	if b.Ended(now) {
		c.wrong("bindExpiredTime", "counted from the bind, this time is over already")
	}
	if !b.Until.IsZero() {
		c.within(b.CallbackFor, b.Until.Sub(b.CreatedAt))
	}
	c.different("callbackNum", b.CallbackNum, b.A, "bindNum")
}

// UnbindAXE ends an AXE binding (API 5.2). Refusals: 1010002, 1012001 X is not
// the app's, 1012007 no such binding.
func (s *Service) UnbindAXE(ctx context.Context, app string, which AXE) error {
	a, err := s.changer(ctx, app, routing.AXE)
	if err != nil {
		return err
	}
	return s.onceEnd(ctx, &a, which, func(ctx context.Context) error {
		id, err := s.findAXE(ctx, app, which)
		if err != nil {
			return s.repeated(ctx, which.VirtualNum, err)
		}
		return s.unbind(ctx, &a, id)
	})
}

// findAXE is the id of a binding that is named.
func (s *Service) findAXE(ctx context.Context, app string, which AXE) (string, error) {
	if which.SubscriptionID != "" {
		return which.SubscriptionID, nil
	}
	if which.VirtualNum == "" || which.ExtendNum == "" {
		return "", resultInvalid.refuse("subscriptionId", "it is missing, and virtualNum or extendNum too")
	}
	x, err := s.ownX(ctx, routing.AXE, app, which.VirtualNum)
	if err != nil {
		return "", err
	}
	b, err := s.ledger.Bound(ctx, x, "", routing.Extension(which.ExtendNum), s.now())
	if err != nil {
		return "", failed("find the binding", err)
	}
	if b == nil || b.App != app {
		return "", resultNoRecord.refuse("extendNum", "the app has no such binding of X")
	}
	return b.ID, nil
}
