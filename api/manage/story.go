package manage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"axgate/events"
	"axgate/ledger"
)

// Story is what happened in a call.
type Story struct {
	Call  Call    `json:"call" doc:"The record of the call."`
	Steps []Step  `json:"steps" nullable:"false" doc:"What happened, in its order."`
	Log   []Event `json:"events" nullable:"false" doc:"The events, in their order."`
}

// Step is one thing that happened in a call.
type Step struct {
	At   time.Time `json:"at,omitzero" doc:"When; absent: not yet." example:"2026-01-02T03:04:05Z"`
	What string    `json:"what" doc:"The event, or decided, recording, end, push." example:"decided"`
	Text string    `json:"text" doc:"The same in a sentence; real numbers masked." example:"The call was decided: +86138****0002 called +8617010000001, which is bound to +86138****0001."`
}

// mostTold bounds the events of a story; a call has about seven.
const mostTold = 200

func (s *service) tellStory(ctx context.Context, in *SessionPath) (*struct{ Body Story }, error) {
	c, err := s.ownCall(ctx, in.SessionID)
	if err != nil {
		return nil, err
	}
	page, err := s.Records.Events(ctx, ledger.EventFilter{Session: in.SessionID, Limit: mostTold})
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	out := Story{Call: v.call(&c), Steps: tell(&c, page.Events), Log: []Event{}}
	for i := range page.Events {
		out.Log = append(out.Log, v.event(&page.Events[i]))
	}
	return &struct{ Body Story }{out}, nil
}

// tell is the story of a call by its record and its events.
func tell(c *events.Call, log []ledger.LoggedEvent) []Step {
	steps := []Step{}
	say := func(at time.Time, what, format string, args ...any) {
		steps = append(steps, Step{at, what, fmt.Sprintf(format, args...)})
	}
	told := c.Why == ""
	for i := range log {
		e := &log[i]
		if e.Kind == events.Fee {
			continue // it tells of the call as a whole, after its end
		}
		if text := eventText(c, e); text != "" {
			say(e.At, string(e.Kind), "%s", text)
		}
		// Typed digits change the decision, of which the last is kept.
		if next := i + 1; !told && (next == len(log) || log[next].Kind != events.CollectInfo) {
			say(e.At, "decided", "The call was decided: %s.", c.Why)
			told = true
		}
		if e.Kind == events.Answer && !c.Recording.IsZero() {
			say(c.Recording, "recording", "The recording began.")
		}
	}
	switch {
	case c.Ended.IsZero():
		say(time.Time{}, "end", "The call is up, or its end is not recorded yet.")
	default:
		say(c.Ended, "end", "%s", endSentence(c))
	}
	for i := range log {
		if text := pushText(&log[i]); text != "" {
			say(log[i].Done, "push", "%s", text)
		}
	}
	return steps
}

// eventText tells an event in a sentence.
func eventText(c *events.Call, e *ledger.LoggedEvent) string {
	switch e.Kind {
	case events.CallIn:
		return fmt.Sprintf("%s called %s.", masked(c.Caller), c.X)
	case events.CollectInfo:
		return "An extension was typed."
	case events.CallOut:
		shown := c.Shown
		if shown == "" {
			shown = c.X
		}
		return fmt.Sprintf("%s was called, shown %s.", masked(c.Callee), shown)
	case events.Alerting:
		return "The callee's phone rang."
	case events.Answer:
		return "The callee answered."
	case events.Disconnect:
		return "The call was taken down."
	}
	return string(e.Kind) + "."
}

// endSentence tells how a call ended, in the words of people and in codes.
func endSentence(c *events.Call) string {
	parts := []string{endText(c.EndWord)}
	if !c.Answered.IsZero() {
		parts = append(parts, fmt.Sprintf("They talked for %s.", c.Ended.Sub(c.Answered).Round(time.Second)))
	}
	if by, ok := map[int]string{1: "The caller hung up.", 2: "The callee hung up."}[c.ReleasedBy]; ok {
		parts = append(parts, by+reasonGiven(c))
	}
	codes := []string{fmt.Sprintf("stateCode %d", c.StateCode), fmt.Sprintf("ulFailReason %d", c.FailReason)}
	if c.SIPStatus != 0 {
		codes = append(codes, fmt.Sprintf("SIP %d", c.SIPStatus))
	}
	if c.UnswReason != 0 {
		codes = append(codes, fmt.Sprintf("Q.850 %d", c.UnswReason))
	}
	parts = append(parts, "("+strings.Join(codes, ", ")+")")
	if c.RecordFile != "" {
		parts = append(parts, fmt.Sprintf("The recording %s has %d bytes.", c.RecordFile, c.RecordBytes))
		if c.RecordGap > 0 {
			parts = append(parts, fmt.Sprintf("%.1f s of it are silent: the node died, and another one went on.", c.RecordGap.Seconds()))
		}
	}
	return strings.Join(parts, " ")
}

// reasonGiven tells what who hung up gave as its reason.
func reasonGiven(c *events.Call) string {
	switch {
	case c.ReleaseCause != 0:
		return fmt.Sprintf(" It gave the cause Q.850 %d.", c.ReleaseCause)
	case c.ReleaseStatus != 0:
		return fmt.Sprintf(" It gave the cause SIP %d.", c.ReleaseStatus)
	}
	return ""
}

// pushText tells what became of a push that needs to be told: one that failed,
// and that of the fee event.
func pushText(e *ledger.LoggedEvent) string {
	trouble := e.Tries > 1 || e.Failure != ""
	if !trouble && e.Kind != events.Fee {
		return ""
	}
	switch e.Push() {
	case ledger.PushTaken:
		return fmt.Sprintf("The event %s was taken at attempt %d.", e.Kind, max(1, e.Tries))
	case ledger.PushFailed:
		return fmt.Sprintf("The event %s was given up: %s.", e.Kind, e.Failure)
	case ledger.PushNowhere:
		return fmt.Sprintf("The event %s was not pushed: the app has no address for it.", e.Kind)
	}
	text := fmt.Sprintf("The event %s is owed", e.Kind)
	if e.Failure != "" {
		text += fmt.Sprintf(" after %d failures (%s), and is pushed next at %s", e.Tries, e.Failure, stamp(e.Due))
	}
	return text + "."
}

// masked is a real number as stories have it, whoever reads them.
func masked(number string) string {
	if number == "" {
		return "An unknown caller"
	}
	return viewer{masked: true}.number(number)
}
