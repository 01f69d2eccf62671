package binding

import (
	"context"
	"time"

	"axgate/api/answer"
	"axgate/provision"
	"axgate/routing"
)

type axbBound struct {
	answer.Result
	SubscriptionID string          `json:"subscriptionId"`
	RelationNum    string          `json:"relationNum"`
	CallDirection  routing.Allowed `json:"callDirection"`
	Duration       int             `json:"duration"`
	MaxDuration    int             `json:"maxDuration"`
}

// bindAXB is API 3.1.
func (h *Handler) bindAXB(ctx context.Context, app string, p *params) (any, error) {
	r := provision.BindAXB{
		CallerNum: p.text("callerNum"), CalleeNum: p.text("calleeNum"), RelationNum: p.text("relationNum"),
		CallDirection: p.integer("callDirection"), Duration: p.integer("duration"),
		Area: p.area(), Options: p.options(), Voice: p.voice(),
	}
	if p.err != nil {
		return nil, p.err
	}
	b, err := h.cfg.Provision.BindAXB(ctx, app, r)
	if err != nil {
		return nil, err
	}
	return axbBound{answer.Success, b.ID, string(b.X), b.Allowed, b.Sent.Lasts, b.MaxMinutes}, nil
}

// unbindAXB is API 3.2.
func (h *Handler) unbindAXB(ctx context.Context, app string, p *params) (any, error) {
	id, x := p.id(), p.text("relationNum")
	if p.err != nil {
		return nil, p.err
	}
	return answer.Success, h.cfg.Provision.UnbindAXB(ctx, app, id, x)
}

// modifyAXB is API 3.3.
func (h *Handler) modifyAXB(ctx context.Context, app string, p *params) (any, error) {
	r := provision.ModifyAXB{
		SubscriptionID: p.id(), CallerNum: p.maybe("callerNum"), CalleeNum: p.maybe("calleeNum"),
		CallDirection: p.maybeInteger("callDirection"), Duration: p.maybeInteger("duration"), PreVoice: p.preVoice(),
		MaxDuration: p.maybeInteger("maxDuration"), LastMinVoice: p.maybe("lastMinVoice"), PrivateSMS: p.flag("privateSms"),
		RecordFlag: p.flag("recordFlag"), RecordHintTone: p.maybe("recordHintTone"),
	}
	if p.err != nil {
		return nil, p.err
	}
	_, err := h.cfg.Provision.ModifyAXB(ctx, app, r)
	return answer.Success, err
}

type axbPage struct {
	answer.Result
	TotalCount int       `json:"totalCount"`
	PageIndex  int       `json:"pageIndex"`
	PageSize   int       `json:"pageSize"`
	List       []axbInfo `json:"relationNumList"`
}

// axbInfo is a relationNumInfo.
type axbInfo struct {
	SubscriptionID string          `json:"subscriptionId"`
	RelationNum    string          `json:"relationNum"`
	CallerNum      string          `json:"callerNum"`
	CalleeNum      string          `json:"calleeNum"`
	SubscribeTime  string          `json:"subscribeTime"`
	CallDirection  routing.Allowed `json:"callDirection"`
	Duration       int             `json:"duration"`
	MaxDuration    int             `json:"maxDuration"`
	RecordFlag     flag            `json:"recordFlag"`
	RecordHintTone string          `json:"recordHintTone,omitempty"`
	PreVoice       *playInfo       `json:"preVoice,omitempty"`
	PrivateSMS     flag            `json:"privateSms"`
	LastMinVoice   string          `json:"lastMinVoice,omitempty"`
	UserData       string          `json:"userData,omitempty"`
}

// queryAXB is API 3.4. Pages count only where there can be more than one
// binding.
func (h *Handler) queryAXB(ctx context.Context, app string, p *params) (any, error) {
	r := provision.QueryAXB{SubscriptionID: p.id()}
	if r.SubscriptionID == "" {
		r.RelationNum, r.CallerNum, r.CalleeNum = p.text("relationNum"), p.text("callerNum"), p.text("calleeNum")
		if r.CallerNum == "" && r.CalleeNum == "" {
			r.PageIndex, r.PageSize = p.integer("pageIndex"), p.integer("pageSize")
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	page, err := h.cfg.Provision.QueryAXB(ctx, app, r)
	if err != nil {
		return nil, err
	}
	out := axbPage{Result: answer.Success, TotalCount: page.Total, PageIndex: page.PageIndex, PageSize: page.PageSize}
	for i := range page.Bindings {
		out.List = append(out.List, newAXBInfo(&page.Bindings[i]))
	}
	return out, nil
}

func newAXBInfo(b *routing.Binding) axbInfo {
	set := b.CreatedAt
	if b.ModifiedAt.After(set) {
		set = b.ModifiedAt
	}
	return axbInfo{
		SubscriptionID: b.ID, RelationNum: string(b.X), CallerNum: string(b.A), CalleeNum: string(b.B), SubscribeTime: set.UTC().Format(time.DateTime),
		CallDirection: b.Allowed, Duration: b.Sent.Lasts, MaxDuration: b.MaxMinutes, RecordFlag: flag(b.Record), RecordHintTone: b.RecordHint,
		PreVoice: newPlayInfo(b), PrivateSMS: flag(!b.NoSMS), LastMinVoice: b.LastMinute, UserData: b.UserData,
	}
}
