package binding

import (
	"context"
	"strings"

	"axgate/api/answer"
	"axgate/routing"
)

type axeOne struct {
	answer.Result
	axeInfo
}

// axeInfo is an AXE binding in queries. The times are those of the bind (API
// 5.4).
type axeInfo struct {
	SubscriptionID      string `json:"subscriptionId"`
	VirtualNum          string `json:"virtualNum"`
	ExtendNum           string `json:"extendNum"`
	BindNum             string `json:"bindNum"`
	DisplayNumMode      string `json:"displayNumMode"`
	RecordFlag          flag   `json:"recordFlag"`
	RecordHintTone      string `json:"recordHintTone,omitempty"`
	CallbackTone        string `json:"callbackTone,omitempty"`
	CallbackNum         string `json:"callbackNum,omitempty"`
	TimeUnit            string `json:"timeUnit"`
	BindExpiredTime     int    `json:"bindExpiredTime"`
	CallbackExpiredTime int    `json:"callbackExpiredTime"`
	UserData            string `json:"userData,omitempty"`
}

func newAXEInfo(b *routing.Binding) axeInfo {
	i := axeInfo{
		SubscriptionID: b.ID, VirtualNum: string(b.X), ExtendNum: string(b.Ext), BindNum: string(b.A), DisplayNumMode: "0",
		RecordFlag: flag(b.Record), RecordHintTone: b.RecordHint, CallbackTone: b.NoCallback, CallbackNum: string(b.CallbackNum),
		TimeUnit: b.Sent.TimeUnit, BindExpiredTime: b.Sent.Lasts, CallbackExpiredTime: b.Sent.CallbackTime, UserData: b.UserData,
	}
	if i.TimeUnit == "" {
		i.TimeUnit = "0"
	}
	return i
}

// queryAXE is API 5.4.
func (h *Handler) queryAXE(ctx context.Context, app string, p *params) (any, error) {
	which := p.axe()
	if p.err != nil {
		return nil, p.err
	}
	b, err := h.cfg.Provision.QueryAXE(ctx, app, which)
	if err != nil {
		return nil, err
	}
	return axeOne{answer.Success, newAXEInfo(&b)}, nil
}

// axePage has the end of the page under the name that API 5.5 uses and under
// that of 5.6; without it the page is the last.
type axePage struct {
	answer.Result
	NextCursor string    `json:"nextCursor,omitempty"`
	NextCusor  string    `json:"nextCusor,omitempty"`
	List       []axeInfo `json:"extendNumList"`
}

// listAXE is API 5.5: one binding, or those of an X page by page.
func (h *Handler) listAXE(ctx context.Context, app string, p *params) (any, error) {
	which := p.axe()
	if which.SubscriptionID != "" || which.ExtendNum != "" {
		if p.err != nil {
			return nil, p.err
		}
		b, err := h.cfg.Provision.QueryAXE(ctx, app, which)
		if err != nil {
			return nil, err
		}
		return axePage{Result: answer.Success, List: []axeInfo{newAXEInfo(&b)}}, nil
	}
	if which.VirtualNum == "" {
		p.wrong("virtualNum", "it is missing, and subscriptionId too")
	}
	after, limit := p.idCursor(), p.limit()
	if p.err != nil {
		return nil, p.err
	}
	bindings, next, err := h.cfg.Provision.ListAXE(ctx, app, which.VirtualNum, after, limit)
	if err != nil {
		return nil, err
	}
	out := axePage{Result: answer.Success, List: []axeInfo{}}
	for i := range bindings {
		out.List = append(out.List, newAXEInfo(&bindings[i]))
	}
	if next != "" {
		if out.NextCursor, err = idCursor(next); err != nil {
			return nil, err
		}
		out.NextCusor = out.NextCursor
	}
	return out, nil
}

type axeCounts struct {
	answer.Result
	NextCursor string     `json:"nextCursor,omitempty"`
	List       []axeCount `json:"virtualNumList"`
}

type axeCount struct {
	VirtualNum string `json:"virtualNum"`
	Bindings   int    `json:"bindingCount"`
}

// countAXE is API 5.6.
func (h *Handler) countAXE(ctx context.Context, app string, p *params) (any, error) {
	number := p.text("number")
	var after routing.X
	var limit int
	if number == "" {
		after, limit = p.numberCursor(), p.limit()
	}
	if p.err != nil {
		return nil, p.err
	}
	counts, next, err := h.cfg.Provision.CountAXE(ctx, app, number, after, limit)
	if err != nil {
		return nil, err
	}
	out := axeCounts{Result: answer.Success, NextCursor: strings.TrimPrefix(string(next), "+"), List: []axeCount{}}
	for _, c := range counts {
		out.List = append(out.List, axeCount{string(c.X), c.Bindings})
	}
	return out, nil
}

// limit is the length of a page: 1 to 100, absent 50.
func (p *params) limit() int {
	const name, most, usual = "limit", 100, 50
	n := p.maybeInteger(name)
	if n == nil {
		return usual
	}
	if *n < 1 || *n > most {
		p.wrong(name, "%d is not between 1 and %d", *n, most)
	}
	return *n
}
