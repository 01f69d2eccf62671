// Package routing holds the rules of number masking as pure functions over
// plain values: it does no I/O, reads no clock and starts no goroutine.
// Section numbers in comments are those of the behaviour specification.
package routing

import "time"

// Number is a real phone number in global form: "+", country code, national
// digits, for example +8613800000001 or +8675528000001. It never names an X.
type Number string

// X is a privacy number in the spelling of Number. It is a type of its own
// because it may be longer than E.164 allows (15 national digits in the
// Chinese 700 range) and because it alone may be shown to anybody.
type X string

// Extension is the E of an AXE binding: one to four digits, zeros kept.
type Extension string

// Mode is what an app is for; an app has exactly one (section 1).
type Mode string

// The modes.
const (
	AX  Mode = "AX"
	AXB Mode = "AXB"
	AXE Mode = "AXE"
	// AXYB: A has X, and a Y for each B: B calls X, A calls Y (API appendix A).
	AXYB Mode = "AXYB"
	// XMode has no bindings: the app's server is asked about every call (API
	// appendix B).
	XMode Mode = "X"
)

// NumberStatus is the state of an X number (section 2). Only a normal number
// takes calls and new bindings; a frozen one keeps the bindings it has.
type NumberStatus string

// The states of an X number.
const (
	StatusNormal      NumberStatus = "normal"
	StatusPaused      NumberStatus = "paused"
	StatusFrozen      NumberStatus = "frozen"
	StatusTransfer    NumberStatus = "transfer"
	StatusUnavailable NumberStatus = "unavailable"
	StatusReturned    NumberStatus = "returned"
)

// Direction is the `direction` of a fee event: 0 others call A (AXB, AXYB: B
// calls A), 1 A calls, 2 abnormal, for example no binding.
type Direction int

// The directions.
const (
	ToA      Direction = 0
	FromA    Direction = 1
	Abnormal Direction = 2
)

// Allowed is the `callDirection` of a binding.
type Allowed int

// The allowed directions: AXB and AXYB 1 only A to B, 2 only B to A; AX 1 only
// A may call X, 2 only others may.
const (
	BothWays  Allowed = 0
	OnlyFromA Allowed = 1
	OnlyToA   Allowed = 2
)

// Binding is a stored relation of an X with real numbers. Fields that a mode
// does not have are zero.
type Binding struct {
	ID      string // subscriptionId
	App     string // app_key of the owner of X
	Mode    Mode
	X       X
	A       Number
	B       Number    // AXB, AXYB; empty in the AX part of an AXYB binding
	Y       X         // AXYB: the X by which A reaches B; empty in the AX part
	Of      string    // AXYB: subscriptionId of the AX part; empty in that part itself
	Ext     Extension // AXE
	Allowed Allowed   // AX, AXB, AXYB
	Off     bool      // AX: turnFlag is "off"

	CreatedAt  time.Time
	ModifiedAt time.Time
	Until      time.Time // the instant at which it ends; zero: never

	Record      bool   // recordFlag
	RecordHint  string // recordHintTone, a prompt file name
	CallerTone  string // preVoice.callerHintTone: heard by A who dials X
	CalleeTone  string // preVoice.calleeHintTone: heard by anyone else who dials X
	MaxMinutes  int    // maxDuration, 0: no limit
	LastMinute  string // lastMinVoice, a prompt file name
	NoSMS       bool   // privateSms is "false"
	UserData    string
	AreaCode    string        // of X
	NoCallback  string        // AXE callbackTone, a prompt file name
	CallbackNum Number        // AXE callbackNum
	CallbackFor time.Duration // AXE callbackExpiredTime, 0: as long as the binding

	// Sent is what queries show as it was sent; no call goes by it.
	Sent Sent

	// Version is the version of X in the ledger that this state of the binding
	// belongs to; a cache entry is only ever replaced by a higher one.
	Version int64
	// YVersion is the same of Y. A binding as a call finds it has only the
	// version of the number that was dialled.
	YVersion int64
}

// Sent is what a client sent with a binding and finds again in queries (API
// 3.4, 4.4, 5.4), beside what became of it.
type Sent struct {
	Direction    bool   // AX: callDirection was sent, by the bind or later
	NumberType   string // AX privateNumType
	TimeUnit     string // AXE timeUnit: "0" hours, "1" minutes
	Lasts        int    // AXB duration in seconds; AXE bindExpiredTime in its unit
	CallbackTime int    // AXE callbackExpiredTime in its unit
}

// Ended tells whether the binding has run out at now.
func (b *Binding) Ended(now time.Time) bool {
	return !b.Until.IsZero() && !now.Before(b.Until)
}

// TemporaryCallee is the number that A of an AX binding reaches by dialling X.
type TemporaryCallee struct {
	Callee   Number
	Until    time.Time
	UserData string
}

// Callback is who A of an AXE binding was last rung for.
type Callback struct {
	Caller Number    // empty: a caller who is not known
	Until  time.Time // zero: as long as the binding
}

// Valid tells whether there is a record, and A can call back by it at now.
func (c *Callback) Valid(now time.Time) bool {
	return c != nil && c.Caller != "" && (c.Until.IsZero() || now.Before(c.Until))
}

// App is the part of an app's settings that decides about calls.
type App struct {
	Key        string // app_key
	SP         string // spId, the tenant account
	Mode       Mode
	Paused     bool
	Frozen     bool // the account is in arrears
	NoCalls    bool // no call permission
	ExtDigits  int  // AXE: length of an extension, 1 to 4
	Retries    int  // AXE: further tries after a wrong extension; 0: repeat collection is off
	Recording  bool
	Stereo     bool // recordings have one party per channel
	Informs    bool // declares that it informs people of recordings itself
	KeepCallee bool // AX: a temporary callee is kept after an answered call
	NoForeign  bool // foreign callers are refused (8042)

	SMS        bool  // texts through X are on
	SMSContent bool  // notices of texts carry what was written, and lists have it
	SMSBarred  bool  // texts are off for the account
	Keywords   Words // a text has to have one of them; none: any text will do
	Forbidden  Words // a text has to have none of them

	// X mode: whom callers reach if the app's server does not say, empty:
	// nobody; and how long it may take to say so, 0: as the node is set.
	Fallback Number
	AnswerIn time.Duration

	// Prompts names the app's own approved file per scene; Defaults tells for
	// which scenes the shipped file serves when it has none of its own.
	Prompts  map[Scene]string
	Defaults map[Scene]bool
}

// Scene is a situation in which a prompt is played (section 4).
type Scene string

// The scenes.
const (
	SceneNone         Scene = ""
	SceneNoPermission Scene = "no_permission"
	SceneNoBinding    Scene = "no_binding"
	SceneFault        Scene = "service_exception"
	SceneEnter        Scene = "enter_extension"
	SceneWrong        Scene = "extension_wrong"
	SceneWrongAgain   Scene = "extension_wrong_again"
	SceneNothing      Scene = "nothing_entered"
	SceneNoCallback   Scene = "no_callback"
	SceneWaiting      Scene = "waiting" // AXE pre-call
	SceneRecordHint   Scene = "record_hint"
	SceneBusy         Scene = "busy"
)

// Question is one attempt to call X.
type Question struct {
	Session string // sessionId
	X       X
	Caller  Number // empty when the caller is not known (anonymous)
	At      time.Time
}

// Facts is all that is stored about X and the caller of a Question, as found
// in one look. Absent things are nil. Entries may have run out: the rules
// check every instant themselves.
type Facts struct {
	Known    bool // X is ours
	App      string
	Status   NumberStatus
	AreaCode string
	Bindings int // how many bindings X has, of anybody

	ByCaller    *Binding // the binding that names the caller: AX and AXE as A, AXB and AXYB on either side
	ToX         *Binding // AX: the binding of X whoever calls
	Temporary   *TemporaryCallee
	Callback    *Callback
	Blacklisted bool // the caller is on the blacklist of this X

	// CalleeBlacklisted tells that whoever this call would reach is on the
	// blacklist of this X.
	CalleeBlacklisted bool
	CalleeOurs        bool // X mode, and texts: that number is an X of ours

	SMS        bool // X takes texts
	CallerOurs bool // texts: whoever sends is an X of ours

	// Wrong is how many wrong extensions the caller typed at X lately, this one
	// included (AXE); Guessed that there were so many that the extension was not
	// looked up.
	Wrong   int
	Guessed bool

	// Busy tells that another session holds X (AX) or X and extension (AXE);
	// Held that the look has reserved it for this session.
	Busy bool
	Held bool

	// Over is the limit that the account or X has reached, so that no more calls
	// are put through.
	Over Excess
}

// Step is what comes next in a call.
type Step int

// The steps.
const (
	Refuse  Step = iota // play Prompt or Scene, then end with End
	Collect             // answer, play the "enter extension" scene, take digits
	Dial                // call Callee, showing X
	Ask                 // ask the app's server who is called (X mode)
)

// Decision is the outcome of the rules for one Question.
type Decision struct {
	Step      Step
	End       End       // Refuse: how the call ends
	Scene     Scene     // Refuse, Collect: the prompt; Dial: the pre-call scene of an AXE app
	Prompt    string    // a prompt file named by the binding or the app's answer; wins over Scene
	Direction Direction // of the fee event
	App       *App      // nil when X is not ours
	Binding   *Binding  // nil when none was found, and in X mode
	Shown     X         // Dial: the caller ID for the callee: the X that was dialled, for AXYB the relation's other one
	Callee    Number    // Dial: the real number to call
	Caller    Number    // who dialled
	UserData  string
	AreaCode  string

	Record bool   // the call is to be recorded once answered
	Hint   string // file of the record hint; empty with Record: scene SceneRecordHint, unless the app informs

	MaxMinutes int    // maxDuration, 0: no limit
	LastMinute string // lastMinVoice, a prompt file name

	Temporary bool // Dial: Callee is the temporary callee of an AX binding
	Wrong     int  // Refuse, a wrong extension: how many the caller typed at X lately, 0: they are not counted
	Why       string
}

// Rings tells whether the call rings A's phone for somebody else, so that a
// callback record is due once it rings (AXE).
func (d *Decision) Rings() bool {
	return d.Step == Dial && d.Binding != nil && d.Binding.Mode == AXE && d.Direction == ToA
}

// XNumber is an X as the ledger has it.
type XNumber struct {
	X        X
	App      string // app_key of the owner
	Mode     Mode   // of the app
	Status   NumberStatus
	AreaCode string // with its leading 0, for example 0755
	City     string
	Province string
	SMS      bool  // takes texts
	Bindings int   // how many stand
	Version  int64 // raised by every change to the number or to a binding of it
}

// Dossier is everything stored about one X: what a cold cache is filled from.
type Dossier struct {
	Number    XNumber
	Bindings  []Binding           // AXYB: those that have the number as Y too
	Temporary *TemporaryCallee    // AX
	Callbacks map[Number]Callback // AXE, by A
	Blocked   []Number            // callers that may not call this X
}
