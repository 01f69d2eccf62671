package manage

import (
	"context"
	"net/http"

	"axgate/routing"
)

// MessageExplanation is what the rules make of a text.
type MessageExplanation struct {
	routing.MessageDecision
	Source string // where the facts come from: the cache or the ledger
	Parts  int    // in how many parts it counts
}

// MessageAttempt is a text that somebody might send.
type MessageAttempt struct {
	X      string `json:"x" minLength:"1" maxLength:"40" doc:"The X that it is sent to, in any spelling." example:"17010000001"`
	Sender string `json:"sender,omitempty" maxLength:"40" doc:"Who writes; absent: a sender who is not known." example:"+8613800000002"`
	Text   string `json:"text,omitempty" maxLength:"2000" doc:"What is written." example:"I am at the gate."`
}

// MessageVerdict is what would become of a text, and why.
type MessageVerdict struct {
	Step           string `json:"step" enum:"drop,forward,ask" doc:"drop: it ends; forward: it is sent to the receiver; ask: the app's server is asked what to do, which is not done to explain."`
	Why            string `json:"why" doc:"Why; real numbers masked." example:"+86138****0002 wrote to +8617010000001, which is bound to +86138****0001"`
	Receiver       string `json:"receiver,omitempty" doc:"Who would get it." example:"+8613800000001"`
	Shown          string `json:"shown,omitempty" doc:"The number that the receiver would see: X." example:"+8617010000001"`
	Text           string `json:"text,omitempty" doc:"What would be sent; absent for tokens that see numbers masked." example:"I am at the gate.[From+8613800000002]"`
	AppKey         string `json:"appKey,omitempty" doc:"The app of X; absent: X is not a number of ours." example:"demo-ax"`
	Mode           string `json:"mode,omitempty" doc:"The app's mode." example:"AX"`
	SubscriptionID string `json:"subscriptionId,omitempty" doc:"The binding that decides." example:"4b8f4ac1-9c2c-4d39-9a3c-0d2b7a3c5f11"`
	Direction      int    `json:"direction" doc:"0: to A; 1: from A; 2: not known." example:"0"`
	SplitNum       int    `json:"splitNum" doc:"In how many parts it counts." example:"1"`
	Result         *int   `json:"sendResult,omitempty" doc:"sendResult of the notice of a text that ends; absent for one to an X that is not ours, of which nobody is told." example:"2"`
	ResultText     string `json:"resultText,omitempty" doc:"The same in a sentence." example:"X is not bound, or not with this sender."`
	SIPStatus      int    `json:"sipStatus" doc:"The SIP status that the sender's side would get." example:"202"`
	Source         string `json:"source" doc:"Where the facts come from: the cache, as for a text, or the ledger." example:"the cache"`
}

var messageSteps = map[routing.MessageStep]string{routing.DropText: "drop", routing.ForwardText: "forward", routing.AskText: "ask"}

func (v viewer) messageVerdict(x routing.X, e *MessageExplanation) MessageVerdict {
	out := MessageVerdict{Step: messageSteps[e.Step], Why: e.Why, Direction: int(e.Direction), SplitNum: e.Parts, SIPStatus: http.StatusAccepted, Source: e.Source}
	if e.App != nil {
		out.AppKey, out.Mode = e.App.Key, string(e.App.Mode)
	}
	if e.Binding != nil {
		out.SubscriptionID = e.Binding.Subscription()
	}
	switch {
	case e.UnknownX:
		out.SIPStatus, out.ResultText = http.StatusNotFound, "X is not a number of ours, and nobody is told."
	case e.Step == routing.DropText:
		out.SIPStatus, out.Result, out.ResultText = http.StatusForbidden, new(int(e.Result)), resultText(e.Result)
	case e.Step == routing.ForwardText:
		out.Receiver, out.Shown = v.number(string(e.Receiver)), string(x)
		if !v.masked {
			out.Text = e.Text
		}
	}
	return out
}

func (s *service) explainMessages() {
	add(s, op{id: "explainMessage", method: http.MethodPost, path: "/explain/message", who: anyone, asks: true, subject: explainTag, refuses: []int{http.StatusNotFound},
		summary: "What would become of a text that N sends to X now",
		about:   "Applies the rules to a text that nobody sends: nothing is sent, and nobody is asked or told. It tells the rule that decides, who would get what, or how it would end. A token that is limited to an account may ask about its X numbers alone.",
	}, func(ctx context.Context, in *struct{ Body MessageAttempt }) (*struct{ Body MessageVerdict }, error) {
		x, err := s.x("x", in.Body.X)
		if err != nil {
			return nil, err
		}
		sender, err := s.soughtNumber(ctx, "sender", in.Body.Sender)
		if err != nil {
			return nil, err
		}
		if accountOf(ctx) != "" {
			if _, err := s.ownNumber(ctx, in.Body.X); err != nil {
				return nil, err
			}
		}
		e, err := s.ExplainMessage(ctx, x, sender, in.Body.Text)
		return &struct{ Body MessageVerdict }{viewerOf(ctx).messageVerdict(x, &e)}, err
	})
}
