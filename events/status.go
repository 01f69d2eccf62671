package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf16"
)

// statusInfo is the body of a call event (callbacks section 2.1). An empty
// field is absent.
type statusInfo struct {
	SessionID        string `json:"sessionId"`
	Timestamp        string `json:"timestamp"`
	Caller           string `json:"caller,omitempty"`
	Called           string `json:"called,omitempty"`
	DigitInfo        string `json:"digitInfo,omitempty"`
	StateCode        *int   `json:"stateCode,omitempty"`
	StateDesc        string `json:"stateDesc,omitempty"`
	CallRelDirection int    `json:"callRelDirection,omitempty"`
	SubscriptionID   string `json:"subscriptionId,omitempty"`
	UserData         string `json:"userData,omitempty"`
	NotifyMode       string `json:"notifyMode,omitempty"`
}

// NewCallEvent makes the event of a kind that is no fee event, from what is
// known of the call at that moment. digits are what was typed, for collectInfo.
// The body has the fields that receivers get only on request, too.
func NewCallEvent(c Call, seq int, kind Kind, at time.Time, digits string) Event {
	info := statusInfo{SessionID: c.Session, Timestamp: text(at)}
	if c.Mode == modeX {
		info.NotifyMode = notify
	}
	switch kind {
	case CollectInfo:
		info.DigitInfo = digits
	case CallIn:
		info.Caller, info.Called, info.UserData = c.Caller, c.X, c.UserData
		if c.Mode != modeAXE { // section 2.1: there the binding is found later
			info.SubscriptionID = c.Binding
		}
	default:
		info.SubscriptionID, info.UserData = c.Binding, c.UserData
		if c.tried() {
			info.Caller, info.Called = c.shown(), c.Callee
		}
	}
	if kind == Disconnect {
		code := c.StateCode
		info.StateCode, info.StateDesc, info.CallRelDirection = &code, c.stateDesc(), c.ReleasedBy
	}
	return Event{Session: c.Session, Seq: seq, App: c.App, Kind: kind, At: at, Body: encode(info)}
}

// The modes, as Call has them.
const (
	modeAX   = "AX"
	modeAXB  = "AXB"
	modeAXE  = "AXE"
	modeAXYB = "AXYB"
	modeX    = "X"
)

// tried tells whether a second leg was begun. Until then nobody is shown X, and
// a callee that was decided on but not called is nobody's business.
func (c *Call) tried() bool { return !c.Out.IsZero() && c.Callee != "" }

// shown is the caller ID of the second leg.
func (c *Call) shown() string {
	if c.Shown == "" {
		return c.X
	}
	return c.Shown
}

// text is an instant as pushes have it (section 1.3), in UTC; empty if there
// is none.
func text(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateTime)
}

// encode writes JSON as it is read, without the escapes for HTML, and in ASCII
// alone: receivers take bodies for text in encodings of their own. Strings,
// numbers and what was encoded before cannot fail.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if !bytes.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
		return text
	}
	var ascii bytes.Buffer
	for _, r := range string(text) {
		if r <= '~' {
			ascii.WriteByte(byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&ascii, `\u%04x`, unit)
		}
	}
	return ascii.Bytes()
}

// stateDesc tells the stateCode in words (codes section 2).
func (c *Call) stateDesc() string {
	if c.Mode == modeX && c.StateCode == 8014 { // there are no bindings
		return "The answer to the call-in event is missing or invalid."
	}
	return stateDesc(c.StateCode)
}

func stateDesc(code int) string {
	if desc, ok := stateDescs[code]; ok {
		return desc
	}
	return "The call was ended by the platform."
}

var stateDescs = map[int]string{
	0:    "The user releases the call.",
	522:  "The platform has no free voice port.",
	7004: "The callee is on the blacklist.",
	7005: "The caller is on the blacklist.",
	7108: "The account is frozen.",
	7500: "Calls to this number are restricted.",
	7501: "The caller hung up before ringing.",
	7502: "The caller hung up while ringing.",
	7503: "The callee rejected the call.",
	7504: "The call was rejected.",
	7505: "Network fault on the caller's side.",
	7506: "Network fault on the callee's side.",
	7508: "Routing failed.",
	7516: "The caller hung up before the call was transferred.",
	8006: "The prompt file does not exist.",
	8010: "The maximum call duration is reached.",
	8013: "No temporary callee is set.",
	8014: "The binding does not exist.",
	8016: "The call direction is not allowed.",
	8017: "The call was stopped by the client.",
	8018: "No permission for this call.",
	8019: "No callback record exists.",
	8020: "Service error.",
	8022: "No binding exists for the extension.",
	8023: "The fixnum cannot be caller.",
	8030: "The binding does not exist.",
	8032: "The caller dialled its own private number.",
	8033: "No extension was entered.",
	8035: "The callee did not answer in time.",
	8042: "Calls from abroad are restricted.",
	8043: "Calls abroad are restricted.",
	8055: "The X number is unavailable.",
	8100: "The callee's number does not exist.",
	8101: "The callee does not answer.",
	8102: "The callee is busy.",
	8103: "The callee cannot be reached.",
	8104: "The callee's phone is switched off.",
	8105: "The callee's service is suspended.",
}
