package sms

import (
	"time"

	"axgate/events"
	"axgate/routing"
	"axgate/sms/parts"
)

// receipt tells whoever brought a text what became of it; as is what it is if
// it was not refused.
func (t *Text) receipt(as Outcome) Receipt {
	if t.Refused {
		return Receipt{ID: t.ID, Outcome: Refused, Result: t.Result}
	}
	return Receipt{ID: t.ID, Outcome: as}
}

// message is the text as the rules see it at an instant.
func (t *Text) message(now time.Time) routing.Message {
	m := routing.Message{X: t.X, Sender: t.Sender, Text: t.Text, At: now}
	if t.Taken {
		m.Taken = &routing.Taken{App: t.App, Binding: t.Binding, Receiver: t.Receiver}
	}
	return m
}

// learn notes what the rules said.
func (t *Text) learn(d *routing.MessageDecision) {
	t.Taken, t.Direction, t.UserData, t.Why = true, d.Direction, d.UserData, bounded(d.Why)
	t.Binding = ""
	if d.Binding != nil {
		t.Binding = d.Binding.ID
	}
	if d.AreaCode != "" {
		t.AreaCode = d.AreaCode
	}
	if d.Step == routing.ForwardText {
		t.Receiver, t.Split = d.Receiver, parts.Count(d.Text)
	}
}

// end makes the text one that is done, and the notice of it. app says whether
// it wants the text; nil: it does not.
func (t *Text) end(result routing.SendResult, app *routing.App, now time.Time) events.Event {
	t.Result, t.Done, t.Ahead, t.Reply = result, now, false, nil
	keeps := app != nil && app.Key == t.App && app.SMSContent
	told := t.told(keeps)
	told.Told = now
	notice := events.NewSMSNotice(told, t.lastEvent()+1)
	if !keeps {
		t.Text = ""
	}
	return notice
}

// lastEvent is the number of the text's last event before its notice.
func (t *Text) lastEvent() int {
	if t.Asked {
		return 1
	}
	return 0
}

// told is the text as its events tell of it.
func (t *Text) told(content bool) events.SMS {
	s := events.SMS{
		ID: t.ID, App: t.App, Calling: string(t.Sender), X: string(t.X), At: t.At, Binding: t.Binding, SplitNum: t.Split,
		Direction: int(t.Direction), Result: int(t.Result), AreaCode: t.AreaCode, UserData: t.UserData,
	}
	if t.Result == routing.TextSent {
		s.Called = string(t.Receiver)
	}
	if content && t.Parts == 0 || content && t.Text != "" { // half of one is not there
		text := t.Text
		s.Content = &text
	}
	return s
}
