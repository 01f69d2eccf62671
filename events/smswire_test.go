package events

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// sampleSMS is the text of the example of the contract (callbacks section 4.2).
func sampleSMS() SMS {
	return SMS{
		ID: "sms-0001", App: "demoAppKey0001", Calling: "+8613800000001", X: "+8616500000010", SplitNum: 1, Direction: 1,
		At: time.Date(2026, 1, 2, 11, 4, 5, 678_999_999, time.FixedZone("Beijing", 8*3600)),
	}
}

// TestSMSMessages has the bytes as they are sent: the contract's example, and
// each field that there can be.
func TestSMSMessages(t *testing.T) {
	const head = `{"appKey":"demoAppKey0001","smsEvent":{"smsIdentifier":"sms-0001","notificationMode":`
	const middle = `"virtualNumber":"+8616500000010","event":"TextSMS","timeStamp":"2026-01-02T03:04:05.678Z",`
	content, none := "见面 <A&B> 😀 [From+8613800000009]\x00\xff", ""
	full := sampleSMS()
	full.Called, full.Binding, full.Content, full.SplitNum, full.Direction = "+8613800000002", "0f3c6d1e-0000-4000-8000-000000000001", &content, 12, 0
	full.AreaCode, full.UserData = "0755", "order<42>"
	failed, partly, unknown, empty, early := full, full, sampleSMS(), sampleSMS(), sampleSMS()
	failed.Result, failed.Content, partly.Result, partly.Content = 13, nil, 9, nil
	unknown.Calling, unknown.Direction, unknown.Result = "", 2, 2
	empty.Content = &none
	early.At = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		event Event
		want  string
	}{
		"the example": {NewSMSQuestion(sampleSMS(), 1), head + `"Block","calling":"+8613800000001",` + middle +
			`"extInfo":{"extParas":[{"key":"splitNum","value":"1"},{"key":"direction","value":"1"}]},"sendResult":0}}`},
		"a question about a text that has been refused and sent": {NewSMSQuestion(failed, 1), head + `"Block","calling":"+8613800000001",` + middle +
			`"subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001","extInfo":{"extParas":[{"key":"splitNum","value":"12"},{"key":"direction","value":"0"}]},"sendResult":0,` +
			`"areaCode":"0755","userData":"order<42>"}}`},
		"a notice with all": {NewSMSNotice(full, 1), head + `"Notify","calling":"+8613800000001","called":"+8613800000002",` + middle +
			`"subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001",` +
			`"smsContent":"\u89c1\u9762 <A&B> \ud83d\ude00 [From+8613800000009]\u0000\ufffd",` +
			`"extInfo":{"extParas":[{"key":"splitNum","value":"12"},{"key":"direction","value":"0"}]},"sendResult":0,"areaCode":"0755","userData":"order<42>"}}`},
		"a failed one names no receiver": {NewSMSNotice(failed, 1), head + `"Notify","calling":"+8613800000001",` + middle +
			`"subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001","extInfo":{"extParas":[{"key":"splitNum","value":"12"},{"key":"direction","value":"0"}]},"sendResult":13,` +
			`"areaCode":"0755","userData":"order<42>"}}`},
		"nor one that was partly sent": {NewSMSNotice(partly, 1), head + `"Notify","calling":"+8613800000001",` + middle +
			`"subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001","extInfo":{"extParas":[{"key":"splitNum","value":"12"},{"key":"direction","value":"0"}]},"sendResult":9,` +
			`"areaCode":"0755","userData":"order<42>"}}`},
		"the sender is not known": {NewSMSNotice(unknown, 1), head + `"Notify",` + middle +
			`"extInfo":{"extParas":[{"key":"splitNum","value":"1"},{"key":"direction","value":"2"}]},"sendResult":2}}`},
		"a text without a character": {NewSMSNotice(empty, 1), head + `"Notify","calling":"+8613800000001",` + middle +
			`"smsContent":"","extInfo":{"extParas":[{"key":"splitNum","value":"1"},{"key":"direction","value":"1"}]},"sendResult":0}}`},
		"milliseconds are always there": {NewSMSNotice(early, 1), strings.Replace(head+`"Notify","calling":"+8613800000001",`+middle+
			`"extInfo":{"extParas":[{"key":"splitNum","value":"1"},{"key":"direction","value":"1"}]},"sendResult":0}}`, "05.678Z", "05.000Z", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := SMSQuestionMessage(&c.event, &Receiver{})
			require.NoError(t, err)
			require.Equal(t, c.want, string(body))
			pushed, err := message(&c.event, &Receiver{})
			if !c.event.Question {
				require.NoError(t, err)
				require.Equal(t, c.want, string(pushed))
			}
		})
	}
	_, err := message(&Event{Kind: SMSNotice, Body: json.RawMessage("[")}, &Receiver{})
	require.ErrorContains(t, err, "stored body")
}

func TestSMSEvents(t *testing.T) {
	s := sampleSMS()
	notice, question := NewSMSNotice(s, 2), NewSMSQuestion(s, 1)
	require.Equal(t, Event{Session: s.ID, Seq: 2, App: s.App, Kind: SMSNotice, At: s.At, Body: notice.Body}, notice)
	require.Equal(t, Event{Session: s.ID, Seq: 1, App: s.App, Kind: SMSBlock, At: s.At, Body: question.Body, Question: true}, question)
	s.Told = s.At.Add(time.Hour)
	later := NewSMSNotice(s, 2)
	require.Equal(t, s.Told, later.At, "the log has it when it happened")
	require.Equal(t, s.Told, NewSMSQuestion(s, 1).At)
	require.Equal(t, string(notice.Body), string(later.Body), "and receivers when the text came")
	require.Equal(t, ToSMS, notice.Target())
	require.Equal(t, Asked, question.Target())
	require.Equal(t, Asked, SMSBlock.Target(), "as it is read from the log")
	r := Receiver{Status: "status", SMS: "sms", SMSControl: "control"}
	require.Equal(t, "sms", r.Address(ToSMS))
	r.SMS = ""
	require.Empty(t, r.Address(ToSMS), "no other address stands in")
}

func TestParseSMSControl(t *testing.T) {
	const message = `{"called":"+8613800000002","calling":"+8613800000001"}`
	forward := SMSControl{Called: "+8613800000002", Calling: "+8613800000001"}
	named := func(operation string) string {
		return `{"actions":[{"operation":"` + operation + `","message":` + message + `}]}`
	}
	for name, c := range map[string]struct {
		body string
		want SMSControl
	}{
		"the contract's example":  {named("vNumberRoute"), forward},
		"an object":               {`{"actions":{"operation":"vNumberRoute","message":` + message + `}}`, forward},
		"a message in an array":   {`{"actions":[{"operation":"vNumberRoute","message":[` + message + `]}]}`, forward},
		"a byte order mark":       {"\xef\xbb\xbf" + named("vNumberRoute"), forward},
		"capitals":                {named("VNUMBERROUTE"), forward},
		"blanks":                  {named(" vNumber Route\u00a0"), forward},
		"more beside it":          {`{"x":[],"actions":[{"extParas":[{"key":"a"}],"y":{},"operation":"vNumberRoute","message":{"called":"+8613800000002","calling":"+8613800000001","z":1}}]}`, forward},
		"user data":               {`{"actions":[{"operation":"vNumberRoute","message":` + message + `,"userData":"b3JkZXI="}]}`, SMSControl{Called: "+8613800000002", Calling: "+8613800000001", UserData: "b3JkZXI="}},
		"numbers as numbers":      {`{"actions":[{"operation":"vNumberRoute","message":{"called":8613800000002,"calling":null},"userData":42}]}`, SMSControl{Called: "8613800000002", UserData: "42"}},
		"no message":              {`{"actions":[{"operation":"vNumberRoute"}]}`, SMSControl{}},
		"message null":            {`{"actions":[{"operation":"vNumberRoute","message":null}]}`, SMSControl{}},
		"message empty":           {`{"actions":[{"operation":"vNumberRoute","message":{}}]}`, SMSControl{}},
		"discard":                 {`{"actions":[{"operation":"DiscardMessage"}]}`, SMSControl{Discard: true}},
		"discard, with user data": {`{"actions":[{"operation":"discardmessage","userData":"u"}]}`, SMSControl{Discard: true, UserData: "u"}},
		"discard sends nothing":   {named("Discard Message"), SMSControl{Discard: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSMSControl([]byte(c.body))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for name, body := range map[string]string{
		"nothing": "", "no JSON": "<html>", "half": `{"actions":[{"operation":"vNumberRoute"`, "a text": `"vNumberRoute"`, "a list": `[{"operation":"vNumberRoute"}]`,
		"null": `null`, "no actions": `{}`, "actions null": `{"actions":null}`, "no action": `{"actions":[]}`, "actions are a text": `{"actions":"vNumberRoute"}`,
		"two actions":  `{"actions":[{"operation":"DiscardMessage"},{"operation":"vNumberRoute"}]}`,
		"no operation": `{"actions":[{"message":` + message + `}]}`, "action null": `{"actions":[null]}`, "an unknown one": named("forward"),
		"a long one": named(strings.Repeat("f", 60000)), "operation is an object": `{"actions":[{"operation":{}}]}`,
		"two messages":        `{"actions":[{"operation":"vNumberRoute","message":[` + message + `,` + message + `]}]}`,
		"the message is text": `{"actions":[{"operation":"vNumberRoute","message":"+8613800000002"}]}`,
		"called is a list":    `{"actions":[{"operation":"vNumberRoute","message":{"called":["+8613800000002"]}}]}`,
		"more behind it":      named("vNumberRoute") + named("DiscardMessage"),
		"deep":                `{"actions":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSMSControl([]byte(body))
			require.Error(t, err)
			require.Less(t, len(err.Error()), 200)
			require.Zero(t, got)
		})
	}
}

func FuzzParseSMSControl(f *testing.F) {
	for _, seed := range []string{
		`{"actions":[{"operation":"vNumberRoute","message":{"called":"+8613800000002","calling":"+8613800000001"}}]}`,
		`{"actions":{"operation":"DiscardMessage","userData":1}}`, `{"actions":[{"operation":"vNumberRoute"}]}`,
		"\xef\xbb\xbf" + `{"actions":[{"operation":" v number route ","message":[{"called":true}],"extParas":[]}]}`, `{"actions":[{}]}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := ParseSMSControl(body)
		switch {
		case err != nil && (c != SMSControl{}):
			t.Fatalf("an answer beside the error: %+v", c)
		case err != nil && len(err.Error()) > 300:
			t.Fatalf("an error without measure: %v", err)
		case c.Discard && (c.Called != "" || c.Calling != ""):
			t.Fatalf("discard sends to nobody: %+v", c)
		}
		for _, s := range []string{c.Called, c.Calling, c.UserData} {
			if len(s) > 3*len(body) || !utf8.ValidString(s) {
				t.Fatalf("%q out of %q", s, body)
			}
		}
	})
}

// TestUnknownOperation: what a server writes in the place of an operation is not
// told where numbers are masked.
func TestUnknownOperation(t *testing.T) {
	for _, wrong := range []string{"+8613800000002", "call 138-0000-0002", "١٣٨٠٠٠٠٠٠٠٢"} {
		_, sms := ParseSMSControl([]byte(`{"actions":[{"operation":"` + wrong + `"}]}`))
		_, call := ParseControl([]byte(`{"operation":"` + wrong + `"}`))
		for _, err := range []error{sms, call} {
			require.ErrorContains(t, err, "unknown operation")
			require.NotRegexp(t, `\pN`, err.Error())
		}
	}
}
