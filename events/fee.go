package events

import (
	"strings"
	"time"
)

// feeInfo is a record of a fee event (callbacks section 3.1). An empty text is
// absent; a number of which 0 says something is always there.
type feeInfo struct {
	Direction             int    `json:"direction"`
	SPID                  string `json:"spId"`
	AppKey                string `json:"appKey"`
	ICID                  string `json:"icid,omitempty"`
	BindNum               string `json:"bindNum"`
	SessionID             string `json:"sessionId"`
	SubscriptionID        string `json:"subscriptionId,omitempty"`
	CallerNum             string `json:"callerNum"`
	CalleeNum             string `json:"calleeNum"`
	FwdDisplayNum         string `json:"fwdDisplayNum,omitempty"`
	FwdDstNum             string `json:"fwdDstNum,omitempty"`
	CallInTime            string `json:"callInTime,omitempty"`
	FwdStartTime          string `json:"fwdStartTime,omitempty"`
	FwdAlertingTime       string `json:"fwdAlertingTime,omitempty"`
	FwdAnswerTime         string `json:"fwdAnswerTime,omitempty"`
	CallEndTime           string `json:"callEndTime,omitempty"`
	FwdUnaswRsn           int    `json:"fwdUnaswRsn"`
	FailTime              string `json:"failTime,omitempty"`
	ULFailReason          int    `json:"ulFailReason"`
	SIPStatusCode         int    `json:"sipStatusCode"`
	CallOutUnaswRsn       int    `json:"callOutUnaswRsn"`
	RecordFlag            int    `json:"recordFlag"`
	RecordStartTime       string `json:"recordStartTime,omitempty"`
	RecordDomain          string `json:"recordDomain,omitempty"`
	RecordBucketName      string `json:"recordBucketName,omitempty"`
	RecordObjectName      string `json:"recordObjectName,omitempty"`
	TTSPlayTimes          int    `json:"ttsPlayTimes"`
	TTSTransDuration      int    `json:"ttsTransDuration"`
	MptyID                string `json:"mptyId,omitempty"`
	ServiceType           string `json:"serviceType,omitempty"`
	HostName              string `json:"hostName,omitempty"`
	UserData              string `json:"userData,omitempty"`
	ExtendNum             string `json:"extendNum,omitempty"`
	RecordFileDownloadURL string `json:"recordFileDownloadUrl,omitempty"`
	CallDuration          *int   `json:"callDuration,omitempty"`
	CallRelDirection      int    `json:"callRelDirection,omitempty"`
	AreaCode              string `json:"areaCode,omitempty"`
	NotifyMode            string `json:"notifyMode,omitempty"`
}

// serviceTypes are the values of serviceType by mode.
var serviceTypes = map[string]string{modeAX: "003", modeAXB: "004", modeAXE: "005", modeAXYB: "007"}

// NewFee makes the fee event of a call that has ended: one element of feeLst.
// It has the fields that receivers get only on request, too, but not where
// recordings are fetched, which the pusher knows.
func NewFee(c Call, seq int) Event {
	fee := feeInfo{
		Direction: c.Direction, SPID: c.SP, AppKey: c.App, ICID: c.ICID, BindNum: c.X, SessionID: c.Session, SubscriptionID: c.Binding,
		CallerNum: c.Caller, CalleeNum: c.X,
		CallInTime: text(c.In), CallEndTime: text(c.Ended),
		ULFailReason: c.FailReason, SIPStatusCode: c.SIPStatus,
		ServiceType: serviceTypes[c.Mode], HostName: c.Host, UserData: c.UserData, AreaCode: c.AreaCode,
	}
	if c.tried() {
		fee.FwdDisplayNum, fee.FwdDstNum = c.shown(), c.Callee
		fee.FwdStartTime, fee.FwdAlertingTime, fee.FwdUnaswRsn = text(c.Out), text(c.Alerting), c.UnswReason
	}
	switch c.Mode {
	case modeAXB:
		fee.MptyID = c.Binding // as in the sample of section 3.2
	case modeAXE:
		fee.ExtendNum = c.Extension
	case modeX:
		fee.NotifyMode = block
	}
	if c.Answered.IsZero() {
		if c.FailReason != 0 {
			fee.FailTime = text(c.Ended)
		}
	} else {
		seconds := talk(c.Answered, c.Ended)
		fee.FwdAnswerTime, fee.CallDuration, fee.CallRelDirection = text(c.Answered), &seconds, c.ReleasedBy
	}
	if c.RecordFile != "" {
		fee.RecordFlag, fee.RecordStartTime = 1, text(c.Recording)
		fee.RecordBucketName, fee.RecordObjectName = "sp-"+strings.ToLower(c.App), c.RecordFile
	}
	return Event{Session: c.Session, Seq: seq, App: c.App, Kind: Fee, At: c.Ended, Body: encode(fee)}
}

// talk is the time of conversation in seconds: the difference of the two times
// as they are pushed, so that receivers who count themselves find the same.
func talk(answered, ended time.Time) int {
	seconds := ended.Truncate(time.Second).Sub(answered.Truncate(time.Second))
	return max(0, int(seconds/time.Second))
}
