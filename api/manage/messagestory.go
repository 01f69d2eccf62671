package manage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"axgate/events"
	"axgate/ledger"
	"axgate/sms"
)

// MessageStory is what happened to a text.
type MessageStory struct {
	Message Message       `json:"message" doc:"The record of the text."`
	Steps   []MessageStep `json:"steps" nullable:"false" doc:"What happened, in its order."`
	Log     []Event       `json:"events" nullable:"false" doc:"Its events: the question to the app's server (smsBlock), and the notice (sms)."`
}

// MessageStep is one thing that happened to a text.
type MessageStep struct {
	At   time.Time `json:"at,omitzero" doc:"When; absent: not yet, or it is not noted." example:"2026-01-02T03:04:05Z"`
	What string    `json:"what" enum:"came,asked,decided,sent,end,push" doc:"came: it was taken; asked: the app's server was; decided: by the rules, for the last time; sent: how sending it went; end: what became of it; push: what became of its notice."`
	Text string    `json:"text" doc:"The same in a sentence; real numbers masked." example:"+86138****0002 wrote to +8617010000001, by carrier."`
}

func (s *service) getMessage(ctx context.Context, in *MessagePath) (*struct{ Body MessageStory }, error) {
	t, err := s.ownMessage(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	page, err := s.Records.Events(ctx, ledger.EventFilter{Session: in.ID, Limit: mostTold})
	if err != nil {
		return nil, err
	}
	return &struct{ Body MessageStory }{viewerOf(ctx).messageStory(&t, page.Events)}, nil
}

func (v viewer) messageStory(t *sms.Text, log []ledger.LoggedEvent) MessageStory {
	out := MessageStory{Message: v.message(t), Steps: tellMessage(t, log), Log: []Event{}}
	for i := range log {
		out.Log = append(out.Log, v.event(&log[i]))
	}
	return out
}

// tellMessage is the story of a text by its record and its events.
func tellMessage(t *sms.Text, log []ledger.LoggedEvent) []MessageStep {
	steps := []MessageStep{}
	say := func(at time.Time, what, format string, args ...any) {
		steps = append(steps, MessageStep{at, what, fmt.Sprintf(format, args...)})
	}
	say(t.At, "came", "%s", came(t))
	for i := range log {
		if e := &log[i]; e.Kind == events.SMSBlock {
			say(e.At, "asked", "%s", askedText(t, e))
		}
	}
	if t.Why != "" { // the last decision: that after the answer
		say(time.Time{}, "decided", "It was decided: %s.", t.Why)
	}
	if t.Tries > 0 {
		say(time.Time{}, "sent", "%s", sentText(t))
	}
	switch {
	case !t.Done.IsZero():
		say(t.Done, "end", "%s (sendResult %d)", resultText(t.Result), t.Result)
	case t.Open:
		say(time.Time{}, "end", "Not all of its parts have come; they are waited for until %s.", stamp(t.Due))
	default:
		say(time.Time{}, "end", "It is under way, or waits for its next try, at %s.", stamp(t.Due))
	}
	for i := range log {
		if e := &log[i]; e.Kind == events.SMSNotice {
			say(e.Done, "push", "%s", noticeText(e))
		}
	}
	return steps
}

// came tells who wrote, and how that arrived.
func came(t *sms.Text) string {
	who := "An unknown sender"
	if t.Sender != "" {
		who = t.Sender.Masked()
	}
	text := fmt.Sprintf("%s wrote to %s, by %s", who, t.X, t.Source)
	if t.Parts > 0 {
		text += fmt.Sprintf(", in %d parts", t.Parts)
	}
	return text + "."
}

// askedText tells of the question to the app's server, and of its answer.
func askedText(t *sms.Text, e *ledger.LoggedEvent) string {
	const asked = "The app's server was asked what to do with it"
	switch r := t.Reply; {
	case r == nil && e.Failure != "":
		return asked + ", and that failed: " + e.Failure + "."
	case r == nil:
		return asked + "."
	case r.Late:
		return asked + ", and did not say in time: " + r.Silent + "."
	case r.Silent != "":
		return asked + ", and gave an answer that cannot be used: " + r.Silent + "."
	case r.Discard:
		return asked + ", and had it dropped."
	}
	return asked + ", and named a receiver."
}

// sentText tells how sending went.
func sentText(t *sms.Text) string {
	var text strings.Builder
	tries := "at the first try"
	if t.Tries > 1 {
		tries = fmt.Sprintf("in %d tries", t.Tries)
	}
	to := "the receiver"
	if t.Receiver != "" {
		to = t.Receiver.Masked()
	}
	switch {
	case t.Pieces > 0 && t.Sent == t.Pieces:
		fmt.Fprintf(&text, "%s brought it to %s %s", t.Carrier, to, tries)
	case t.Carrier != "":
		fmt.Fprintf(&text, "%s brought %d of its %d pieces to %s %s", t.Carrier, t.Sent, t.Pieces, to, tries)
	default:
		fmt.Fprintf(&text, "Nothing of it was brought to %s %s", to, tries)
	}
	if t.Pieces > 1 && t.Sent == t.Pieces {
		fmt.Fprintf(&text, ", in %d pieces", t.Pieces)
	}
	if t.Failure != "" {
		text.WriteString("; the last one failed: " + t.Failure)
	}
	return text.String() + "."
}

// noticeText tells what became of the push of a notice.
func noticeText(e *ledger.LoggedEvent) string {
	if e.Push() == ledger.PushTaken && e.Tries <= 1 {
		return "The notice was taken."
	}
	if e.Push() == ledger.PushDue && e.Failure == "" {
		return "The notice is owed."
	}
	return strings.Replace(pushText(e), "The event "+string(e.Kind), "The notice", 1)
}
