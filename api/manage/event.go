package manage

import (
	"bytes"
	"encoding/json"
	"time"

	"axgate/events"
	"axgate/ledger"
)

// Event is an event with what became of its push.
type Event struct {
	SessionID string          `json:"sessionId" doc:"The call, or the text by its smsIdentifier." example:"1200_366_4294967295_20260102030405@gw1.example.com"`
	Seq       int             `json:"seq" doc:"Its number within the call or text, from 1." example:"1"`
	AppKey    string          `json:"appKey" doc:"The app." example:"demo-ax"`
	EventType string          `json:"eventType" doc:"What it tells." example:"callin"`
	At        time.Time       `json:"at" doc:"When it happened." example:"2026-01-02T03:04:05Z"`
	Body      json.RawMessage `json:"body" doc:"statusInfo, smsEvent, or the element of feeLst, with all fields that a receiver can ask for."`
	Push      Push            `json:"push" doc:"What became of its push."`
}

// Push is what became of the push of an event.
type Push struct {
	State   string    `json:"state" enum:"due,taken,failed,nowhere" doc:"due: owed, perhaps after failures; taken: the receiver took it; failed: given up; nowhere: the app has no address for it."`
	Tries   int       `json:"tries" doc:"Attempts that ended." example:"1"`
	Next    time.Time `json:"next,omitzero" doc:"When it is pushed next." example:"2026-01-02T03:05:05Z"`
	Taken   time.Time `json:"taken,omitzero" doc:"When the receiver took it." example:"2026-01-02T03:04:05Z"`
	Failure string    `json:"failure,omitempty" doc:"Of the last attempt, or why it is not pushed." example:"HTTP status 503"`
}

func (v viewer) event(e *ledger.LoggedEvent) Event {
	return Event{SessionID: e.Session, Seq: e.Seq, AppKey: e.App, EventType: string(e.Kind), At: e.At, Body: v.body(e),
		Push: Push{State: string(e.Push()), Tries: e.Tries, Next: e.Due, Taken: e.Done, Failure: e.Failure}}
}

// plainFields are the fields of events that never hold a real number; in all
// others, known here or not, digits are masked where numbers are.
var plainFields = map[string]bool{
	"sessionId": true, "timestamp": true, "stateDesc": true, "digitInfo": true, "subscriptionId": true, "spId": true, "appKey": true, "icid": true,
	"bindNum": true, "fwdDisplayNum": true, "callInTime": true, "fwdStartTime": true, "fwdAlertingTime": true, "fwdAnswerTime": true, "callEndTime": true,
	"failTime": true, "recordStartTime": true, "recordDomain": true, "recordBucketName": true, "recordObjectName": true, "mptyId": true, "serviceType": true,
	"hostName": true, "extendNum": true, "areaCode": true,
	"smsIdentifier": true, "notificationMode": true, "virtualNumber": true, "event": true, "timeStamp": true,
}

// hiddenField is the one of which whoever sees numbers masked sees nothing: what
// people write to each other may name them in ways that no mask finds.
const hiddenField = "smsContent"

// xField is the field of a call event that has X: it is dialled at first, and
// shown to the callee later (callbacks section 2.1).
func xField(kind events.Kind) string {
	switch kind {
	case events.CallIn:
		return "called"
	case events.CallOut, events.Alerting, events.Answer, events.Disconnect:
		return "caller"
	}
	return "bindNum"
}

// body is that of an event, its real numbers masked if they must be.
func (v viewer) body(of *ledger.LoggedEvent) json.RawMessage {
	if !v.masked {
		return of.Body
	}
	d := json.NewDecoder(bytes.NewReader(of.Body))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return json.RawMessage("null") // nothing of what is not understood
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v.fields(fields, xField(of.Kind))); err != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func (v viewer) fields(fields map[string]any, xField string) map[string]any {
	x, _ := fields[xField].(string)
	for name, value := range fields {
		switch {
		case plainFields[name]:
		case name == hiddenField:
			fields[name] = "****"
		default:
			fields[name] = v.value(value, x)
		}
	}
	return fields
}

// value masks what a field holds; x, which anybody may see, stays.
func (v viewer) value(value any, x string) any {
	switch t := value.(type) {
	case string:
		if x != "" && t == x {
			return t
		}
		if isNumber(t) {
			return v.number(t)
		}
		return v.text(t)
	case map[string]any:
		return v.fields(t, "")
	case []any:
		for i := range t {
			t[i] = v.value(t[i], x)
		}
	}
	return value
}

// isNumber tells whether a text is a number in global form.
func isNumber(t string) bool {
	if len(t) < 2 || t[0] != '+' {
		return false
	}
	for i := 1; i < len(t); i++ {
		if t[i] < '0' || t[i] > '9' {
			return false
		}
	}
	return true
}
