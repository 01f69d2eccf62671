package binding

import (
	"context"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"axgate/api/answer"
	"axgate/provision"
	"axgate/routing"
)

// named is an interface whose URL has to name the app too, whatever the method
// (API appendix A).
func named(do operation) operation {
	return func(ctx context.Context, app string, p *params) (any, error) {
		const name, most = "app_key", 128
		q, err := readQuery(p.query)
		if err != nil {
			return nil, err
		}
		key := q.text(name)
		switch n := utf8.RuneCountInString(key); {
		case n == 0:
			q.wrong(name, "it is missing")
		case n > most:
			q.wrong(name, "it has %d characters: at most %d are possible", n, most)
		}
		switch {
		case q.err != nil:
			return nil, q.err
		case key != app:
			return nil, &provision.Error{Code: "1010003", HTTP: http.StatusForbidden, Text: "Invalid app_key."}
		}
		return do(ctx, app, p)
	}
}

type axybBound struct {
	answer.Result
	SubscriptionID string `json:"subscriptionId"`
	RelationNumber string `json:"relationNumber"` // X, or Y
}

// bindAXYB is both steps of the bind in appendix A. The second names the binding
// that the first made; a client that sends what belongs to the second alone, but
// no subscriptionId, means no first.
func (h *Handler) bindAXYB(ctx context.Context, app string, p *params) (any, error) {
	if p.id() != "" || p.has("ybDuration") || p.has("preVoiceY") {
		return h.bindYB(ctx, app, p)
	}
	r := provision.BindAXYB{
		OrigNum: p.text("origNum"), CallDirection: p.integer("callDirection"), Duration: p.integer("duration"), PreVoiceX: p.text("preVoiceX"),
		Area: p.area(), Options: p.options(),
	}
	if p.err != nil {
		return nil, p.err
	}
	b, err := h.cfg.Provision.BindAXYB(ctx, app, r)
	if err != nil {
		return nil, err
	}
	return axybBound{answer.Success, b.Subscription(), string(b.X)}, nil
}

func (h *Handler) bindYB(ctx context.Context, app string, p *params) (any, error) {
	r := provision.BindYB{
		SubscriptionID: p.id(), OrigNum: p.text("origNum"), Duration: p.integer("ybDuration"), PreVoiceY: p.text("preVoiceY"), Area: p.area(),
	}
	if p.err != nil {
		return nil, p.err
	}
	b, err := h.cfg.Provision.BindYB(ctx, app, r)
	if err != nil {
		return nil, err
	}
	return axybBound{answer.Success, b.Subscription(), string(b.Y)}, nil
}

func (h *Handler) unbindAXYB(ctx context.Context, app string, p *params) (any, error) {
	which := provision.AXYB{SubscriptionID: p.id(), YNum: p.text("yNum"), BNum: p.text("bNum")}
	if p.err != nil {
		return nil, p.err
	}
	return answer.Success, h.cfg.Provision.UnbindAXYB(ctx, app, which)
}

type axybList struct {
	answer.Result
	List []axybInfo `json:"xyRelationNumList"`
}

// axybInfo is an xyRelationNumInfo. Without a relation it has neither Y nor B.
type axybInfo struct {
	BindID         string          `json:"bindId"`
	NumA           string          `json:"numA"`
	NumX           string          `json:"numX"`
	NumY           string          `json:"numY,omitempty"`
	NumB           string          `json:"numB,omitempty"`
	RecordFlag     flag            `json:"recordFlag"`
	RecordHintTone string          `json:"recordHintTone,omitempty"`
	SubscribeTime  string          `json:"subscribeTime"`
	CallDirection  routing.Allowed `json:"callDirection"`
	Duration       string          `json:"duration"`
	YBDuration     string          `json:"ybDuration,omitempty"`
	PreVoiceX      string          `json:"preVoiceX,omitempty"`
	PreVoiceY      string          `json:"preVoiceY,omitempty"`
	UserData       string          `json:"userData,omitempty"`
}

func (h *Handler) queryAXYB(ctx context.Context, app string, p *params) (any, error) {
	r := provision.QueryAXYB{SubscriptionID: p.id(), RelationNum: p.text("relationNum")}
	if p.err != nil {
		return nil, p.err
	}
	relations, err := h.cfg.Provision.QueryAXYB(ctx, app, r)
	if err != nil {
		return nil, err
	}
	out := axybList{Result: answer.Success}
	for i := range relations {
		out.List = append(out.List, newAXYBInfo(&relations[i]))
	}
	return out, nil
}

func newAXYBInfo(r *provision.Relation) axybInfo {
	part, yb := &r.Part, r.YB
	i := axybInfo{
		BindID: r.BindID(), NumA: string(part.A), NumX: string(part.X), RecordFlag: flag(part.Record), RecordHintTone: part.RecordHint,
		SubscribeTime: part.CreatedAt.UTC().Format(time.DateTime), CallDirection: part.Allowed, Duration: strconv.Itoa(part.Sent.Lasts),
		PreVoiceX: part.CalleeTone, UserData: part.UserData,
	}
	if yb != nil {
		i.NumY, i.NumB, i.SubscribeTime = string(yb.Y), string(yb.B), yb.CreatedAt.UTC().Format(time.DateTime)
		i.YBDuration, i.PreVoiceY = strconv.Itoa(yb.Sent.Lasts), yb.CallerTone
	}
	return i
}
