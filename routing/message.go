package routing

import "time"

// Message is one text that somebody sends to X (section 7).
type Message struct {
	X      X
	Sender Number // empty when the sender is not known
	Text   string // as it came, long ones put together
	At     time.Time
	Taken  *Taken // nil: it is decided about for the first time
}

// Taken is what the rules said of a text when it was taken. Whoever the numbers
// belong to by now, it goes to nobody else.
type Taken struct {
	App      string // app_key
	Binding  string // its id; empty: none, as in X mode
	Receiver Number // empty: the app's server was to be asked, and has not said
}

// SendResult is what became of a text: the sendResult of its notice (codes
// section 5).
type SendResult int

// The results.
const (
	TextSent          SendResult = 0
	TextFrozen        SendResult = 1 // the account is frozen
	TextNoBinding     SendResult = 2
	TextXSuspended    SendResult = 3
	TextNotCommercial SendResult = 4 // the app may not send texts: paused, or switched off for it or its account
	TextFault         SendResult = 5 // a fault of ours
	TextDiscarded     SendResult = 6 // the app's server said so
	TextNotAnswered   SendResult = 7 // the app's server did not say in time what to do
	TextBlacklisted   SendResult = 8
	TextPartlySent    SendResult = 9
	TextNotSent       SendResult = 10 // nothing of it arrived, or there is nobody whom it may be sent to
	TextNoSMS         SendResult = 11 // X, or its binding, takes no texts
	TextNoKeyword     SendResult = 12 // it has none of the agreed words
	TextForbidden     SendResult = 13 // it has a forbidden word
)

// MessageStep is what comes next with a text.
type MessageStep int

// The steps.
const (
	DropText    MessageStep = iota // end it with Result
	ForwardText                    // send Text to Receiver, showing X
	AskText                        // ask the app's SMS control address (Block)
)

// MessageDecision is the outcome of the rules for one text.
type MessageDecision struct {
	Step      MessageStep
	Result    SendResult // DropText: why
	UnknownX  bool       // DropText: X is not ours; nobody is told
	Direction Direction
	App       *App     // nil when X is not ours, its owner is not known here, or not the one that had it when the text was taken
	Binding   *Binding // nil when none was found, and in X mode
	Receiver  Number   // ForwardText
	Text      string   // ForwardText: what is sent: without @number, with [From...]
	UserData  string   // of the binding, or of the answer of the app's server
	AreaCode  string   // of X
	Why       string   // for operators: no real numbers, nothing of the text
}

// MessageReply is what the app's server said to a Block notice. Late tells that
// it said nothing at all in time; Silent why that is so, or why what it said
// cannot be used.
type MessageReply struct {
	Late    bool
	Silent  string
	Discard bool
	Called  string // message.called
	Calling string // message.calling
	User    string // userData
}
