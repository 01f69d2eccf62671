package events

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// SMS is a text message as its notices tell of it (callbacks section 4.1).
// Numbers are in global form.
type SMS struct {
	ID        string // smsIdentifier
	App       string
	Calling   string    // real sender
	Called    string    // real receiver; empty but after a forward that succeeded
	X         string    // virtualNumber
	At        time.Time // timeStamp: when the text came
	Told      time.Time // when the event of it happened; zero: At
	Binding   string    // subscriptionId
	Content   *string   // smsContent as the sender wrote it; nil: the app does not want it
	SplitNum  int       // parts
	Direction int       // 0 others to A, 1 A to others, 2 not known
	Result    int       // sendResult
	AreaCode  string
	UserData  string
}

// The kinds of events of texts. The names are ours: their pushes have no
// eventType.
const (
	SMSNotice Kind = "sms"      // Notify: what became of a text
	SMSBlock  Kind = "smsBlock" // Block: the app's server is asked what becomes of it
)

// smsEvent is the body of an event of a text (callbacks section 4.1). An empty
// text is absent.
type smsEvent struct {
	SMSIdentifier    string  `json:"smsIdentifier"`
	NotificationMode string  `json:"notificationMode"`
	Calling          string  `json:"calling,omitempty"`
	Called           string  `json:"called,omitempty"`
	VirtualNumber    string  `json:"virtualNumber"`
	Event            string  `json:"event"`
	TimeStamp        string  `json:"timeStamp"`
	SubscriptionID   string  `json:"subscriptionId,omitempty"`
	SMSContent       *string `json:"smsContent,omitempty"`
	ExtInfo          extInfo `json:"extInfo"`
	SendResult       int     `json:"sendResult"`
	AreaCode         string  `json:"areaCode,omitempty"`
	UserData         string  `json:"userData,omitempty"`
}

type extInfo struct {
	ExtParas [2]extPara `json:"extParas"`
}

type extPara struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

const (
	smsSent      = 0 // sendResult
	smsEventName = "TextSMS"
	smsTime      = "2006-01-02T15:04:05.000Z" // section 1.3, in UTC
)

// NewSMSNotice makes the event that tells what became of a text. Called is left
// out but of one that was sent whole.
func NewSMSNotice(s SMS, seq int) Event {
	info := s.event(notify)
	info.SendResult = s.Result
	if s.Result == smsSent {
		info.Called = s.Called
	}
	return Event{Session: s.ID, Seq: seq, App: s.App, Kind: SMSNotice, At: s.happened(), Body: encode(info)}
}

// NewSMSQuestion makes the event by which the app's server is asked what to do
// with a text: nobody was sent it, so that it has neither Called nor Result.
func NewSMSQuestion(s SMS, seq int) Event {
	return Event{Session: s.ID, Seq: seq, App: s.App, Kind: SMSBlock, At: s.happened(), Body: encode(s.event(block)), Question: true}
}

func (s *SMS) happened() time.Time {
	if s.Told.IsZero() {
		return s.At
	}
	return s.Told
}

func (s *SMS) event(mode string) smsEvent {
	return smsEvent{
		SMSIdentifier: s.ID, NotificationMode: mode, Calling: s.Calling, VirtualNumber: s.X, Event: smsEventName,
		TimeStamp: s.At.UTC().Format(smsTime), SubscriptionID: s.Binding, SMSContent: s.Content,
		ExtInfo:  extInfo{[2]extPara{{"splitNum", strconv.Itoa(s.SplitNum)}, {"direction", strconv.Itoa(s.Direction)}}},
		AreaCode: s.AreaCode, UserData: s.UserData,
	}
}

// SMSQuestionMessage is what the app's server is sent for an event that
// NewSMSQuestion made.
func SMSQuestionMessage(e *Event, _ *Receiver) ([]byte, error) { return smsMessage(e) }

// smsMessage is the body of the push of an event of a text.
func smsMessage(e *Event) ([]byte, error) {
	var info smsEvent
	if err := json.Unmarshal(e.Body, &info); err != nil {
		return nil, fmt.Errorf("the stored body: %w", err)
	}
	return smsBody(e.App, info), nil
}

func smsBody(app string, info smsEvent) json.RawMessage {
	return encode(struct {
		AppKey   string   `json:"appKey"`
		SMSEvent smsEvent `json:"smsEvent"`
	}{app, info})
}
