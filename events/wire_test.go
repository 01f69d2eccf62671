package events

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample is the call of the examples of the contract (callbacks sections 2.2
// and 3.2).
func sample() Call {
	at := func(s string) time.Time {
		t, err := time.ParseInLocation(time.DateTime, "2026-01-02 "+s, time.UTC)
		if err != nil {
			panic(err)
		}
		return t.Add(999 * time.Millisecond).In(time.FixedZone("Beijing", 8*3600))
	}
	return Call{
		Session: "1200_1029_4294967295_20260102030405@callnode01.example.com", ICID: "ba17aaaa000000000000000000000001.3757223714.337238282.9",
		Host: "callnode01.example.com", App: "demoAppKey0001", SP: "demo_tenant", Mode: "AXB",
		X: "+8616500000009", Caller: "+8613800000001", Callee: "+8613800000002", Binding: "0f3c6d1e-0000-4000-8000-000000000001",
		Direction: 1, AreaCode: "0755", ReleasedBy: 2,
		In: at("03:04:05"), Out: at("03:04:06"), Alerting: at("03:04:09"), Answered: at("03:04:15"), Recording: at("03:04:16"), Ended: at("03:05:10"),
		RecordWanted: true, RecordFile: "26010203041612050118304.wav", RecordBytes: 1,
	}
}

func TestStatusMessages(t *testing.T) {
	const session = `"sessionId":"1200_1029_4294967295_20260102030405@callnode01.example.com"`
	const callee = `"caller":"+8616500000009","called":"+8613800000002"`
	const binding = `"subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001"`
	axb, axe, refused, undecided := sample(), sample(), sample(), sample()
	axb.UserData = "order<42>"
	axe.Mode, axe.Extension = "AXE", "0001"
	refused.Out, refused.Binding, refused.StateCode, refused.ReleasedBy = time.Time{}, "", 8014, 0
	undecided.Out, undecided.Callee, undecided.Binding, undecided.StateCode = time.Time{}, "", "", 7516
	asked := Receiver{ReleasedBy: true}
	for name, c := range map[string]struct {
		call   Call
		kind   Kind
		at     time.Time
		digits string
		to     Receiver
		want   string
	}{
		"callin": {axb, CallIn, axb.In, "", Receiver{}, `{"eventType":"callin","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:04:05","caller":"+8613800000001","called":"+8616500000009",` + binding + `,"userData":"order<42>"}}`},
		"callin of AXE has no binding": {axe, CallIn, axe.In, "", Receiver{}, `{"eventType":"callin","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:04:05","caller":"+8613800000001","called":"+8616500000009"}}`},
		"collectInfo": {axe, CollectInfo, axe.In, "0001", asked, `{"eventType":"collectInfo","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:04:05","digitInfo":"0001"}}`},
		"callout": {axe, CallOut, axb.Out, "", Receiver{}, `{"eventType":"callout","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:04:06",` + callee + `,` + binding + `}}`},
		"alerting": {axb, Alerting, axb.Alerting, "", asked, `{"eventType":"alerting","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:04:09",` + callee + `,` + binding + `,"userData":"order<42>"}}`},
		"answer": {axe, Answer, axb.Answered, "", asked, `{"eventType":"answer","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:04:15",` + callee + `,` + binding + `}}`},
		"disconnect": {axe, Disconnect, axb.Ended, "", Receiver{}, `{"eventType":"disconnect","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:05:10",` + callee + `,"stateCode":0,"stateDesc":"The user releases the call.",` + binding + `}}`},
		"disconnect with who hung up": {axe, Disconnect, axb.Ended, "", asked, `{"eventType":"disconnect","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:05:10",` + callee + `,"stateCode":0,"stateDesc":"The user releases the call.","callRelDirection":2,` + binding + `}}`},
		"disconnect of a refused call names no callee": {refused, Disconnect, axb.Ended, "", asked, `{"eventType":"disconnect","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:05:10","stateCode":8014,"stateDesc":"The binding does not exist."}}`},
		"disconnect before the extension": {undecided, Disconnect, axb.Ended, "", asked, `{"eventType":"disconnect","statusInfo":{` + session + `,
			"timestamp":"2026-01-02 03:05:10","stateCode":7516,"stateDesc":"The caller hung up before the call was transferred.","callRelDirection":2}}`},
	} {
		t.Run(name, func(t *testing.T) {
			e := NewCallEvent(c.call, 3, c.kind, c.at, c.digits)
			require.Equal(t, Event{Session: c.call.Session, Seq: 3, App: "demoAppKey0001", Kind: c.kind, At: c.at, Body: e.Body}, e)
			body, err := statusMessage(&e, &c.to)
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(body))
			require.NotContains(t, string(body), `\u003c`, "no escapes for HTML")
		})
	}
	_, err := statusMessage(&Event{Kind: Answer, Body: json.RawMessage("[")}, &asked)
	require.ErrorContains(t, err, "stored body")
}

func TestFeeMessages(t *testing.T) {
	const example = `{"direction":1,"spId":"demo_tenant","appKey":"demoAppKey0001",
	 "icid":"ba17aaaa000000000000000000000001.3757223714.337238282.9","bindNum":"+8616500000009",
	 "sessionId":"1200_1029_4294967295_20260102030405@callnode01.example.com",
	 "subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001",
	 "callerNum":"+8613800000001","calleeNum":"+8616500000009","fwdDisplayNum":"+8616500000009","fwdDstNum":"+8613800000002",
	 "callInTime":"2026-01-02 03:04:05","fwdStartTime":"2026-01-02 03:04:06","fwdAlertingTime":"2026-01-02 03:04:09",
	 "fwdAnswerTime":"2026-01-02 03:04:15","callEndTime":"2026-01-02 03:05:10","fwdUnaswRsn":0,"ulFailReason":0,
	 "sipStatusCode":0,"callOutUnaswRsn":0,"recordFlag":1,"recordStartTime":"2026-01-02 03:04:16",
	 "recordDomain":"records.example.com","recordBucketName":"sp-demoappkey0001",
	 "recordObjectName":"26010203041612050118304.wav","ttsPlayTimes":0,"ttsTransDuration":0,
	 "mptyId":"0f3c6d1e-0000-4000-8000-000000000001","serviceType":"004","hostName":"callnode01.example.com"}`
	const ids = `"spId":"demo_tenant","appKey":"demoAppKey0001","icid":"ba17aaaa000000000000000000000001.3757223714.337238282.9","bindNum":"+8616500000009",
	 "sessionId":"1200_1029_4294967295_20260102030405@callnode01.example.com","callerNum":"+8613800000001","calleeNum":"+8616500000009",
	 "hostName":"callnode01.example.com","callOutUnaswRsn":0,"ttsPlayTimes":0,"ttsTransDuration":0,"callInTime":"2026-01-02 03:04:05",`
	busy := sample()
	busy.Mode, busy.Extension, busy.Answered, busy.Recording, busy.RecordFile = "AXE", "0001", time.Time{}, time.Time{}, ""
	busy.FailReason, busy.SIPStatus, busy.UnswReason, busy.UserData = 8102, 486, 17, "u"
	refused := sample()
	refused.Mode, refused.Direction, refused.Binding = "AX", 2, ""
	refused.Out, refused.Alerting, refused.Answered, refused.Recording, refused.RecordFile = time.Time{}, time.Time{}, time.Time{}, time.Time{}, ""
	refused.FailReason, refused.SIPStatus, refused.Ended = 7104, 403, refused.In
	short := sample()
	short.Ended, short.ReleasedBy, short.FailReason, short.RecordFile = short.Answered, 0, 8010, ""
	every := Receiver{Duration: true, ReleasedBy: true, AreaCode: true, RecordURL: true}
	cfg := Config{RecordDomain: "records.example.com", RecordURL: func(app, object string) string { return "https://r/" + app + "/" + object }}
	for name, c := range map[string]struct {
		call Call
		to   Receiver
		want string
	}{
		"the example": {sample(), Receiver{}, example},
		"all on request": {sample(), every, example[:len(example)-1] + `,"callDuration":55,"callRelDirection":2,"areaCode":"0755",
			"recordFileDownloadUrl":"https://r/demoAppKey0001/26010203041612050118304.wav"}`},
		"AXE, callee busy": {busy, every, `{` + ids + `"direction":1,"subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001",
			"fwdDisplayNum":"+8616500000009","fwdDstNum":"+8613800000002","fwdStartTime":"2026-01-02 03:04:06","fwdAlertingTime":"2026-01-02 03:04:09",
			"callEndTime":"2026-01-02 03:05:10","failTime":"2026-01-02 03:05:10","fwdUnaswRsn":17,"ulFailReason":8102,"sipStatusCode":486,
			"recordFlag":0,"serviceType":"005","extendNum":"0001","userData":"u","areaCode":"0755"}`},
		"AX, refused": {refused, Receiver{}, `{` + ids + `"direction":2,"callEndTime":"2026-01-02 03:04:05","failTime":"2026-01-02 03:04:05",
			"fwdUnaswRsn":0,"ulFailReason":7104,"sipStatusCode":403,"recordFlag":0,"serviceType":"003"}`},
		"answered, ended at once by us": {short, Receiver{Duration: true, ReleasedBy: true}, `{` + ids + `"direction":1,"subscriptionId":"0f3c6d1e-0000-4000-8000-000000000001",
			"fwdDisplayNum":"+8616500000009","fwdDstNum":"+8613800000002","fwdStartTime":"2026-01-02 03:04:06","fwdAlertingTime":"2026-01-02 03:04:09",
			"fwdAnswerTime":"2026-01-02 03:04:15","callEndTime":"2026-01-02 03:04:15","fwdUnaswRsn":0,"ulFailReason":8010,"sipStatusCode":0,
			"recordFlag":0,"serviceType":"004","mptyId":"0f3c6d1e-0000-4000-8000-000000000001","callDuration":0}`},
	} {
		t.Run(name, func(t *testing.T) {
			e := NewFee(c.call, 6)
			require.Equal(t, Event{Session: c.call.Session, Seq: 6, App: "demoAppKey0001", Kind: Fee, At: c.call.Ended, Body: e.Body}, e)
			record, err := feeRecord(&e, &c.to, &cfg)
			require.NoError(t, err)
			require.JSONEq(t, `{"eventType":"fee","feeLst":[`+c.want+`]}`, string(feeMessage([]feeInfo{record})))
		})
	}
	_, err := feeRecord(&Event{Kind: Fee, Body: json.RawMessage("[")}, &every, &cfg)
	require.ErrorContains(t, err, "stored body")
}

// TestTalkAsPushed: the duration is the difference of the times that receivers
// see.
func TestTalkAsPushed(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 900_000_000, time.UTC)
	require.Equal(t, 1, talk(at, at.Add(200*time.Millisecond)))
	require.Equal(t, 0, talk(at, at.Add(99*time.Millisecond)))
	require.Equal(t, 0, talk(at, at.Add(-time.Hour)))
}

// TestStateDescs: every word fits its field (section 2.1).
func TestStateDescs(t *testing.T) {
	for code, desc := range stateDescs {
		require.Regexp(t, `^[A-Z].{5,120}\.$`, desc, code)
	}
	require.NotEmpty(t, stateDesc(4711))
}

// TestDigests checks the vectors of api section 2.3.
func TestDigests(t *testing.T) {
	const secret, nonce, created = "demoAppSecret0001", "0123456789ABCDEF0123456789ABCDEF", "2026-01-02T03:04:05Z"
	require.Equal(t, "ax5o1VTGyRAX56cCWu+Jn+DU2CcIMgupHCu9OKsYVjc=", wsse(nonce, created, secret))
	require.Equal(t, "HOVqNCIYk5NuNGO6pK0PboYWZhkrOuhIRY7O5w6nObY=", aksk(nonce, created, secret))
}

func TestNext(t *testing.T) {
	p := NewPusher(nil, Config{})
	first := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, minutes := range []time.Duration{1, 4, 9, 106, 203, 300} {
		o := Outcome{At: first.Add(time.Second)}
		o.Tries, o.First = i+1, first
		require.Equal(t, first.Add(minutes*time.Minute), p.next(&o))
	}
	o := Outcome{At: first}
	o.Tries, o.First = 7, first
	require.Zero(t, p.next(&o), "six repetitions")
	o.Tries, o.At = 2, first.Add(time.Hour)
	require.Equal(t, o.At.Add(time.Minute), p.next(&o), "steps that passed are not made up for at once")
}

func TestBatches(t *testing.T) {
	var taken []Claimed
	add := func(n int, kind Kind, app, session string, tries int) {
		for range n {
			taken = append(taken, Claimed{Event: Event{App: app, Kind: kind, Session: session}, Tries: tries})
		}
	}
	add(60, Fee, "a", "", 0)
	add(2, Fee, "b", "", 0)
	add(14, Fee, "a", "", 1)
	add(2, Fee, "a", "", 4)
	add(3, Alerting, "a", "s", 0)
	add(1, CallIn, "a", "t", 0)
	var sizes []int
	for _, b := range batches(taken) {
		sizes = append(sizes, len(b))
	}
	require.Equal(t, []int{50, 10, 2, 12, 2, 1, 1, 3, 1}, sizes)
}
