package manage

import (
	"time"

	"axgate/events"
)

// Call is the record of a call.
type Call struct {
	SessionID      string `json:"sessionId" doc:"Its sessionId." example:"1200_366_4294967295_20260102030405@gw1.example.com"`
	Open           bool   `json:"open" doc:"It is not over, or its end is not recorded yet." example:"false"`
	AppKey         string `json:"appKey" doc:"The app of X." example:"demo-ax"`
	SPID           string `json:"spId" doc:"The account." example:"demo"`
	Mode           string `json:"mode" doc:"The app's mode." example:"AX"`
	X              string `json:"x" doc:"The X that was dialled." example:"+8617010000001"`
	Caller         string `json:"caller,omitempty" doc:"Who dialled; absent: a caller who is not known." example:"+8613800000002"`
	Callee         string `json:"callee,omitempty" doc:"Who was meant; absent: nobody." example:"+8613800000001"`
	Shown          string `json:"fwdDisplayNum,omitempty" doc:"The number that the callee saw, where it is not x." example:"+8617010000002"`
	SubscriptionID string `json:"subscriptionId,omitempty" doc:"The binding that it went by." example:"4b8f4ac1-9c2c-4d39-9a3c-0d2b7a3c5f11"`
	Extension      string `json:"extension,omitempty" doc:"AXE: the extension that was reached." example:"0001"`
	UserData       string `json:"userData,omitempty" doc:"The binding's." example:"order 4711"`
	AreaCode       string `json:"areaCode,omitempty" doc:"Of X." example:"0755"`
	Direction      int    `json:"direction" doc:"0: to A; 1: from A; 2: abnormal." example:"0"`

	In       time.Time `json:"callInTime" doc:"When the call came in." example:"2026-01-02T03:04:05Z"`
	Out      time.Time `json:"fwdStartTime,omitzero" doc:"When the callee was called." example:"2026-01-02T03:04:05Z"`
	Alerting time.Time `json:"fwdAlertingTime,omitzero" doc:"When the callee's phone rang." example:"2026-01-02T03:04:06Z"`
	Answered time.Time `json:"fwdAnswerTime,omitzero" doc:"When the callee answered." example:"2026-01-02T03:04:10Z"`
	Ended    time.Time `json:"callEndTime,omitzero" doc:"When it was over." example:"2026-01-02T03:05:10Z"`
	Talk     float64   `json:"talkSeconds" doc:"How long they talked." example:"60"`

	End          string `json:"end,omitempty" doc:"How it ended, in a word." example:"talk_ended"`
	EndText      string `json:"endText,omitempty" doc:"How it ended, in a sentence." example:"One of the two hung up after a talk."`
	StateCode    int    `json:"stateCode" doc:"stateCode of the event disconnect." example:"0"`
	ULFailReason int    `json:"ulFailReason" doc:"ulFailReason of the fee event." example:"0"`
	FwdUnaswRsn  int    `json:"fwdUnaswRsn" doc:"Q.850 cause of the failure of the way to the callee." example:"0"`
	SIPStatus    int    `json:"sipStatusCode" doc:"SIP status of a failure." example:"0"`
	ReleasedBy   int    `json:"callRelDirection" doc:"Who hung up: 1 the caller, 2 the callee, 0 neither." example:"1"`
	// What the BYE or CANCEL gave as its Reason.
	ReleaseCause  int    `json:"releaseCause" doc:"The Q.850 cause that who hung up gave; 0: none." example:"16"`
	ReleaseStatus int    `json:"releaseStatus" doc:"The SIP status that who hung up gave; 0: none." example:"0"`
	Why           string `json:"why,omitempty" doc:"Why the call went the way it went; real numbers masked." example:"+86138****0002 called +8617010000001, which is bound to +86138****0001"`

	Recording   time.Time `json:"recordStartTime,omitzero" doc:"When the recording began." example:"2026-01-02T03:04:10Z"`
	RecordFile  string    `json:"recordObjectName,omitempty" doc:"The recording's name; absent: there is none." example:"19012303093800000_1200_366.wav"`
	RecordBytes int64     `json:"recordBytes,omitempty" doc:"The recording's size." example:"480044"`

	Node       string `json:"node" doc:"The node that carried it." example:"node1"`
	ICID       string `json:"icid" doc:"Unique id of the record." example:"b6f1d1ff-0a7f-4c8e-9b3b-6b5d7c2d8e10"`
	ChargingID string `json:"chargingId,omitempty" doc:"icid-value of the caller's network (RFC 7315); for operators only." example:"a1b2c3d4e5f6"`
	// The trunk's name, "phone" for a registered phone.
	CallerTrunk string  `json:"callerTrunk,omitempty" doc:"The trunk that the call came from; phone: a registered phone; for operators only." example:"carrier-a"`
	CalleeTrunk string  `json:"calleeTrunk,omitempty" doc:"The trunk that the callee answered over, or was called over last; phone: a registered phone; absent: nobody was called; for operators only." example:"carrier-b"`
	CallerLeg   Quality `json:"callerLeg" doc:"What came from the caller."`
	CalleeLeg   Quality `json:"calleeLeg" doc:"What came from the callee."`
}

// Quality is what RTP and RTCP told of one leg.
type Quality struct {
	Received uint64  `json:"received" doc:"Packets that came." example:"3000"`
	Lost     uint64  `json:"lost" doc:"Packets that were lost." example:"3"`
	JitterMS float64 `json:"jitterMs" doc:"Jitter in ms." example:"1.5"`
	MOS      float64 `json:"mos" doc:"Estimated mean opinion score, 1 to 4.5; 0: unknown." example:"4.3"`
}

func (v viewer) call(c *events.Call) Call {
	out := Call{
		SessionID: c.Session, Open: c.Ended.IsZero(), AppKey: c.App, SPID: c.SP, Mode: c.Mode, X: c.X, Caller: v.number(c.Caller), Callee: v.number(c.Callee),
		Shown: c.Shown, SubscriptionID: c.Binding, Extension: c.Extension, UserData: v.text(c.UserData), AreaCode: c.AreaCode, Direction: c.Direction,
		In: c.In, Out: c.Out, Alerting: c.Alerting, Answered: c.Answered, Ended: c.Ended,
		End: c.EndWord, EndText: endText(c.EndWord), StateCode: c.StateCode, ULFailReason: c.FailReason, FwdUnaswRsn: c.UnswReason, SIPStatus: c.SIPStatus, ReleasedBy: c.ReleasedBy, ReleaseCause: c.ReleaseCause, ReleaseStatus: c.ReleaseStatus, Why: c.Why,
		Recording: c.Recording, RecordFile: c.RecordFile, RecordBytes: c.RecordBytes,
		Node: c.Node, ICID: c.ICID, CallerLeg: Quality(c.CallerLeg), CalleeLeg: Quality(c.CalleeLeg),
	}
	if !v.customer {
		out.ChargingID, out.CallerTrunk, out.CalleeTrunk = c.ChargingID, c.CallerTrunk, c.CalleeTrunk
	}
	if !c.Answered.IsZero() && !c.Ended.IsZero() {
		out.Talk = c.Ended.Sub(c.Answered).Round(time.Millisecond).Seconds()
	}
	return out
}
