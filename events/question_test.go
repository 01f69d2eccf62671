package events

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestXModeMessages: Block in the question and in the fee event, Notify in what
// is only told; no subscriptionId, and no serviceType, which nobody has seen.
func TestXModeMessages(t *testing.T) {
	const session = `"sessionId":"1200_1029_4294967295_20260102030405@callnode01.example.com"`
	const callee = `"caller":"+8616500000009","called":"+8613800000002","userData":"order42","notifyMode":"Notify"`
	c := sample()
	c.Mode, c.Binding, c.UserData, c.RecordFile = "X", "", "order42", ""
	lost := c
	lost.Out, lost.Answered, lost.StateCode, lost.UserData = time.Time{}, time.Time{}, 8014, ""
	for name, row := range map[string]struct {
		event Event
		want  string
	}{
		"the question": {NewQuestion(c, 1, c.In), `{"eventType":"callin","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:04:05","caller":"+8613800000001","called":"+8616500000009","notifyMode":"Block"}}`},
		"callin without a question": {NewCallEvent(lost, 1, CallIn, c.In, ""), `{"eventType":"callin","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:04:05","caller":"+8613800000001","called":"+8616500000009","notifyMode":"Notify"}}`},
		"callout": {NewCallEvent(c, 2, CallOut, c.Out, ""), `{"eventType":"callout","statusInfo":{` + session + `,"timestamp":"2026-01-02 03:04:06",` + callee + `}}`},
		"disconnect": {NewCallEvent(c, 5, Disconnect, c.Ended, ""), `{"eventType":"disconnect","statusInfo":{` + session + `,"timestamp":"2026-01-02 03:05:10",
			"stateCode":0,"stateDesc":"The user releases the call.",` + callee + `}}`},
		"disconnect without an answer": {NewCallEvent(lost, 2, Disconnect, c.Ended, ""), `{"eventType":"disconnect","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:05:10","stateCode":8014,"stateDesc":"The answer to the call-in event is missing or invalid.","notifyMode":"Notify"}}`},
	} {
		body, err := QuestionMessage(&row.event, &Receiver{})
		require.NoError(t, err, name)
		require.JSONEq(t, row.want, string(body), name)
	}
	fee := NewFee(c, 6)
	record, err := feeRecord(&fee, &Receiver{}, &Config{})
	require.NoError(t, err)
	require.JSONEq(t, `{"direction":1,"spId":"demo_tenant","appKey":"demoAppKey0001","icid":"ba17aaaa000000000000000000000001.3757223714.337238282.9",
		"bindNum":"+8616500000009",`+session+`,"callerNum":"+8613800000001","calleeNum":"+8616500000009",
		"fwdDisplayNum":"+8616500000009","fwdDstNum":"+8613800000002","callInTime":"2026-01-02 03:04:05","fwdStartTime":"2026-01-02 03:04:06",
		"fwdAlertingTime":"2026-01-02 03:04:09","fwdAnswerTime":"2026-01-02 03:04:15","callEndTime":"2026-01-02 03:05:10","fwdUnaswRsn":0,"ulFailReason":0,
		"sipStatusCode":0,"callOutUnaswRsn":0,"recordFlag":0,"ttsPlayTimes":0,"ttsTransDuration":0,"hostName":"callnode01.example.com",
		"userData":"order42","notifyMode":"Block"}`, string(encode(record)))
}
