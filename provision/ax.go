package provision

import (
	"context"

	"axgate/ledger"
	"axgate/routing"
)

// BindAX is the request to bind an A to an X (API 4.1).
type BindAX struct {
	OrigNum          string // A
	PrivateNum       string // X; or else AreaCode
	PrivateNumType   string // "mobile-virtual" or empty
	CalleeNumDisplay string // "0" or empty
	CallDirection    int    // 0 both, 1 only A calls X, 2 only others
	DirectionSent    bool   // CallDirection was sent though it is 0: queries show it then
	TurnFlag         string // "on" (default) or "off"
	Area
	Options
	Voice
}

// BindAX binds an A to an X of the app.
//
// Refusals: 1010002, 1011001 X unknown, 1011002 no X, 1011003 A has 5 X,
// 1011005 X taken, 1016002 this A has this X, 1012012, 1012102.
func (s *Service) BindAX(ctx context.Context, app string, r BindAX) (routing.Binding, error) {
	a, err := s.changer(ctx, app, routing.AX)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.onceBinding(ctx, &a, opBind, r, func(ctx context.Context) (routing.Binding, error) { return s.bindAX(ctx, &a, r) })
}

func (s *Service) bindAX(ctx context.Context, a *ledger.App, r BindAX) (routing.Binding, error) {
	c := s.check(ctx, a)
	b := c.bindingAX(&r)
	if c.err != nil {
		return routing.Binding{}, c.err
	}
	return s.bind(ctx, a, b, r.PrivateNum, r.Area)
}

// bindingAX checks a request and gives what it binds.
func (c *check) bindingAX(r *BindAX) routing.Binding {
	b := routing.Binding{A: c.bindable("origNum", r.OrigNum)}
	if r.PrivateNum == "" && r.AreaCode == "" {
		c.wrong("privateNum", "it is missing, and areaCode too")
	}
	c.oneOf("privateNumType", r.PrivateNumType, "mobile-virtual")
	b.Sent.NumberType = r.PrivateNumType
	c.shownX("calleeNumDisplay", r.CalleeNumDisplay)
	b.Allowed = c.direction(r.CallDirection)
	b.Sent.Direction = r.DirectionSent || r.CallDirection != 0
	b.Off = c.oneOf("turnFlag", r.TurnFlag, "on", "off") == "off"
	c.area(&r.Area)
	c.voice(&r.Voice, &b)
	c.options(&r.Options, &b)
	return b
}

// AX names an AX binding: by its id, which wins, or by X and perhaps A.
type AX struct {
	SubscriptionID string
	OrigNum        string // A
	PrivateNum     string // X
}

// ModifyAX changes an AX binding (API 4.3); nil leaves as it is.
type ModifyAX struct {
	AX
	CallDirection  *int
	TurnFlag       string // "on" or "off"; empty leaves as it is
	PreVoice       PreVoiceChange
	MaxDuration    *int    // minutes
	LastMinVoice   *string // empty: none any more
	PrivateSMS     *bool
	RecordFlag     *bool
	RecordHintTone *string // empty: none any more
}

// ModifyAX changes a binding from the next call on. Refusals: 1010002,
// 1016001, 1012012.
func (s *Service) ModifyAX(ctx context.Context, app string, r ModifyAX) (routing.Binding, error) {
	a, err := s.changer(ctx, app, routing.AX)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.onceBinding(ctx, &a, opModify, r, func(ctx context.Context) (routing.Binding, error) { return s.modifyAX(ctx, &a, r) })
}

func (s *Service) modifyAX(ctx context.Context, a *ledger.App, r ModifyAX) (routing.Binding, error) {
	c := s.check(ctx, a)
	c.changesAX(&r)
	if c.err != nil {
		return routing.Binding{}, c.err
	}
	id, err := s.findAX(ctx, a.Key, r.AX, resultInvalid, resultAXNoRecord)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.modify(ctx, a, id, func(b *routing.Binding) error {
		if r.CallDirection != nil {
			b.Allowed, b.Sent.Direction = routing.Allowed(*r.CallDirection), true
		}
		if r.TurnFlag != "" {
			b.Off = r.TurnFlag == "off"
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

// changesAX checks what is to be changed.
func (c *check) changesAX(r *ModifyAX) {
	if r.CallDirection != nil {
		c.direction(*r.CallDirection)
	}
	c.oneOf("turnFlag", r.TurnFlag, "on", "off")
	c.preVoice(&r.PreVoice)
	if r.MaxDuration != nil {
		c.between("maxDuration", *r.MaxDuration, 0, mostMinutes)
	}
	c.newPrompt("lastMinVoice", r.LastMinVoice)
	c.record(r.RecordFlag != nil && *r.RecordFlag)
	c.newPrompt("recordHintTone", r.RecordHintTone)
}

// UnbindAX ends an AX binding (API 4.2). Refusals: 1011004 for an X or A
// without binding or nothing named, 1016001 for an unknown id.
func (s *Service) UnbindAX(ctx context.Context, app string, which AX) error {
	a, err := s.changer(ctx, app, routing.AX)
	if err != nil {
		return err
	}
	return s.onceEnd(ctx, &a, which, func(ctx context.Context) error {
		id, err := s.findAX(ctx, app, which, resultAXNotBound, resultAXNotBound)
		if err != nil {
			return s.repeated(ctx, which.PrivateNum, err)
		}
		return s.unbind(ctx, &a, id)
	})
}

// findAX is the id of a binding that is named; nothing is refused if nothing
// is named, none if it does not stand.
func (s *Service) findAX(ctx context.Context, app string, which AX, nothing, none result) (string, error) {
	if which.SubscriptionID != "" {
		return which.SubscriptionID, nil
	}
	if which.PrivateNum == "" {
		return "", nothing.refuse("subscriptionId", "it is missing, and privateNum too")
	}
	w := wordsOf[routing.AX]
	x, err := s.x(&w, none, which.PrivateNum)
	if err != nil {
		return "", err
	}
	b, err := s.ledger.Bound(ctx, x, "", "", s.now())
	if err != nil {
		return "", failed("find the binding", err)
	}
	if b == nil || b.App != app || which.OrigNum != "" && routing.Number(which.OrigNum) != b.A {
		return "", none.refuse("privateNum", "the app has no such binding of it")
	}
	return b.ID, nil
}

// QueryAX lists AX bindings of the app (API 4.4): by id, else by A, else by X.
// Refusals: 1010002, 1016001 if there is none.
func (s *Service) QueryAX(ctx context.Context, app string, which AX) ([]routing.Binding, error) {
	if _, err := s.app(ctx, app, routing.AX); err != nil {
		return nil, err
	}
	if which.SubscriptionID == "" && which.OrigNum != "" {
		list, err := s.ledger.BindingsOfA(ctx, app, routing.Number(which.OrigNum))
		if err != nil {
			return nil, failed("list the X of A", err)
		}
		if len(list) == 0 {
			return nil, resultAXNoRecord.refuse("origNum", "the app has no binding of it")
		}
		return list, nil
	}
	id, err := s.findAX(ctx, app, AX{SubscriptionID: which.SubscriptionID, PrivateNum: which.PrivateNum}, resultInvalid, resultAXNoRecord)
	if err != nil {
		return nil, err
	}
	b, err := s.binding(ctx, app, routing.AX, id)
	return []routing.Binding{b}, err
}
