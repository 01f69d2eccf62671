package manage

import (
	"context"
	"net/http"

	"axgate/events"
	"axgate/ledger"
)

const callsTag = "calls"

// CallSelection selects calls.
type CallSelection struct {
	Span
	Number         string `query:"number" maxLength:"40" doc:"X, caller or callee." example:"+8613800000001"`
	X              string `query:"x" maxLength:"40" doc:"The X that was dialled." example:"+8617010000001"`
	Caller         string `query:"caller" maxLength:"40" doc:"Who dialled." example:"+8613800000002"`
	Callee         string `query:"callee" maxLength:"40" doc:"Who was meant." example:"+8613800000001"`
	AppKey         string `query:"appKey" maxLength:"128" doc:"Calls of this app." example:"demo-ax"`
	SPID           string `query:"spId" maxLength:"64" doc:"Calls of this account." example:"demo"`
	SubscriptionID string `query:"subscriptionId" maxLength:"128" doc:"Calls by this binding." example:"4b8f4ac1-9c2c-4d39-9a3c-0d2b7a3c5f11"`
	End            string `query:"end" maxLength:"40" doc:"Calls that ended so, in a word." example:"callee_busy"`
	Trunk          string `query:"trunk" maxLength:"128" doc:"Calls from or over this trunk; phone: registered phones; for operators only." example:"carrier-a"`
	ULFailReason   int    `query:"ulFailReason" minimum:"-1" maximum:"99999" default:"-1" doc:"Calls with this ulFailReason; 0: calls that were in order, -1: whatever it is." example:"8102"`
	Talked         string `query:"talked" enum:"true,false" doc:"Calls that were answered, or were not."`
	Open           bool   `query:"open" doc:"Only calls that are not over." example:"false"`
}

// SessionPath names a call.
type SessionPath struct {
	SessionID string `path:"sessionId" minLength:"1" maxLength:"256" doc:"The call." example:"1200_366_4294967295_20260102030405@gw1.example.com"`
}

func (s *service) calls() {
	add(s, op{id: "listCalls", method: http.MethodGet, path: "/calls", who: anyone, subject: callsTag,
		summary: "List calls",
		about:   "Call records, the newest first. Filters narrow each other; a number may be written as people dial it. `open=true` lists the calls that are up now.",
	}, s.listCalls)
	add(s, op{id: "exportCalls", method: http.MethodGet, path: "/calls.csv", who: anyone, subject: callsTag, gives: csvKind,
		summary: "Export calls as CSV",
		about:   "What listCalls lists, at most 1,000,000 calls, as they are read; name a time. A connection that is cut tells that the file is not whole. A userData that a spreadsheet would take for a formula begins with an apostrophe.",
	}, s.exportCalls)
	add(s, op{id: "getCall", method: http.MethodGet, path: "/calls/{sessionId}", who: anyone, subject: callsTag, refuses: []int{http.StatusNotFound},
		summary: "Show a call",
		about:   "The record of a call, also of one that is up.",
	}, func(ctx context.Context, in *SessionPath) (*struct{ Body Call }, error) {
		c, err := s.ownCall(ctx, in.SessionID)
		return &struct{ Body Call }{viewerOf(ctx).call(&c)}, err
	})
	add(s, op{id: "hangUp", method: http.MethodPost, path: "/calls/{sessionId}/hangup", who: owner, subject: callsTag, refuses: []int{http.StatusNotFound, http.StatusConflict},
		summary: "Hang up a call",
		about:   "Both sides are hung up, and the call ends with 8017. Whatever node carries it is told. A call that is over is refused (409).",
	}, s.hangUp)
}

// filter reads the selection for what the token may see. none: it can see
// nothing of it.
func (s *service) filter(ctx context.Context, in *CallSelection) (f ledger.CallFilter, none bool, err error) {
	if err := in.check(); err != nil {
		return f, false, err
	}
	f = ledger.CallFilter{App: in.AppKey, SP: in.SPID, Binding: in.SubscriptionID, End: in.End, From: in.From, To: in.To, Open: in.Open}
	if sp := accountOf(ctx); sp != "" {
		none, f.SP = in.SPID != "" && in.SPID != sp, sp
	}
	if f.Number, err = s.anyNumber(ctx, "number", in.Number); err != nil {
		return f, false, err
	}
	if in.X != "" {
		x, err := s.x("x", in.X)
		if err != nil {
			return f, false, err
		}
		f.X = string(x)
	}
	caller, err := s.soughtNumber(ctx, "caller", in.Caller)
	if err != nil {
		return f, false, err
	}
	callee, err := s.soughtNumber(ctx, "callee", in.Callee)
	if err != nil {
		return f, false, err
	}
	f.Caller, f.Callee = string(caller), string(callee)
	if in.Trunk != "" && viewerOf(ctx).customer {
		p := problem(http.StatusForbidden, "trunk: the token does not see trunks, and cannot seek by them")
		p.Errors = []Wrong{{Field: "trunk", Message: p.Detail}}
		return f, false, p
	}
	f.Trunk = in.Trunk
	if in.ULFailReason >= 0 {
		f.Code = &in.ULFailReason
	}
	if in.Talked != "" {
		yes := in.Talked == "true"
		f.Talked = &yes
	}
	return f, none, nil
}

func (s *service) listCalls(ctx context.Context, in *struct {
	Page
	CallSelection
}) (*listed[Call], error) {
	out := &listed[Call]{List[Call]{Items: []Call{}}}
	f, none, err := s.filter(ctx, &in.CallSelection)
	if err != nil || none {
		return out, err
	}
	f.After, f.Limit = in.After, in.Limit
	page, err := s.Records.Calls(ctx, f)
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	out.Body.Next = page.Next
	for i := range page.Calls {
		out.Body.Items = append(out.Body.Items, v.call(&page.Calls[i]))
	}
	return out, nil
}

// ownCall is a call that the token may see.
func (s *service) ownCall(ctx context.Context, session string) (events.Call, error) {
	page, err := s.Records.Calls(ctx, ledger.CallFilter{Session: session, SP: accountOf(ctx), Limit: 1})
	if err != nil {
		return events.Call{}, err
	}
	if len(page.Calls) == 0 {
		p := missing("there is no call of that sessionId")
		p.Code = "1012007"
		p.Errors = []Wrong{{Field: "sessionId", Message: p.Detail}}
		return events.Call{}, p
	}
	return page.Calls[0], nil
}

func (s *service) hangUp(ctx context.Context, in *SessionPath) (*struct{}, error) {
	c, err := s.ownCall(ctx, in.SessionID)
	if err != nil {
		return nil, err
	}
	noteAccount(ctx, c.SP)
	note(ctx, "appKey %s, x %s", c.App, c.X)
	if !c.Ended.IsZero() {
		return nil, problem(http.StatusConflict, "the call is over: "+endText(c.EndWord))
	}
	up, err := s.Stop(ctx, in.SessionID)
	if err == nil && !up {
		err = problem(http.StatusConflict, "the call is not up: it is ending")
	}
	return nil, err
}
