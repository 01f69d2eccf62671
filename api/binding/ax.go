package binding

import (
	"context"

	"axgate/api/answer"
	"axgate/provision"
	"axgate/routing"
)

type axBound struct {
	answer.Result
	OrigNum        string `json:"origNum"`
	PrivateNum     string `json:"privateNum"`
	SubscriptionID string `json:"subscriptionId"`
}

// bindAX is API 4.1.
func (h *Handler) bindAX(ctx context.Context, app string, p *params) (any, error) {
	r := provision.BindAX{
		OrigNum: p.text("origNum"), PrivateNum: p.text("privateNum"), PrivateNumType: p.text("privateNumType"),
		CalleeNumDisplay: p.text("calleeNumDisplay"), TurnFlag: p.text("turnFlag"),
		CallDirection: p.integer("callDirection"), DirectionSent: p.has("callDirection"),
		Area: p.area(), Options: p.options(), Voice: p.voice(),
	}
	if p.err != nil {
		return nil, p.err
	}
	b, err := h.cfg.Provision.BindAX(ctx, app, r)
	if err != nil {
		return nil, err
	}
	return axBound{answer.Success, string(b.A), string(b.X), b.ID}, nil
}

func (p *params) ax() provision.AX {
	return provision.AX{SubscriptionID: p.id(), OrigNum: p.text("origNum"), PrivateNum: p.text("privateNum")}
}

// unbindAX is API 4.2.
func (h *Handler) unbindAX(ctx context.Context, app string, p *params) (any, error) {
	which := p.ax()
	if p.err != nil {
		return nil, p.err
	}
	return answer.Success, h.cfg.Provision.UnbindAX(ctx, app, which)
}

// modifyAX is API 4.3.
func (h *Handler) modifyAX(ctx context.Context, app string, p *params) (any, error) {
	r := provision.ModifyAX{
		AX: p.ax(), CallDirection: p.maybeInteger("callDirection"), TurnFlag: p.text("turnFlag"), PreVoice: p.preVoice(),
		MaxDuration: p.maybeInteger("maxDuration"), LastMinVoice: p.maybe("lastMinVoice"), PrivateSMS: p.flag("privateSms"),
		RecordFlag: p.flag("recordFlag"), RecordHintTone: p.maybe("recordHintTone"),
	}
	if p.err != nil {
		return nil, p.err
	}
	_, err := h.cfg.Provision.ModifyAX(ctx, app, r)
	return answer.Success, err
}

type axList struct {
	answer.Result
	List []axInfo `json:"privateNumList"`
}

// axInfo is a privateNumInfo. What was never set is left out.
type axInfo struct {
	OrigNum          string           `json:"origNum"`
	PrivateNum       string           `json:"privateNum"`
	SubscriptionID   string           `json:"subscriptionId"`
	PrivateNumType   string           `json:"privateNumType,omitempty"`
	RecordFlag       flag             `json:"recordFlag"`
	RecordHintTone   string           `json:"recordHintTone,omitempty"`
	CalleeNumDisplay string           `json:"calleeNumDisplay"`
	PrivateSMS       flag             `json:"privateSms"`
	CallDirection    *routing.Allowed `json:"callDirection,omitempty"`
	TurnFlag         string           `json:"turnFlag"`
	PreVoice         *playInfo        `json:"preVoice,omitempty"`
	MaxDuration      int              `json:"maxDuration,omitempty"`
	LastMinVoice     string           `json:"lastMinVoice,omitempty"`
	UserData         string           `json:"userData,omitempty"`
}

// queryAX is API 4.4.
func (h *Handler) queryAX(ctx context.Context, app string, p *params) (any, error) {
	which := p.ax()
	if p.err != nil {
		return nil, p.err
	}
	bindings, err := h.cfg.Provision.QueryAX(ctx, app, which)
	if err != nil {
		return nil, err
	}
	out := axList{Result: answer.Success}
	for i := range bindings {
		out.List = append(out.List, newAXInfo(&bindings[i]))
	}
	return out, nil
}

func newAXInfo(b *routing.Binding) axInfo {
	i := axInfo{
		OrigNum: string(b.A), PrivateNum: string(b.X), SubscriptionID: b.ID, PrivateNumType: b.Sent.NumberType,
		RecordFlag: flag(b.Record), RecordHintTone: b.RecordHint, CalleeNumDisplay: "0", PrivateSMS: flag(!b.NoSMS), TurnFlag: "on",
		PreVoice: newPlayInfo(b), MaxDuration: b.MaxMinutes, LastMinVoice: b.LastMinute, UserData: b.UserData,
	}
	if b.Off {
		i.TurnFlag = "off"
	}
	if b.Sent.Direction {
		i.CallDirection = &b.Allowed
	}
	return i
}

// setTemporary is API 4.5.
func (h *Handler) setTemporary(ctx context.Context, app string, p *params) (any, error) {
	r := provision.TemporaryCallee{AX: p.ax(), CalleeNum: p.text("calleeNum"), Duration: p.maybeInteger("duration"), UserData: p.text("userData")}
	if p.err != nil {
		return nil, p.err
	}
	_, err := h.cfg.Provision.SetTemporary(ctx, app, r)
	return answer.Success, err
}
