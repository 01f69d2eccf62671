package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"axgate/events"
	"axgate/ledger"
)

const eventsTag = "events"

// EventSelection selects events.
type EventSelection struct {
	Span
	SessionID string `query:"sessionId" maxLength:"256" doc:"Events of this call, or of the text of this smsIdentifier, in their order." example:"1200_366_4294967295_20260102030405@gw1.example.com"`
	Number    string `query:"number" maxLength:"40" doc:"Events of calls with this X, caller or callee, and of texts with this X, sender or receiver." example:"+8613800000001"`
	AppKey    string `query:"appKey" maxLength:"128" doc:"Events of this app." example:"demo-ax"`
	SPID      string `query:"spId" maxLength:"64" doc:"Events of this account." example:"demo"`
	EventType string `query:"eventType" maxLength:"40" doc:"Events of this type." example:"fee"`
	Push      string `query:"push" enum:"due,taken,failed,nowhere" doc:"Events of whose push this became."`
}

// Replay selects events that are pushed once more.
type Replay struct {
	From      time.Time `json:"from" doc:"At or after this instant." example:"2026-01-02T00:00:00Z"`
	To        time.Time `json:"to" doc:"Before this instant, at most 31 days later." example:"2026-01-02T12:00:00Z"`
	AppKey    string    `json:"appKey,omitempty" maxLength:"128" doc:"Events of this app." example:"demo-ax"`
	SessionID string    `json:"sessionId,omitempty" maxLength:"256" doc:"Events of this call." example:"1200_366_4294967295_20260102030405@gw1.example.com"`
	Taken     bool      `json:"taken,omitempty" doc:"Also those that a receiver took; without it only those that none took." example:"false"`
}

// Replayed tells how many events are pushed once more.
type Replayed struct {
	Replayed int `json:"replayed" doc:"How many events are due again." example:"12"`
}

func (s *service) eventLog() {
	add(s, op{id: "listEvents", method: http.MethodGet, path: "/events", who: anyone, subject: eventsTag,
		summary: "List the event log",
		about:   "Call events, fee events, and the questions (smsBlock) and notices (sms) of texts, with what became of their pushes, the newest first; those of one call or text in their order.",
	}, s.listEvents)
	add(s, op{id: "exportEvents", method: http.MethodGet, path: "/events.csv", who: anyone, subject: eventsTag, gives: csvKind,
		summary: "Export events as CSV",
		about:   "What listEvents lists, at most 1,000,000 events, as they are read. A connection that is cut tells that the file is not whole.",
	}, s.exportEvents)
	add(s, op{id: "replayEvents", method: http.MethodPost, path: "/events/replay", who: owner, subject: eventsTag, refuses: []int{http.StatusNotFound, http.StatusServiceUnavailable},
		summary: "Push events once more",
		about:   "Events of a time become due at once, as if they had just been written, with all their repetitions. Receivers know events that they had already by sessionId and type.",
	}, s.replayEvents)
}

func (s *service) eventFilter(ctx context.Context, in *EventSelection) (f ledger.EventFilter, none bool, err error) {
	if err := in.check(); err != nil {
		return f, false, err
	}
	f = ledger.EventFilter{App: in.AppKey, SP: in.SPID, Session: in.SessionID, Kind: events.Kind(in.EventType), Push: ledger.PushState(in.Push), From: in.From, To: in.To}
	if sp := accountOf(ctx); sp != "" {
		none, f.SP = in.SPID != "" && in.SPID != sp, sp
	}
	f.Number, err = s.anyNumber(ctx, "number", in.Number)
	return f, none, err
}

func (s *service) listEvents(ctx context.Context, in *struct {
	Page
	EventSelection
}) (*listed[Event], error) {
	out := &listed[Event]{List[Event]{Items: []Event{}}}
	f, none, err := s.eventFilter(ctx, &in.EventSelection)
	if err != nil || none {
		return out, err
	}
	f.After, f.Limit = in.After, in.Limit
	page, err := s.Records.Events(ctx, f)
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	out.Body.Next = page.Next
	for i := range page.Events {
		out.Body.Items = append(out.Body.Items, v.event(&page.Events[i]))
	}
	return out, nil
}

func (s *service) replayEvents(ctx context.Context, in *struct{ Body Replay }) (*struct{ Body Replayed }, error) {
	const longest, patience = 31 * 24 * time.Hour, 20 * time.Second
	r := &in.Body
	switch {
	case !r.To.After(r.From):
		return nil, wrongField("to", "it is not after from")
	case r.To.Sub(r.From) > longest:
		return nil, wrongField("to", "it is more than 31 days after from")
	}
	f := ledger.ReplayFilter{App: r.AppKey, SP: accountOf(ctx), Session: r.SessionID, From: r.From, To: r.To, Missed: !r.Taken}
	if r.AppKey != "" {
		if _, err := s.ownApp(ctx, r.AppKey); err != nil {
			return nil, err
		}
		noteTarget(ctx, "appKey", r.AppKey)
	}
	if r.SessionID != "" {
		noteTarget(ctx, "sessionId", r.SessionID)
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	n, err := s.Records.Replay(bounded, f, s.Now())
	note(ctx, "%d events from %s to %s", n, stamp(r.From), stamp(r.To))
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, problem(http.StatusServiceUnavailable, fmt.Sprintf("the first %d events are due again, and the time was over: ask for shorter times", n))
	}
	return &struct{ Body Replayed }{Replayed{n}}, err
}
