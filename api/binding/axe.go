package binding

import (
	"context"

	"axgate/api/answer"
	"axgate/provision"
)

type axeBound struct {
	answer.Result
	SubscriptionID      string `json:"subscriptionId"`
	VirtualNum          string `json:"virtualNum"`
	ExtendNum           string `json:"extendNum"`
	BindExpiredTime     int    `json:"bindExpiredTime"`
	CallbackExpiredTime int    `json:"callbackExpiredTime"`
	UserData            string `json:"userData,omitempty"`
}

// bindAXE is API 5.1.
func (h *Handler) bindAXE(ctx context.Context, app string, p *params) (any, error) {
	r := provision.BindAXE{
		BindNum: p.text("bindNum"), VirtualNum: p.text("virtualNum"), ExtendNum: p.text("extendNum"), DisplayNumMode: p.text("displayNumMode"),
		CallbackTone: p.text("callbackTone"), CallbackNum: p.text("callbackNum"), TimeUnit: p.text("timeUnit"),
		BindExpiredTime: p.integer("bindExpiredTime"), CallbackExpiredTime: p.integer("callbackExpiredTime"),
		Area: p.area(), Options: p.options(),
	}
	if p.err != nil {
		return nil, p.err
	}
	b, err := h.cfg.Provision.BindAXE(ctx, app, r)
	if err != nil {
		return nil, err
	}
	return axeBound{answer.Success, b.ID, string(b.X), string(b.Ext), b.Sent.Lasts, b.Sent.CallbackTime, b.UserData}, nil
}

func (p *params) axe() provision.AXE {
	return provision.AXE{SubscriptionID: p.id(), VirtualNum: p.text("virtualNum"), ExtendNum: p.text("extendNum")}
}

// unbindAXE is API 5.2.
func (h *Handler) unbindAXE(ctx context.Context, app string, p *params) (any, error) {
	which := p.axe()
	if p.err != nil {
		return nil, p.err
	}
	return answer.Success, h.cfg.Provision.UnbindAXE(ctx, app, which)
}

// modifyAXE is API 5.3.
func (h *Handler) modifyAXE(ctx context.Context, app string, p *params) (any, error) {
	r := provision.ModifyAXE{
		AXE: p.axe(), TimeUnit: p.text("timeUnit"), BindExpiredTime: p.maybeInteger("bindExpiredTime"),
		CallbackExpiredTime: p.maybeInteger("callbackExpiredTime"), CallbackTone: p.maybe("callbackTone"), CallbackNum: p.maybe("callbackNum"),
		RecordFlag: p.flag("recordFlag"), RecordHintTone: p.maybe("recordHintTone"),
	}
	if p.err != nil {
		return nil, p.err
	}
	_, err := h.cfg.Provision.ModifyAXE(ctx, app, r)
	return answer.Success, err
}
