package manage

import (
	"context"
	"net/http"

	"axgate/routing"
)

const explainTag = "explain"

// Explanation is what the rules make of a call.
type Explanation struct {
	routing.Decision
	Source string // where the facts come from: the cache or the ledger
	Asked  bool   // the caller is asked for an extension
}

// Attempt is a call that somebody might make.
type Attempt struct {
	X         string `json:"x" minLength:"1" maxLength:"40" doc:"What is dialled, in any spelling." example:"17010000001"`
	Caller    string `json:"caller,omitempty" maxLength:"40" doc:"Who dials; absent: a caller who is not known." example:"+8613800000002"`
	Extension string `json:"extension,omitempty" maxLength:"4" pattern:"^[0-9]*$" doc:"AXE: what is typed when the caller is asked." example:"0001"`
}

// Verdict is what would happen, and why.
type Verdict struct {
	Step           string `json:"step" enum:"refuse,collect,dial,ask" doc:"refuse: the call ends; collect: the caller has to type an extension; dial: the callee is called; ask: X mode, the app's server is asked, which is not done to explain."`
	Why            string `json:"why" doc:"Why; real numbers masked." example:"+86138****0002 called +8617010000001, which is bound to +86138****0001"`
	Callee         string `json:"callee,omitempty" doc:"Who would be called." example:"+8613800000001"`
	Shown          string `json:"shown,omitempty" doc:"The number that the callee would see: X." example:"+8617010000001"`
	AppKey         string `json:"appKey,omitempty" doc:"The app of X; absent: X is not a number of ours." example:"demo-ax"`
	Mode           string `json:"mode,omitempty" doc:"The app's mode." example:"AX"`
	SubscriptionID string `json:"subscriptionId,omitempty" doc:"The binding that decides." example:"4b8f4ac1-9c2c-4d39-9a3c-0d2b7a3c5f11"`
	Direction      int    `json:"direction" doc:"0: to A; 1: from A; 2: abnormal." example:"0"`
	Record         bool   `json:"record" doc:"The call would be recorded." example:"false"`
	Prompt         string `json:"prompt,omitempty" doc:"The prompt file that the binding names for the caller." example:"sorry.wav"`
	Scene          string `json:"scene,omitempty" doc:"The scene whose prompt the caller would hear." example:"no_binding"`
	End            string `json:"end,omitempty" doc:"How a refused call would end, in a word." example:"no_binding_ax"`
	EndText        string `json:"endText,omitempty" doc:"The same in a sentence." example:"X is not bound to anybody."`
	StateCode      int    `json:"stateCode,omitempty" doc:"stateCode of the event disconnect." example:"8018"`
	ULFailReason   int    `json:"ulFailReason,omitempty" doc:"ulFailReason of the fee event." example:"7104"`
	SIPStatus      int    `json:"sipStatus,omitempty" doc:"The SIP status that the caller's side would get." example:"403"`
	Asked          bool   `json:"asked" doc:"The caller is asked for an extension first." example:"false"`
	Source         string `json:"source" doc:"Where the facts come from: the cache, as for a call, or the ledger." example:"the cache"`
}

var steps = map[routing.Step]string{routing.Refuse: "refuse", routing.Collect: "collect", routing.Dial: "dial", routing.Ask: "ask"}

func (v viewer) verdict(e *Explanation) Verdict {
	out := Verdict{Step: steps[e.Step], Why: e.Why, Callee: v.number(string(e.Callee)), Shown: string(e.Shown), Direction: int(e.Direction), Record: e.Record,
		Prompt: e.Prompt, Scene: string(e.Scene), Asked: e.Asked, Source: e.Source}
	if e.App != nil {
		out.AppKey, out.Mode = e.App.Key, string(e.App.Mode)
	}
	if e.Binding != nil {
		out.SubscriptionID = e.Binding.Subscription()
	}
	if e.Step == routing.Refuse {
		out.End, out.EndText = e.End.Word, endText(e.End.Word)
		out.StateCode, out.ULFailReason, out.SIPStatus = e.End.StateCode, e.End.FailReason, e.End.SIP
	}
	return out
}

func (s *service) explain() {
	add(s, op{id: "explainCall", method: http.MethodPost, path: "/explain", who: anyone, asks: true, subject: explainTag, refuses: []int{http.StatusNotFound},
		summary: "What would happen if N dialled X now",
		about:   "Applies the rules to a call that nobody makes: nobody is called, and nothing is reserved. It tells the rule that decides, whom the call would reach, or how it would end. A token that is limited to an account may ask about its X numbers alone.",
	}, func(ctx context.Context, in *struct{ Body Attempt }) (*struct{ Body Verdict }, error) {
		x, err := s.x("x", in.Body.X)
		if err != nil {
			return nil, err
		}
		caller, err := s.soughtNumber(ctx, "caller", in.Body.Caller)
		if err != nil {
			return nil, err
		}
		if accountOf(ctx) != "" {
			if _, err := s.ownNumber(ctx, in.Body.X); err != nil {
				return nil, err
			}
		}
		e, err := s.Explain(ctx, x, caller, routing.Extension(in.Body.Extension))
		return &struct{ Body Verdict }{viewerOf(ctx).verdict(&e)}, err
	})
	add(s, op{id: "tellStory", method: http.MethodGet, path: "/calls/{sessionId}/story", who: anyone, subject: explainTag, refuses: []int{http.StatusNotFound},
		summary: "What happened in a call, step by step",
		about:   "The call's record, why it was decided as it was, each event in its order with what became of its push, and how it ended, in sentences.",
	}, s.tellStory)
}
