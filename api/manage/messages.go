package manage

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

const messagesTag = "messages"

// MessageSelection selects texts.
type MessageSelection struct {
	Span
	Number     string `query:"number" maxLength:"40" doc:"X, sender or receiver." example:"+8613800000001"`
	X          string `query:"x" maxLength:"40" doc:"The X that they were sent to." example:"+8617010000001"`
	Sender     string `query:"sender" maxLength:"40" doc:"Who wrote them." example:"+8613800000002"`
	Receiver   string `query:"receiver" maxLength:"40" doc:"Whom they are for." example:"+8613800000001"`
	AppKey     string `query:"appKey" maxLength:"128" doc:"Texts of this app." example:"demo-ax"`
	SPID       string `query:"spId" maxLength:"64" doc:"Texts of this account." example:"demo"`
	SendResult int    `query:"sendResult" minimum:"-1" maximum:"13" default:"-1" doc:"Texts that are done with this result; -1: whatever it is." example:"10"`
	State      string `query:"state" enum:"incomplete,waiting,done" doc:"Texts in this state."`
}

// MessagePath names a text.
type MessagePath struct {
	ID string `path:"smsIdentifier" minLength:"1" maxLength:"64" doc:"The text." example:"1a214e51ee72UL36OT4OQFOU3DQ"`
}

func (s *service) messages() {
	add(s, op{id: "listMessages", method: http.MethodGet, path: "/messages", who: anyone, subject: messagesTag,
		summary: "List texts",
		about:   "Texts to X, the newest first. Filters narrow each other; a number may be written as people dial it. What was written is shown only of texts that are done, of apps that keep texts (smsContent), and to tokens that see real numbers.",
	}, s.listMessages)
	add(s, op{id: "exportMessages", method: http.MethodGet, path: "/messages.csv", who: anyone, subject: messagesTag, gives: csvKind,
		summary: "Export texts as CSV",
		about:   "What listMessages lists, at most 1,000,000 texts, as they are read; name a time. A connection that is cut tells that the file is not whole. A text that a spreadsheet would take for a formula begins with an apostrophe.",
	}, s.exportMessages)
	add(s, op{id: "getMessage", method: http.MethodGet, path: "/messages/{smsIdentifier}", who: anyone, subject: messagesTag, refuses: []int{http.StatusNotFound},
		summary: "Show a text, and what happened to it",
		about:   "The record of a text, also of one that is under way: why it was decided as it was, how sending it went, what became of its notice, and all that in sentences.",
	}, s.getMessage)
}

// messageFilter reads the selection for what the token may see. none: it can
// see nothing of it.
func (s *service) messageFilter(ctx context.Context, in *MessageSelection) (f ledger.MessageFilter, none bool, err error) {
	if err := in.check(); err != nil {
		return f, false, err
	}
	f = ledger.MessageFilter{App: in.AppKey, SP: in.SPID, From: in.From, To: in.To}
	if sp := accountOf(ctx); sp != "" {
		none, f.SP = in.SPID != "" && in.SPID != sp, sp
	}
	if f.Number, err = s.anyNumber(ctx, "number", in.Number); err != nil {
		return f, false, err
	}
	if in.X != "" {
		x, err := s.x("x", in.X)
		if err != nil {
			return f, false, err
		}
		f.X = string(x)
	}
	sender, err := s.soughtNumber(ctx, "sender", in.Sender)
	if err != nil {
		return f, false, err
	}
	receiver, err := s.soughtNumber(ctx, "receiver", in.Receiver)
	if err != nil {
		return f, false, err
	}
	f.Sender, f.Receiver = string(sender), string(receiver)
	if in.SendResult >= 0 {
		f.Result = new(routing.SendResult(in.SendResult))
	}
	SelectState(&f, in.State)
	return f, none, nil
}

// SelectState has a filter select texts in a state of Message; empty: in any.
func SelectState(f *ledger.MessageFilter, state string) {
	if state == "" {
		return
	}
	f.Done = new(state == done)
	if state != done {
		f.Open = new(state == incomplete)
	}
}

func (s *service) listMessages(ctx context.Context, in *struct {
	Page
	MessageSelection
}) (*listed[Message], error) {
	out := &listed[Message]{List[Message]{Items: []Message{}}}
	f, none, err := s.messageFilter(ctx, &in.MessageSelection)
	if err != nil || none {
		return out, err
	}
	f.After, f.Limit = in.After, in.Limit
	page, err := s.Records.Messages(ctx, f)
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	out.Body.Next = page.Next
	for i := range page.Messages {
		out.Body.Items = append(out.Body.Items, v.message(&page.Messages[i]))
	}
	return out, nil
}

// ownMessage is a text that the token may see.
func (s *service) ownMessage(ctx context.Context, id string) (sms.Text, error) {
	t, err := s.Records.Message(ctx, id)
	if err != nil && !errors.Is(err, ledger.ErrNoMessage) {
		return t, err
	}
	if sp := accountOf(ctx); err != nil || sp != "" && sp != t.SP {
		p := missing("there is no text of that smsIdentifier")
		p.Errors = []Wrong{{Field: "smsIdentifier", Message: p.Detail}}
		return sms.Text{}, p
	}
	return t, nil
}

// MessageHead are the columns of an export of texts.
var MessageHead = []string{"smsIdentifier", "state", "appKey", "spId", "x", "sender", "receiver", "subscriptionId", "userData", "areaCode", "direction",
	"timeStamp", "done", "sendResult", "refused", "source", "cameInParts", "splitNum", "asked", "carrier", "pieces", "sentPieces", "tries", "failure", "smsContent"}

// Row are the values of MessageHead.
func (m *Message) Row() []string {
	result := ""
	if m.Result != nil {
		result = strconv.Itoa(*m.Result)
	}
	return []string{m.ID, m.State, m.AppKey, m.SPID, m.X, m.Sender, m.Receiver, m.SubscriptionID, cell(m.UserData), m.AreaCode, strconv.Itoa(m.Direction),
		stamp(m.At), stamp(m.Done), result, strconv.FormatBool(m.Refused), m.Source, strconv.Itoa(m.Came), strconv.Itoa(m.SplitNum), strconv.FormatBool(m.Asked),
		m.Carrier, strconv.Itoa(m.Pieces), strconv.Itoa(m.Sent), strconv.Itoa(m.Tries), cell(m.Failure), cell(m.Content)}
}

func (s *service) exportMessages(ctx context.Context, in *MessageSelection) (*stream, error) {
	f, none, err := s.messageFilter(ctx, in)
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	return s.export(ctx, "messages.csv", MessageHead, func(ctx context.Context, after string, limit int) (list [][]string, next string, err error) {
		if none {
			return nil, "", nil
		}
		f.After, f.Limit = after, limit
		page, err := s.Records.Messages(ctx, f)
		for i := range page.Messages {
			m := v.message(&page.Messages[i])
			list = append(list, m.Row())
		}
		return list, page.Next, err
	})
}
