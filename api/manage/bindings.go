package manage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

const bindingsTag = "bindings"

// Binding is a binding that stands.
type Binding struct {
	SubscriptionID string    `json:"subscriptionId" doc:"Its subscriptionId." example:"4b8f4ac1-9c2c-4d39-9a3c-0d2b7a3c5f11"`
	Of             string    `json:"of,omitempty" doc:"AXYB relation: the subscriptionId of the binding that it belongs to." example:"0d2b7a3c-9c2c-4d39-9a3c-4b8f4ac15f11"`
	AppKey         string    `json:"appKey" doc:"The app." example:"demo-axb"`
	Mode           string    `json:"mode" doc:"The app's mode." example:"AXB"`
	X              string    `json:"x" doc:"The X." example:"+8617010000001"`
	Y              string    `json:"y,omitempty" doc:"AXYB relation: the X by which A reaches B." example:"+8617010000002"`
	A              string    `json:"a" doc:"The real number of A." example:"+8613800000001"`
	B              string    `json:"b,omitempty" doc:"AXB, AXYB: the real number of B." example:"+8613800000002"`
	Extension      string    `json:"extension,omitempty" doc:"AXE: the extension of A." example:"0001"`
	CallDirection  int       `json:"callDirection" doc:"0: both ways; 1: A calls alone; 2: A is called alone." example:"0"`
	Off            bool      `json:"off" doc:"AX: it is switched off (turnFlag)." example:"false"`
	Created        time.Time `json:"created" doc:"When it was made." example:"2026-01-02T03:04:05Z"`
	Modified       time.Time `json:"modified,omitzero" doc:"When it was modified last." example:"2026-01-02T04:04:05Z"`
	Until          time.Time `json:"until,omitzero" doc:"When it ends by itself; absent: never." example:"2026-01-03T03:04:05Z"`
	RecordFlag     bool      `json:"recordFlag" doc:"Its calls are to be recorded." example:"true"`
	MaxDuration    int       `json:"maxDuration" doc:"The longest talk, in minutes; 0: no limit." example:"0"`
	CallbackNum    string    `json:"callbackNum,omitempty" doc:"AXE: whom A reaches if there is no callback record." example:"+8675528000001"`
	UserData       string    `json:"userData,omitempty" doc:"What the customer keeps with it." example:"order 4711"`
}

func (v viewer) binding(b *routing.Binding) Binding {
	return Binding{SubscriptionID: b.ID, Of: b.Of, AppKey: b.App, Mode: string(b.Mode), X: string(b.X), Y: string(b.Y), A: v.number(string(b.A)), B: v.number(string(b.B)),
		Extension: string(b.Ext), CallDirection: int(b.Allowed), Off: b.Off, Created: b.CreatedAt, Modified: b.ModifiedAt, Until: b.Until,
		RecordFlag: b.Record, MaxDuration: b.MaxMinutes, CallbackNum: v.number(string(b.CallbackNum)), UserData: v.text(b.UserData)}
}

// BindingPath names a binding.
type BindingPath struct {
	SubscriptionID string `path:"subscriptionId" minLength:"1" maxLength:"128" doc:"The binding." example:"4b8f4ac1-9c2c-4d39-9a3c-0d2b7a3c5f11"`
}

func (s *service) bindings() {
	add(s, op{id: "listBindings", method: http.MethodGet, path: "/numbers/{x}/bindings", who: anyone, subject: bindingsTag, refuses: []int{http.StatusNotFound},
		summary: "List the bindings of an X",
		about:   "The bindings of an X that stand, the oldest first; where it is the Y of AXYB relations, those.",
	}, s.listBindings)
	add(s, op{id: "getBinding", method: http.MethodGet, path: "/bindings/{subscriptionId}", who: anyone, subject: bindingsTag, refuses: []int{http.StatusNotFound},
		summary: "Show a binding",
		about:   "A binding that stands. One that has ended is not found, and the answer tells why it ended.",
	}, func(ctx context.Context, in *BindingPath) (*struct{ Body Binding }, error) {
		b, err := s.ownBinding(ctx, in.SubscriptionID)
		return &struct{ Body Binding }{viewerOf(ctx).binding(&b)}, err
	})
	add(s, op{id: "unbind", method: http.MethodPost, path: "/bindings/{subscriptionId}/unbind", who: owner, subject: bindingsTag, refuses: []int{http.StatusNotFound, http.StatusConflict},
		summary: "Unbind",
		about:   "What the app's own unbind does, for support staff: from the answer on nobody is reached through the binding; a call that is up goes on. An AXYB binding ends with all its relations.",
	}, s.unbind)
}

func (s *service) listBindings(ctx context.Context, in *struct {
	NumberPath
	Page
}) (*listed[Binding], error) {
	n, err := s.ownNumber(ctx, in.X)
	if err != nil {
		return nil, err
	}
	list, err := s.Records.BindingsOfX(ctx, n.X, s.Now(), in.After, in.Limit+1)
	if err == nil && len(list) == 0 {
		list, err = s.Records.RelationsOfY(ctx, n.X, s.Now(), in.After, in.Limit+1)
	}
	if err != nil {
		return nil, err
	}
	return paged(list, in.Limit, viewerOf(ctx).binding, func(b *routing.Binding) string { return b.ID }), nil
}

// ownBinding is a binding that stands and that the token may see.
func (s *service) ownBinding(ctx context.Context, id string) (routing.Binding, error) {
	refuse := func(detail string) (routing.Binding, error) {
		p := missing(detail)
		p.Code = "1012007"
		p.Errors = []Wrong{{Field: "subscriptionId", Message: detail}}
		return routing.Binding{}, p
	}
	b, err := s.Records.Binding(ctx, id, s.Now())
	var ended *ledger.EndedError
	if errors.As(err, &ended) {
		b = ended.Binding
	} else if err != nil && !errors.Is(err, ledger.ErrNoBinding) {
		return routing.Binding{}, err
	} else if err != nil {
		return refuse("there is no binding of that subscriptionId")
	}
	var p *Problem
	if _, err := s.ownApp(ctx, b.App); errors.As(err, &p) {
		return refuse("there is no binding of that subscriptionId")
	} else if err != nil {
		return routing.Binding{}, err
	}
	if ended != nil {
		return refuse(ended.Error())
	}
	return b, nil
}

func (s *service) unbind(ctx context.Context, in *BindingPath) (*struct{}, error) {
	b, err := s.ownBinding(ctx, in.SubscriptionID)
	if err != nil {
		return nil, err
	}
	note(ctx, "appKey %s, x %s, a %s", b.App, b.X, b.A.Masked())
	switch b.Mode {
	case routing.AX:
		err = s.Changes.UnbindAX(ctx, b.App, provision.AX{SubscriptionID: b.ID})
	case routing.AXB:
		err = s.Changes.UnbindAXB(ctx, b.App, b.ID, "")
	case routing.AXE:
		err = s.Changes.UnbindAXE(ctx, b.App, provision.AXE{SubscriptionID: b.ID})
	case routing.AXYB:
		which := provision.AXYB{SubscriptionID: b.ID}
		if b.Of != "" {
			which = provision.AXYB{SubscriptionID: b.Of, YNum: string(b.Y), BNum: string(b.B)}
		}
		err = s.Changes.UnbindAXYB(ctx, b.App, which)
	default:
		err = problem(http.StatusConflict, "bindings of mode "+string(b.Mode)+" are not unbound here")
	}
	return nil, err
}
