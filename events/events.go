// Package events has the call events, the fee event and the notices of texts:
// their types, their wire forms (callbacks.md), and the pusher that delivers
// them from the outbox to the customer's server.
package events

import (
	"encoding/json"
	"time"
)

// Kind is the eventType of a push.
type Kind string

// The kinds, in the order in which a call can raise them.
const (
	CallIn      Kind = "callin"
	CollectInfo Kind = "collectInfo"
	CallOut     Kind = "callout"
	Alerting    Kind = "alerting"
	Answer      Kind = "answer"
	Disconnect  Kind = "disconnect"
	Fee         Kind = "fee"
)

// NumStatus tells of an X number, not of a call.
const NumStatus Kind = "numStatus"

// Call is one call as the journal keeps it: everything the fee event needs.
// Times are UTC; a zero time has not happened. Numbers are in global form.
type Call struct {
	Session string // sessionId
	ICID    string // unique record id
	Node    string // the node that carries the call
	// Incarnation tells which life of the node it is of: others may take the call over
	// when that is over, and nothing that it brings later ends the call.
	Incarnation int64
	Host        string // hostName: right part of the sessionId
	App         string // app_key; empty only if X is not ours, and then nothing is recorded
	SP          string // spId
	Mode        string // AX, AXB, AXE, AXYB, X
	X           string // bindNum
	Caller      string // who dialled
	Callee      string // fwdDstNum; empty until decided
	Shown       string // fwdDisplayNum: the caller ID for the callee; empty: X
	Binding     string // subscriptionId; empty: none was found
	Extension   string // AXE
	UserData    string
	AreaCode    string
	Direction   int
	// ChargingID is the icid-value that the caller's trunk gave (RFC 7315), at
	// most 128 bytes; empty: none. It is for operators: in no push, and sent to
	// nobody.
	ChargingID string
	// CallerTrunk and CalleeTrunk name the trunk of each leg; "phone": a
	// registered phone. The callee's is that which answered, or was tried last;
	// empty: none was. They are for operators: in no push.
	CallerTrunk, CalleeTrunk string

	In        time.Time // callInTime
	Out       time.Time // fwdStartTime
	Alerting  time.Time // fwdAlertingTime
	Answered  time.Time // fwdAnswerTime: B's answer
	Ended     time.Time // callEndTime
	Recording time.Time // recordStartTime

	StateCode  int
	FailReason int // ulFailReason
	UnswReason int // fwdUnaswRsn, Q.850 cause of the second leg's failure
	SIPStatus  int // sipStatusCode of a failure
	ReleasedBy int // callRelDirection: 1 caller, 2 callee, 0 neither
	// ReleaseCause and ReleaseStatus are the Q.850 cause and the SIP status that
	// the Reason of its BYE or CANCEL gave (RFC 3326); 0: none. In no push.
	ReleaseCause  int
	ReleaseStatus int
	EndWord       string // routing.End.Word
	Why           string // of the decision, for operators: no real numbers

	RecordWanted bool   // a recording was begun; RecordFile tells whether it was kept
	RecordFile   string // recordObjectName; empty: no file
	RecordBytes  int64
	// RecordGap is how much of the recording is silent because its node died and
	// another one went on; 0: it is of one piece. In no push.
	RecordGap time.Duration

	// Quality of each leg: packets received and lost, jitter in ms, estimated MOS.
	CallerLeg, CalleeLeg Quality
}

// Quality is what RTP and RTCP told of one leg.
type Quality struct {
	Received uint64  `json:"received"`
	Lost     uint64  `json:"lost"`
	JitterMS float64 `json:"jitter_ms"`
	MOS      float64 `json:"mos"`
}

// Event is one thing to tell the customer: a row of the event log and of the
// outbox. Sequence numbers start at 1 in each session and have no gaps.
type Event struct {
	Session string
	Seq     int
	App     string
	Kind    Kind
	At      time.Time       // when it happened
	Body    json.RawMessage // statusInfo, smsEvent, or one element of feeLst or numInfo

	// Question tells that the app's server is asked by the event while the call
	// or text waits: it is in the log, and nobody pushes it.
	Question bool
}

// Target is where the event is pushed to.
func (e *Event) Target() Target {
	if e.Question {
		return Asked
	}
	return e.Kind.Target()
}
