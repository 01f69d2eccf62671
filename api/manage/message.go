package manage

import (
	"time"

	"axgate/routing"
	"axgate/sms"
)

// Message is the record of a text.
type Message struct {
	ID             string `json:"smsIdentifier" doc:"Its smsIdentifier." example:"1a214e51ee72UL36OT4OQFOU3DQ"`
	State          string `json:"state" enum:"incomplete,waiting,done" doc:"incomplete: not all of its parts have come; waiting: it is under way, or is tried again; done: it is over."`
	AppKey         string `json:"appKey" doc:"The app of X." example:"demo-ax"`
	SPID           string `json:"spId" doc:"The account." example:"demo"`
	X              string `json:"x" doc:"The X that it was sent to." example:"+8617010000001"`
	Sender         string `json:"sender,omitempty" doc:"Who wrote it; absent: a sender who is not known." example:"+8613800000002"`
	Receiver       string `json:"receiver,omitempty" doc:"Whom it is for; absent: that is not known." example:"+8613800000001"`
	SubscriptionID string `json:"subscriptionId,omitempty" doc:"The binding that it goes by." example:"4b8f4ac1-9c2c-4d39-9a3c-0d2b7a3c5f11"`
	UserData       string `json:"userData,omitempty" doc:"The binding's, or that of the answer of the app's server." example:"order 4711"`
	AreaCode       string `json:"areaCode,omitempty" doc:"Of X." example:"0755"`
	Direction      int    `json:"direction" doc:"0: to A; 1: from A; 2: not known." example:"0"`
	Content        string `json:"smsContent,omitempty" doc:"What was written: of a text that is done, if its app keeps texts and the token sees real numbers." example:"I am at the gate."`

	At   time.Time `json:"timeStamp" doc:"When it came." example:"2026-01-02T03:04:05Z"`
	Next time.Time `json:"next,omitzero" doc:"When it is tried next, or no further part is waited for." example:"2026-01-02T03:04:10Z"`
	Done time.Time `json:"done,omitzero" doc:"When it was over." example:"2026-01-02T03:04:06Z"`

	Result     *int   `json:"sendResult,omitempty" doc:"sendResult of its notice, once it is done." example:"0"`
	ResultText string `json:"resultText,omitempty" doc:"The same in a sentence." example:"It was sent."`
	Refused    bool   `json:"refused" doc:"Its sender was told that it is not let pass." example:"false"`
	Why        string `json:"why,omitempty" doc:"Why the rules decided as they did; real numbers masked." example:"A (+86138****0001) wrote to +8617010000001, whose B is +86138****0002"`

	Source   string `json:"source" doc:"Who brought it: a trunk, a gateway, or phone." example:"carrier"`
	Came     int    `json:"cameInParts" doc:"In how many parts it came; 0: whole." example:"0"`
	SplitNum int    `json:"splitNum" doc:"In how many parts it counts." example:"1"`
	Asked    bool   `json:"asked" doc:"The app's server was asked what to do with it." example:"false"`
	Carrier  string `json:"carrier,omitempty" doc:"Who brings it to the receiver: a trunk, a gateway, or phone." example:"carrier"`
	Pieces   int    `json:"pieces" doc:"In how many pieces that carrier sends it; 0: it was not tried." example:"1"`
	Sent     int    `json:"sentPieces" doc:"How many of them arrived." example:"1"`
	Tries    int    `json:"tries" doc:"How often sending it was begun." example:"1"`
	Failure  string `json:"failure,omitempty" doc:"Of the last try." example:"carrier: 480 Temporarily Unavailable"`
}

// The states of a text.
const (
	incomplete = "incomplete"
	waiting    = "waiting"
	done       = "done"
)

func messageState(t *sms.Text) string {
	switch {
	case !t.Done.IsZero():
		return done
	case t.Open:
		return incomplete
	}
	return waiting
}

// message is a text as it is shown. What was written is shown once it is over,
// when only texts of apps that keep them have it, and to nobody who sees numbers
// masked: people write them in ways that no mask finds.
func (v viewer) message(t *sms.Text) Message {
	out := Message{
		ID: t.ID, State: messageState(t), AppKey: t.App, SPID: t.SP, X: string(t.X), Sender: v.number(string(t.Sender)), Receiver: v.number(string(t.Receiver)),
		SubscriptionID: t.Binding, UserData: v.text(t.UserData), AreaCode: t.AreaCode, Direction: int(t.Direction),
		At: t.At, Next: t.Due, Done: t.Done, Refused: t.Refused, Why: t.Why, Source: t.Source, Came: t.Parts, SplitNum: t.Split,
		Asked: t.Asked, Carrier: t.Carrier, Pieces: t.Pieces, Sent: t.Sent, Tries: t.Tries, Failure: t.Failure,
	}
	if out.State == done {
		result := int(t.Result)
		out.Result, out.ResultText, out.Next = &result, resultText(t.Result), time.Time{}
		if !v.masked {
			out.Content = t.Text
		}
	}
	return out
}

// resultTexts tell for people what became of texts.
var resultTexts = map[routing.SendResult]string{
	routing.TextSent:          "It was sent.",
	routing.TextFrozen:        "The account is frozen.",
	routing.TextNoBinding:     "X is not bound, or not with this sender.",
	routing.TextXSuspended:    "X takes no texts in its status.",
	routing.TextNotCommercial: "The app may not send texts: it is paused, or texts are off for it or for its account.",
	routing.TextFault:         "Something failed on our side.",
	routing.TextDiscarded:     "The app's server had it dropped.",
	routing.TextNotAnswered:   "The app's server, asked what to do with it, gave no answer in time.",
	routing.TextBlacklisted:   "Sender or receiver is on the blacklist of X.",
	routing.TextPartlySent:    "Some of its pieces arrived, and some did not.",
	routing.TextNotSent:       "Nothing of it arrived, or there is nobody whom it may be sent to.",
	routing.TextNoSMS:         "X, its app or its binding takes no texts.",
	routing.TextNoKeyword:     "It has none of the agreed words.",
	routing.TextForbidden:     "It has a forbidden word.",
}

func resultText(r routing.SendResult) string { return resultTexts[r] }
